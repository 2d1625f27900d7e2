"""Rebuilt beside what is in use, and switched to at once: readers see one or the other."""

import psycopg
import pytest

from projections.errors import Behind, NoProjection, PositionMoved
from projections.folds import rows_of
from projections.postgres.generations import prepare, switch
from projections.postgres.provision import NEXT
from projections.postgres.status import standing
from tests.ledgers import small_ledger
from tests.process.projections.conftest import ACME, RIVAL, Database, Enter, Open
from tests.projected import entries_of


def count(enter: Enter, query: bytes = b"SELECT count(*) FROM events", of: str = ACME) -> int:
    with enter("console", of, setting=of) as connection:
        [[found]] = connection.execute(query).fetchall()
        return int(found)


def test_a_rebuilt_projection_takes_over_once_it_holds_as_much_of_every_workspace(
    database: Database, stores: Open, enter: Enter
) -> None:
    admin = database.superuser()
    entries = entries_of(small_ledger(runs=2))
    rivals = entries_of(small_ledger(RIVAL))

    def without_verdicts(recorded: object) -> list[object]:
        return [row for row in rows_of(recorded) if row.table != "verdicts"]  # type: ignore[arg-type]

    live = stores(fold=without_verdicts)
    live.apply(entries[:30])
    stores(RIVAL).apply(rivals)
    with pytest.raises(NoProjection):
        switch(admin)
    prepare(admin)
    rebuilt = stores(schema=NEXT)
    assert rebuilt.position() == 0
    rebuilt.apply(entries[:20])
    with pytest.raises(Behind, match="acme is at entry 20, the live one at 30"):
        switch(admin)
    rebuilt.apply(entries)
    with pytest.raises(Behind, match="rival is at entry 0"):
        switch(admin)
    stores(RIVAL, schema=NEXT).apply(rivals)
    assert count(enter, b"SELECT count(*) FROM verdicts") == 0
    switch(admin)
    assert count(enter) == len(entries)
    assert count(enter, of=RIVAL) == len(rivals)
    assert count(enter, b"SELECT count(*) FROM verdicts") == 2
    # The projector of what is retired wrote thirty entries, and finds all of them.
    with pytest.raises(PositionMoved):
        live.apply(entries)
    assert standing(database.login("console"), ACME).index == len(entries)


def test_a_connection_that_was_open_during_the_switch_reads_and_writes_the_new_one(
    database: Database, stores: Open, enter: Enter
) -> None:
    admin = database.superuser()
    entries = entries_of(small_ledger())
    reader = enter(setting=ACME)
    reader.prepare_threshold = 0
    live = stores()
    live.apply(entries[:20])
    for _ in range(2):
        assert reader.execute("SELECT count(*) FROM events").fetchall() == [(20,)]
    prepare(admin)
    stores(schema=NEXT).apply(entries[:20])
    switch(admin)
    live.apply(entries)
    assert reader.execute("SELECT count(*) FROM events").fetchall() == [(len(entries),)]
    with psycopg.connect(database.superuser().conninfo()) as connection:
        assert connection.execute("SELECT count(*) FROM retired.events").fetchall() == [(20,)]
