"""Runs put by and taken out, and a view kept and brought back: what is shown is the same."""

from pathlib import Path

import msgspec
import pytest

from bus.errors import BadSnapshot
from console.view.fold import fold, skip
from console.view.keeping import brought_back, kept
from console.view.shelf import HeldRows, Rows, RunShelf
from console.view.state import Workspace
from console.web.shelved import StoredRows
from crypto.errors import Rejected
from crypto.trust import Trust
from ledger.export import ExportedEntry
from schemas.actions import ActionOutcome
from tests.stories import REQUEST as STORY_REQUEST
from tests.stories import Story

KEY = bytes(range(32))


def told() -> Story:
    """Some runs one after the other, two at once, one that is never answered, and late words."""
    story = Story("acme")
    story.found()
    waiting = story.begin("r-waits")
    story.put("ws.acme.admin.key", b"junk")
    held = waiting.propose()
    waiting.give(held)
    waiting.ask(held)
    for number in range(6):
        run = story.begin(f"r-{number}")
        proposals, receipts = [], []
        for _ in range(3):
            proposal = run.propose()
            run.give(proposal)
            action = run.start(proposal)
            receipts.append(run.receipt(action, run.finish(action)))
            proposals.append(proposal)
        run.claim(*proposals)
        run.complete(*receipts)
    return story


STORY = told()


def folded(view: Workspace, entries: list[ExportedEntry]) -> Workspace:
    trust = Trust(STORY.workspace, STORY.signers["root"].public)
    for entry in STORY.entries:
        try:
            verified = trust.accept(entry.subject, entry.body)
        except Rejected:
            if entry in entries:
                skip(view, entry.index)
            continue
        if entry in entries:
            fold(view, entry.index, verified)
    return view


def shown(view: Workspace) -> object:
    """All that a page could show of it, as plain data."""
    runs = [
        {
            field: getattr(run, field)
            for field in (
                *type(run).__struct_fields__,
                "lease",
                "steps",
                "actions",
                "moments",
                "observations",
            )
            if field not in ("held", "put_by", "take")
        }
        for run in view.runs.values()
    ]
    rest = {
        field: getattr(view, field)
        for field in Workspace.__struct_fields__
        if field not in ("runs", "shelf")
    }
    return msgspec.to_builtins((runs, rest), str_keys=True, enc_hook=repr)


WHOLE = folded(Workspace("acme"), STORY.entries)


@pytest.fixture(params=["memory", "disk"])
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> Rows:
    return HeldRows() if request.param == "memory" else StoredRows(tmp_path / "r", KEY, "acme")


def test_a_view_that_puts_runs_by_shows_the_same(rows: Rows) -> None:
    view = Workspace("acme", shelf=RunShelf(rows, at_hand=1))
    folded(view, STORY.entries)
    assert [run.name for run in view.runs.values() if run.held is None] == [
        f"r-{number}" for number in range(5)
    ]
    for run in WHOLE.runs.values():
        for digest in run.steps:
            found = view.step(digest)
            assert found is not None and found.run == run.name
    assert view.step(bytes(32)) is None
    assert shown(view) == shown(WHOLE)


def test_what_is_said_late_of_a_run_put_by_is_kept(rows: Rows) -> None:
    view = Workspace("acme", shelf=RunShelf(rows, at_hand=1))
    folded(view, STORY.entries)
    step = next(iter(view.runs["r-0"].steps.values()))
    assert step.finished is not None and step.finished.outcome is ActionOutcome.CONFIRMED
    count = len(view.runs["r-0"].moments)
    view.runs["r-0"].moments.append(view.runs["r-0"].moments[-1])
    assert view.shelf is not None
    view.shelf.touch(view, view.runs["r-0"], changed=True)
    for number in range(1, 4):
        assert view.runs[f"r-{number}"].steps
    assert view.runs["r-0"].held is None
    assert len(view.runs["r-0"].moments) == count + 1


@pytest.mark.parametrize("at", [1, 20, 60, len(STORY.entries) - 1, len(STORY.entries)])
def test_a_view_brought_back_goes_on_as_if_it_had_never_been_away(rows: Rows, at: int) -> None:
    before = Workspace("acme", shelf=RunShelf(rows, at_hand=1))
    folded(before, STORY.entries[:at])
    after = brought_back(kept(before), RunShelf(rows, at_hand=1))
    assert shown(after) == shown(before)
    assert [step.digest for step in after.questions()] == [
        step.digest for step in before.questions()
    ]
    folded(after, STORY.entries[at:])
    assert shown(after) == shown(WHOLE)
    for step in after.asked.values():
        assert after.step(step.digest) is step


def test_a_snapshot_of_an_earlier_index_finds_what_it_knew_and_what_came_after_is_gone(
    tmp_path: Path,
) -> None:
    rows = StoredRows(tmp_path / "r", KEY, "acme")
    view = Workspace("acme", shelf=RunShelf(rows, at_hand=1))
    folded(view, STORY.entries[:90])
    data, put_by = kept(view), [(r.name, r.put_by) for r in view.runs.values() if r.held is None]
    assert put_by
    folded(view, STORY.entries[90:])
    rows.prune(90)
    rows.close()
    rows = StoredRows(tmp_path / "r", KEY, "acme")
    rows.cut(90, put_by)
    again = brought_back(data, RunShelf(rows, at_hand=1))
    assert shown(folded(again, STORY.entries[90:])) == shown(WHOLE)
    rows.cut(0)
    with pytest.raises(BadSnapshot, match="is not there"):
        rows.cut(90, put_by)


def test_a_row_that_was_changed_or_exchanged_is_refused(tmp_path: Path) -> None:
    rows = StoredRows(tmp_path / "r", KEY, "acme")
    rows.put("r-1", 7, b"one", (b"d" * 32,))
    assert rows.get("r-1", 7) == b"one" and rows.run_of(b"d" * 32) == "r-1"
    rows.close()
    for other, workspace in ((bytes(32), "acme"), (KEY, "zenith")):
        stranger = StoredRows(tmp_path / "r", other, workspace)
        with pytest.raises(BadSnapshot, match="was changed"):
            stranger.get("r-1", 7)
        stranger.close()


def test_bytes_that_are_no_view_are_refused() -> None:
    with pytest.raises(BadSnapshot, match="no view"):
        brought_back(b"\x93\x01\x02\x03", RunShelf())


def test_what_runs_have_alike_is_held_once_also_in_a_view_that_was_brought_back() -> None:
    view = folded(Workspace(name="acme"), STORY.entries)
    for shown in (view, brought_back(kept(view), RunShelf(HeldRows()))):
        one, other = (shown.runs[name] for name in ("r-0", "r-1"))
        assert one.request.tools is other.request.tools
        assert one.request.intent.objects is other.request.intent.objects
        assert one.reason is other.reason
        assert one.request == STORY_REQUEST


def test_a_run_is_found_by_words_of_its_own_in_any_case() -> None:
    run = folded(Workspace(name="acme"), STORY.entries).runs["r-3"]
    summary = STORY_REQUEST.intent.summary
    assert all(run.mentions(words) for words in ("", "r-3", STORY_REQUEST.rep, summary.casefold()))
    assert not run.mentions("r-4")
