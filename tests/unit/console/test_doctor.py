"""`anyteam doctor`'s judgements: what is a fault, what is advice, and that one hides no other."""

import datetime
from pathlib import Path

import pytest

from bus.decider import Recorded
from bus.folder import DataFolder
from console.doctor import files, ledger
from console.doctor.files import judged_date, wide_open
from console.doctor.finding import Finding, State, healthy, tried
from schemas.actions import ActionFinished, ActionOutcome, ApprovalRequested
from schemas.content import plain
from schemas.errors import AnyTeamError
from schemas.names import NO_DIGEST, SECOND, Role
from schemas.runs import HaltEngaged, HaltReleased, HaltScope, PolicySet, RunStarted
from schemas.settings import PolicySettings, Settings
from schemas.tools import Policy
from schemas.webconsole import ConsoleSettings, OidcProvider, SamlProvider, check_console
from tests.cases import NOW, PROPOSAL_DIGEST, proposal, recorded
from tests.unit.console.test_saml import Signing, metadata

OIDC = OidcProvider(issuer="https://id.acme.example", client_id="c")
SAML = SamlProvider(metadata="firm.xml", domains=["acme.example"])
TODAY = datetime.datetime(2026, 11, 28, tzinfo=datetime.UTC)


def said(body: object, *, index: int = 5, at: int = NOW, digest: bytes = b"d" * 32) -> Recorded:
    return recorded(body, digest, Role.ADMIN, "admin", index=index, at=at)  # type: ignore[arg-type]


def seen(look: ledger.Look, past: list[Recorded]) -> list[Finding]:
    for entry in past:
        look.take(entry)
    return list(look.findings())


def states(findings: object) -> list[tuple[str, State]]:
    return [(found.check, found.state) for found in findings]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("days", "state"),
    [(-1, State.FAULT), (0, State.FAULT), (29, State.ADVICE), (30, State.OK)],
)
def test_a_certificate_counts_as_ending_soon_for_its_last_30_days(days: int, state: State) -> None:
    found = judged_date("server.crt", TODAY + datetime.timedelta(days=days), TODAY)
    assert (found.state, bool(found.fix)) == (state, state is not State.OK)


