"""The tables' history: Alembic migrations, run by the owner in one schema at a time.

Every table is made through `guarded_table`, so that none is without row security.
"""

from typing import Final

REVISION: Final = "0001"
"""The newest one: what this release reads and writes."""
