"""The tables of what stands: policy, people, keys, halts, flags, destinations, memory, erasures.

Models as in `projections.postgres.models`. A row is the last word on its subject; the words
before it are among the events.
"""

from sqlalchemy.orm import Mapped, mapped_column

from projections.postgres.models import Base, IndexKey, Json, Key


class PolicyRow(Base):
    """One version of the workspace's signed rules, whole; budgets are in it."""

    __tablename__ = "policies"
    workspace_id: Mapped[Key]
    version: Mapped[IndexKey]
    index: Mapped[int]
    policy: Mapped[Json]
    at: Mapped[int]


class Rep(Base):
    """A person who may request runs while `active`."""

    __tablename__ = "reps"
    workspace_id: Mapped[Key]
    rep: Mapped[Key]
    active: Mapped[bool | None]
    reason: Mapped[str | None]
    at: Mapped[int | None]
    index: Mapped[int | None]


class KeyRow(Base):
    """A certified key and its holder, and its revocation."""

    __tablename__ = "keys"
    workspace_id: Mapped[Key]
    key_id: Mapped[bytes] = mapped_column(primary_key=True)
    role: Mapped[str | None]
    instance: Mapped[str | None]
    run: Mapped[str | None]
    rep: Mapped[str | None]
    public_key: Mapped[bytes | None]
    not_before: Mapped[int | None]
    not_after: Mapped[int | None]
    index: Mapped[int | None]
    revoked: Mapped[int | None]
    reason: Mapped[str | None]


class Halt(Base):
    """The halt of one scope and target: it stands unless `released` comes after `engaged`.

    Both are ledger indexes. `target` names a run, rep or agent; it is empty for all of them.
    """

    __tablename__ = "halts"
    workspace_id: Mapped[Key]
    scope: Mapped[Key]
    target: Mapped[Key]
    engaged: Mapped[int | None]
    engaged_by: Mapped[str | None]
    engaged_at: Mapped[int | None]
    reason: Mapped[str | None]
    released: Mapped[int | None]
    released_by: Mapped[str | None]
    released_at: Mapped[int | None]
    released_because: Mapped[str | None]


class Flag(Base):
    """A pattern that the supervisor saw met; `evidence` are digests of the events that met it."""

    __tablename__ = "flags"
    workspace_id: Mapped[Key]
    index: Mapped[IndexKey]
    pattern: Mapped[str]
    response: Mapped[str]
    scope: Mapped[str]
    target: Mapped[str]
    reason: Mapped[str]
    evidence: Mapped[list[bytes]]
    at: Mapped[int]


class Destination(Base):
    """What the last look at a watched domain, or an entry's end, showed."""

    __tablename__ = "destinations"
    workspace_id: Mapped[Key]
    destination: Mapped[Key]
    state: Mapped[str | None]
    fingerprint: Mapped[bytes | None]
    owner: Mapped[Json | None]
    what: Mapped[str | None]
    at: Mapped[int | None]
    index: Mapped[int | None]


class MemoryClaim(Base):
    """A claim of the workspace's memory. Its text is content, in `contents` under `event`.

    `state` is retained, forgotten, withdrawn or erased.
    """

    __tablename__ = "memory_claims"
    workspace_id: Mapped[Key]
    claim: Mapped[Key]
    event: Mapped[str | None] = mapped_column(index=True)
    run: Mapped[str | None]
    rep: Mapped[str | None]
    agent: Mapped[str | None]
    trust: Mapped[str | None]
    sensitivity: Mapped[str | None]
    state: Mapped[str | None]
    at: Mapped[int | None]
    index: Mapped[int | None]


class Erasure(Base):
    """A content field whose key was destroyed; `index` is the event that says so."""

    __tablename__ = "erasures"
    workspace_id: Mapped[Key]
    event: Mapped[Key]
    name: Mapped[Key]
    run: Mapped[str]
    index: Mapped[int]


metadata = Base.metadata
"""Every table, those of `projections.postgres.models` among them."""
