"""Making a table that no login can use to look into another workspace.

Row security is enabled and forced, so that it holds for the owner too. A row is seen and written
only where the session's setting names its workspace *and* the login that opened the session is
that workspace's (`tenancy.logins`): a setting can be forged, `session_user` cannot.
Source: PostgreSQL 18 documentation, section 5.9.
"""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

RULE: Final = (
    "workspace_id = current_setting('app.workspace', true) AND workspace_id ="
    " (SELECT l.workspace_id FROM tenancy.logins l WHERE l.login = session_user)"
)
_TYPES: Final[dict[str, Any]] = {
    "text": sa.Text(),
    "bigint": sa.BigInteger(),
    "numeric": sa.Numeric(20),
    "bytea": sa.LargeBinary(),
    "boolean": sa.Boolean(),
    "jsonb": JSONB(),
    "text[]": ARRAY(sa.Text()),
    "bytea[]": ARRAY(sa.LargeBinary()),
}


def guarded_table(name: str, *columns: str) -> None:
    """A table with `workspace_id` before `columns`, each "name type [key|required] [indexed]"."""
    made = [sa.Column("workspace_id", sa.Text(), nullable=False)]
    keys, indexed = ["workspace_id"], []
    for column in columns:
        title, kind, *marks = column.split()
        made.append(sa.Column(title, _TYPES[kind], nullable=not {"key", "required"} & set(marks)))
        keys += [title] if "key" in marks else []
        indexed += [title] if "indexed" in marks else []
    op.create_table(name, *made, sa.PrimaryKeyConstraint(*keys))
    for title in indexed:
        op.create_index(f"ix_{name}_{title}", name, [title])
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY workspace ON {name} USING ({RULE}) WITH CHECK ({RULE})")
    op.execute(f"GRANT SELECT ON {name} TO console")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {name} TO projector")
