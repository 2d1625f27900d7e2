"""The PostgreSQL store: what it holds, that repeating changes nothing, and what it sets aside."""

from collections.abc import Iterator

import msgspec
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from bus.decider import Entry, Recorded
from projections.errors import PositionMoved
from projections.folds import rows_of
from projections.postgres.provision import LIVE
from projections.postgres.standing import metadata
from projections.rows import Row
from schemas.actions import ReceiptIssued
from schemas.erasure import ContentErased, ContentField
from schemas.runs import RunRequested
from tests.ledgers import small_ledger
from tests.process.projections.conftest import (
    ACME,
    Database,
    Enter,
    Open,
    empty,
    everything,
    table,
)
from tests.projected import entries_of
from tests.scenery import REQUEST
from tests.stories import Story


def one_by_one(entries: list[Entry]) -> Iterator[list[Entry]]:
    return ([entry] for entry in entries)


def test_a_ledger_is_found_in_the_tables_with_each_run_proposal_action_and_receipt(
    stores: Open, enter: Enter
) -> None:
    ledger = small_ledger(runs=2)
    stores().apply(entries_of(ledger))
    assert [row["type"] for row in table(enter, "events")] == ledger.events()
    runs = table(enter, "runs")
    assert [(r["run"], r["state"], r["outcome"], r["rep"]) for r in runs] == [
        ("r-1", "completed", "success", "ann"),
        ("r-2", "completed", "success", "ann"),
    ]
    assert {(a["run"], a["outcome"]) for a in table(enter, "actions")} == {
        ("r-1", "confirmed"),
        ("r-2", "confirmed"),
    }
    assert [p["state"] for p in table(enter, "proposals")] == ["finished", "finished"]
    assert len(table(enter, "receipts")) == len(table(enter, "verdicts")) == 2
    assert [p["index"] for p in table(enter, "position")] == [len(ledger.entries)]


def test_content_stays_sealed_as_it_was_published(stores: Open, enter: Enter) -> None:
    stores().apply(entries_of(small_ledger()))
    contents = table(enter, "contents")
    assert {row["name"] for row in contents} == {"arguments", "purpose", "result", "summary"}
    assert all(row["ciphertext"] and row["plain"] is None for row in contents)
    assert all(
        "arguments" not in row["public"]
        for row in table(enter, "events")
        if row["type"] == "proposal.made"
    )


def test_the_same_tables_come_of_one_batch_of_many_and_of_entries_given_twice(
    database: Database, stores: Open, enter: Enter
) -> None:
    story = Story(ACME)
    story.found()
    run = story.begin("r-1")
    proposal = run.propose()
    run.ask(proposal)
    run.answer(proposal)
    run.receipt(action := run.start(proposal), run.finish(action))
    run.say("ann", msgspec.structs.replace(REQUEST, agent="another"))
    run.complete()
    entries = entries_of(story.ledger())
    stores().apply(entries)
    whole = everything(enter)
    [asked] = whole["runs"]
    assert (asked["agent"], asked["state"]) == (REQUEST.agent, "completed")
    with psycopg.connect(database.superuser().conninfo()) as connection:
        empty(connection)
    store = stores()
    for batch in one_by_one(entries):
        store.apply(batch)
        store.apply(batch)
    store.apply(entries)
    assert everything(enter) == whole


def test_a_later_incarnation_goes_on_where_the_last_one_ended(stores: Open, enter: Enter) -> None:
    entries = entries_of(small_ledger())
    stores().apply(entries[:9])
    later = stores()
    assert later.position() == 9
    later.apply(entries)
    assert len(table(enter, "events")) == len(entries)


def test_two_projectors_on_one_schema_do_not_write_twice(stores: Open) -> None:
    entries = entries_of(small_ledger())
    one, other = stores(), stores()
    one.position()
    other.position()
    one.apply(entries[:9])
    with pytest.raises(PositionMoved):
        other.apply(entries[:9])


def test_what_a_fold_cannot_take_is_set_aside_and_the_rest_goes_on(
    stores: Open, enter: Enter, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(recorded: Recorded) -> list[Row]:
        if recorded.event.type == "verdict.given":
            raise KeyError("a bug of ours")
        return list(rows_of(recorded))

    entries = entries_of(small_ledger())
    stores(fold=breaks).apply(entries)
    [aside] = table(enter, "set_aside")
    assert (aside["type"], aside["reason"]) == ("verdict.given", "KeyError: 'a bug of ours'")
    assert table(enter, "events")[aside["index"] - 1]["digest"] == aside["digest"]
    assert [row["state"] for row in table(enter, "runs")] == ["completed"]
    assert f"entry {aside['index']} cannot be projected" in caplog.text


def test_a_receipt_that_is_none_and_a_number_beyond_any_column_are_set_aside_with_their_events(
    stores: Open, enter: Enter
) -> None:
    story = Story(ACME)
    story.found()
    run = story.begin("r-1")
    poison = run.say("sidecar", ReceiptIssued(receipt=b"none", mac=bytes(32), signature=bytes(64)))
    vast = story.say(
        "ann",
        RunRequested(
            rep="ann", agent="a", intent=REQUEST.intent, tools=(), ttl_s=1, max_actions=2**64 - 1
        ),
        run="r-2",
    )
    run.act()
    entries = entries_of(story.ledger())
    stores().apply(entries)
    assert [row["index"] for row in table(enter, "set_aside")] == [poison.index, vast.index]
    assert len(table(enter, "events")) == len(entries)
    assert len(table(enter, "receipts")) == 1


def test_text_that_the_database_cannot_store_is_projected_all_the_same(
    stores: Open, enter: Enter
) -> None:
    story = Story(ACME)
    story.found()
    story.say(
        "ann",
        msgspec.structs.replace(
            REQUEST, intent=msgspec.structs.replace(REQUEST.intent, summary="a\x00b \\u0000")
        ),
        run="r-9",
    )
    stores().apply(entries_of(story.ledger()))
    assert table(enter, "set_aside") == []
    [run] = table(enter, "runs")
    assert run["intent"]["summary"] == "a\u2400b \\u0000"


def test_entries_that_are_no_events_are_in_a_table_of_their_own(stores: Open, enter: Enter) -> None:
    story = Story(ACME)
    story.found()
    index = story.put("ws.acme.admin.key", b"garbage")
    stores().apply(entries_of(story.ledger()))
    [rejected] = table(enter, "rejected_entries")
    assert rejected["index"] == index


def test_what_was_erased_leaves_the_store_in_one_batch_and_in_two(
    stores: Open, enter: Enter
) -> None:
    story = Story(ACME)
    story.found()
    run = story.begin("r-1")
    first, second = run.propose(), run.propose()
    for proposal in (first, second):
        field = ContentField(run="r-1", event=proposal.event.id, name="arguments")
        story.say("ada", ContentErased(fields=(field,), reason="asked"))
    entries = entries_of(story.ledger())
    store = stores()
    store.apply(entries[: second.index])
    store.apply(entries)
    rows = {(row["event"], row["name"]): row for row in table(enter, "contents")}
    for proposal in (first, second):
        gone, kept = (rows[(proposal.event.id, name)] for name in ("arguments", "purpose"))
        assert gone["erased"] > second.index
        assert [gone[c] for c in ("key", "nonce", "ciphertext", "plain")] == [None] * 4
        assert kept["ciphertext"] is not None and kept["erased"] is None
    assert len(table(enter, "erasures")) == 2


def test_models_and_migrations_describe_the_same_tables(database: Database) -> None:
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(database.superuser().conninfo())
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(f"SET search_path TO {LIVE}")
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