def test_a_secret_is_open_only_where_every_folder_above_it_lets_others_through(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    key = home / "people" / "ann" / "event.key"
    key.parent.mkdir(parents=True)
    key.write_bytes(b"k" * 32)
    for folder in (home, home / "people", key.parent):
        folder.chmod(0o755)
    key.chmod(0o640)
    assert list(wide_open(home)) == [(key, 0o640)]
    key.parent.chmod(0o700)
    assert list(wide_open(home)) == []
    key.parent.chmod(0o755)
    home.chmod(0o700)
    assert list(wide_open(home)) == []
    home.chmod(0o755)
    key.chmod(0o600)
    assert list(wide_open(home)) == []


def test_a_certificate_may_be_read_by_all_and_its_key_may_not(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "tls").mkdir(parents=True)
    for name in ("server.crt", "server.key"):
        (home / "tls" / name).write_text("pem")
        (home / "tls" / name).chmod(0o644)
    for folder in (home, home / "tls"):
        folder.chmod(0o755)
    assert list(wide_open(home)) == [(home / "tls" / "server.key", 0o644)]


def test_an_error_of_one_look_is_a_finding_with_its_fix() -> None:
    def look() -> list[Finding]:
        raise AnyTeamError("the chain is broken", fix="restore it")

    assert list(tried("chain", look)) == [
        Finding("chain", State.FAULT, "the chain is broken", "restore it")
    ]
    assert healthy([Finding("a", State.ADVICE, "x"), Finding("b", State.SKIPPED, "y")])
    assert not healthy([Finding("a", State.OK, "x"), Finding("b", State.FAULT, "y")])


@pytest.mark.parametrize(
    ("behind_s", "sealed", "state"),
    [(30, 4, State.OK), (31, 4, State.FAULT), (31, 5, State.OK)],
)
def test_an_entry_without_a_seal_is_a_fault_after_half_a_minute(
    behind_s: int, sealed: int, state: State
) -> None:
    past = [said(HaltEngaged(scope=HaltScope.WORKSPACE, target="", reason="x"), index=5)]
    assert states(seen(ledger.Seals(sealed, NOW + behind_s * SECOND), past)) == [("seals", state)]


@pytest.mark.parametrize(("ahead_s", "state"), [(120, State.OK), (121, State.FAULT)])
def test_an_entry_may_be_ahead_by_what_the_policy_allows_clocks_to_differ(
    ahead_s: int, state: State
) -> None:
    past = [
        said(PolicySet(policy=Policy(version=1, tools=(), skew_s=120)), at=NOW),
        said(RunStarted(attempt=1), at=NOW + ahead_s * SECOND),
    ]
    assert states(seen(ledger.Clocks(NOW), past)) == [("clock", state)]


def test_halts_that_stand_are_named_with_the_command_that_lifts_them() -> None:
    past = [
        said(HaltEngaged(scope=HaltScope.AGENT, target="assistant", reason="x")),
        said(HaltEngaged(scope=HaltScope.WORKSPACE, target="", reason="x")),
        said(HaltReleased(scope=HaltScope.WORKSPACE, target="", reason="x")),
    ]
    [found] = seen(ledger.Halts(), past)
    assert found.state is State.ADVICE
    assert "anyteam release agent assistant" in found.fix


def test_what_waits_for_a_person_is_counted() -> None:
    past = [
        said(proposal(), digest=PROPOSAL_DIGEST),
        said(
            ApprovalRequested(
                proposal=PROPOSAL_DIGEST,
                tool="mail.send",
                question="really?",
                layers=(),
                expires=NOW,
            )
        ),
        said(
            ActionFinished(
                action=b"a" * 32,
                proposal=b"p" * 32,
                outcome=ActionOutcome.UNKNOWN,
                evidence=NO_DIGEST,
                detail="no answer",
                result=plain(""),
            )
        ),
    ]
    assert [found.what.split()[:3] for found in seen(ledger.Waiting(), past)] == [
        ["1", "proposals", "wait"],
        ["1", "effects", "ended"],
    ]


def with_console(console: ConsoleSettings) -> Settings:
    policy = PolicySettings(tools=())
    return Settings(
        workspace="acme", reps=("ann",), admins=("ada",), policy=policy, console=console
    )


def test_what_signing_in_needs_is_looked_for_where_the_settings_say(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    openid = with_console(ConsoleSettings(oidc={"corp": OIDC}))
    found = list(files.sign_in(folder, openid, TODAY))
    assert states(found) == [("sign-in", State.ADVICE), ("sign-in", State.OK)]
    assert found[0].fix == "anyteam console secret corp"
    by_saml = with_console(ConsoleSettings(saml={"firm": SAML}))
    (missing,) = tried("sign-in", lambda: files.sign_in(folder, by_saml, TODAY))
    assert missing.state is State.FAULT
    assert "firm.xml" in missing.what
    signing = Signing()
    (tmp_path / "firm.xml").write_bytes(metadata(signing.pem))
    later = TODAY + datetime.timedelta(days=3_650)
    assert states(files.sign_in(folder, by_saml, later)) == [
        ("sign-in", State.ADVICE),
        ("sign-in", State.OK),
    ]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (ConsoleSettings(saml={"x": SAML}, oidc={"x": OIDC}), r"console\.saml\.x"),
        (ConsoleSettings(oidc={"x": OidcProvider(issuer="http://a", client_id="c")}), r"oidc\.x"),
    ],
)
def test_providers_that_do_not_go_together_are_refused_by_name(
    settings: ConsoleSettings, named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        check_console(settings)
