"""How the projection stands, as the console's login sees it."""

from typing import Any

import psycopg
from msgspec import Struct

from projections.errors import StoreFailed
from projections.postgres.login import SETTING, Login


class Aside(Struct, frozen=True):
    """An entry that was set aside."""

    index: int
    type: str | None
    reason: str


class Standing(Struct, frozen=True):
    """`index` is how far it has come, `at` that entry's time and `applied_at` when it was taken
    (ns since the epoch, 0 where there is none)."""

    index: int
    at: int
    applied_at: int
    rejected: int
    set_aside: tuple[Aside, ...]


def standing(login: Login, workspace: str) -> Standing:
    """How one workspace's projection stands. Raises `StoreFailed`."""
    try:
        with psycopg.connect(login.conninfo()) as connection:
            connection.execute("SELECT set_config(%s, %s, true)", (SETTING, workspace))
            position = connection.execute('SELECT "index", at, applied_at FROM position').fetchone()
            asides = connection.execute(
                'SELECT "index", type, reason FROM set_aside ORDER BY "index"'
            ).fetchall()
            [[rejected]] = connection.execute("SELECT count(*) FROM rejected_entries").fetchall()
    except psycopg.Error as error:
        words = str(error).strip().partition("\n")[0]
        raise StoreFailed(f"PostgreSQL does not answer: {words}", fix="is `anyteam up`?") from error
    index, at, applied = _numbers(position)
    return Standing(index, at, applied, int(rejected), tuple(Aside(*row) for row in asides))


def _numbers(position: tuple[Any, ...] | None) -> tuple[int, int, int]:
    if position is None:
        return 0, 0, 0
    return int(position[0]), int(position[1] or 0), int(position[2])
