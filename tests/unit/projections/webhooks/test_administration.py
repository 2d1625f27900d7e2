"""Adding and replaying: what is out of form is told with its field, and nothing is kept of it."""

from pathlib import Path
from typing import Any

import pytest

from projections.webhooks.administration import (
    add_endpoint,
    replay_dead,
    replay_from,
    rotate_secret,
)
from projections.webhooks.endpoint import DeadLetter, Step, TlsChoice
from projections.webhooks.errors import NothingToReplay
from projections.webhooks.filters import Filter
from projections.webhooks.progress import Progress
from projections.webhooks.sealed import open_secret
from projections.webhooks.store import Store
from schemas.errors import AnyTeamError
from schemas.names import SECOND
from schemas.settings import WebhookSettings

KEY, NOW = b"\x01" * 32, 1_800_000_000 * SECOND
URL = "https://hooks.example.com/"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "webhooks.sqlite", "acme")


def add(store: Store, **changes: Any) -> str:
    private = changes.pop("private", ())
    return add_endpoint(
        store,
        KEY,
        "acme",
        WebhookSettings(private=private),
        **{
            "name": "crm",
            "url": URL,
            "chosen": Filter(),
            "tls": TlsChoice(),
            "start": None,
            "secret": "",
            "now": NOW,
            **changes,
        },
    )


def test_an_endpoint_is_kept_with_the_secret_that_is_told(store: Store) -> None:
    secret = add(store)
    kept = store.get("crm")
    assert open_secret(kept.secrets[0].sealed, KEY, "acme", "crm") == secret
    assert kept.progress == Progress(after=None)


def test_a_begin_in_the_ledger_is_the_first_entry_that_is_sent(store: Store) -> None:
    add(store, start=7)
    assert store.get("crm").progress.after == 6


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("url", {"url": "https://169.254.169.254/"}),
        ("url", {"url": "http://127.0.0.1/"}),
        ("url", {"url": "ftp://hooks.example.com/"}),
        ("url", {"url": "http://93.184.216.34/", "private": ("127.0.0.1",)}),
        ("endpoint", {"name": "New One"}),
        ("ca", {"tls": TlsChoice(roots="/nowhere.pem")}),
        ("client-cert", {"tls": TlsChoice(certificate="/nowhere.pem")}),
        ("secret", {"secret": "whsec_short"}),
    ],
)
def test_what_is_out_of_form_is_told_with_its_field(
    store: Store, field: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(AnyTeamError) as caught:
        add(store, **changes)
    assert field in caught.value.what
    assert caught.value.fix
    assert store.endpoints() == ()


def test_an_address_that_the_settings_name_may_be_added(store: Store) -> None:
    add(store, url="http://127.0.0.1:8080/hook", private=("127.0.0.0/8",))
    assert store.get("crm").endpoint.url == "http://127.0.0.1:8080/hook"


def test_a_rotation_keeps_the_old_secret_for_its_overlap(store: Store) -> None:
    old = add(store)
    new = rotate_secret(store, KEY, "acme", "crm", overlap_s=60, now=NOW)
    assert new != old
    kept = store.get("crm").secrets
    opened = [(open_secret(one.sealed, KEY, "acme", "crm"), one.until) for one in kept]
    assert opened == [(new, None), (old, NOW + 60 * SECOND)]


def test_dead_letters_are_sent_again_all_or_those_chosen(store: Store) -> None:
    add(store, start=1)
    letters = tuple(
        DeadLetter(index=index, type="run.started", at=1, attempts=5, reason="answered 422")
        for index in (3, 5, 8)
    )
    store.keep([Step(name="crm", generation=1, progress=Progress(after=9), dead=letters)])
    assert replay_dead(store, "crm", [5]) == (5,)
    assert store.get("crm").progress.again == (5,)
    assert replay_dead(store, "crm", []) == (3, 5, 8)
    assert store.get("crm").progress.again == (3, 5, 8)
    with pytest.raises(NothingToReplay):
        replay_dead(store, "crm", [4])


def test_a_replay_goes_back_to_any_index_and_never_before_the_first(store: Store) -> None:
    add(store, start=30)
    assert replay_from(store, "crm", 4).progress.after == 3
    with pytest.raises(NothingToReplay):
        replay_from(store, "crm", 0)
