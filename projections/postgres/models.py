"""The tables of what happened: events with their content, runs, proposals, decisions, actions.

SQLAlchemy 2 models, without a schema's name: `live` is what readers see, `next` what is being
rebuilt beside it. Times are nanoseconds since the epoch, as in the events; digests are raw bytes;
indexes are the ledger's. Each table is held to its workspace by row security
(`projections.migrations`), so none is without `workspace_id`.
"""

from decimal import Decimal
from typing import Annotated, Any

from sqlalchemy import ARRAY, BigInteger, LargeBinary, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Key = Annotated[str, mapped_column(Text, primary_key=True)]
IndexKey = Annotated[int, mapped_column(BigInteger, primary_key=True, autoincrement=False)]
DigestKey = Annotated[bytes, mapped_column(LargeBinary, primary_key=True)]
Json = dict[str, Any]
Unsigned64 = Annotated[Decimal, mapped_column(Numeric(20))]
"""A number that whoever signs may choose: up to 2**64 - 1, which a bigint does not hold."""


class Base(DeclarativeBase):
    """Base of every table."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own way of saying it
        int: BigInteger,
        str: Text,
        bytes: LargeBinary,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[str]: ARRAY(Text),
        list[bytes]: ARRAY(LargeBinary),
    }


class Position(Base):
    """How far this projection has come; written in one transaction with what it is the end of."""

    __tablename__ = "position"
    workspace_id: Mapped[Key]
    index: Mapped[int]
    at: Mapped[int | None]
    applied_at: Mapped[int]


class SetAside(Base):
    """An entry that could not be projected: `reason` says why. Everything after it went on."""

    __tablename__ = "set_aside"
    workspace_id: Mapped[Key]
    index: Mapped[IndexKey]
    type: Mapped[str | None]
    digest: Mapped[bytes]
    reason: Mapped[str]
    at: Mapped[int]


class RejectedEntry(Base):
    """An entry of the stream that is no valid event; `leaf` is its RFC 6962 leaf hash."""

    __tablename__ = "rejected_entries"
    workspace_id: Mapped[Key]
    index: Mapped[IndexKey]
    leaf: Mapped[bytes]
    reason: Mapped[str]


class EventRow(Base):
    """Every valid event. `public` is its body but for content, which is in `contents`."""

    __tablename__ = "events"
    workspace_id: Mapped[Key]
    index: Mapped[IndexKey]
    id: Mapped[str] = mapped_column(index=True)
    digest: Mapped[bytes] = mapped_column(index=True)
    type: Mapped[str]
    run: Mapped[str | None] = mapped_column(index=True)
    actor_role: Mapped[str]
    actor: Mapped[str]
    at: Mapped[int]
    seen: Mapped[Unsigned64]
    classification: Mapped[str]
    causes: Mapped[list[bytes]]
    public: Mapped[Json]


class ContentRow(Base):
    """One content field of one event, as it was published: `plain`, or sealed under `key`.

    Where it was erased, `erased` is the index of the event that says so, and nothing is left.
    """

    __tablename__ = "contents"
    workspace_id: Mapped[Key]
    event: Mapped[Key]
    name: Mapped[Key]
    index: Mapped[int]
    run: Mapped[str | None]
    key: Mapped[str | None]
    nonce: Mapped[bytes | None]
    ciphertext: Mapped[bytes | None]
    plain: Mapped[bytes | None]
    erased: Mapped[int | None]


class Run(Base):
    """A run from its request to its end. `intent` is public: the rep's own words and bounds.

    `state` is requested, refused, leased, running, halted, or completed; `outcome` how it ended.
    """

    __tablename__ = "runs"
    workspace_id: Mapped[Key]
    run: Mapped[Key]
    rep: Mapped[str | None]
    agent: Mapped[str | None]
    intent: Mapped[Json | None]
    tools: Mapped[list[str] | None]
    request: Mapped[bytes | None]
    requested_at: Mapped[int | None]
    state: Mapped[str | None]
    policy: Mapped[int | None]
    attempt: Mapped[int | None]
    max_actions: Mapped[int | None]
    lease_from: Mapped[int | None]
    lease_until: Mapped[int | None]
    confined_by: Mapped[list[str] | None]
    started_at: Mapped[int | None]
    ended_at: Mapped[int | None]
    outcome: Mapped[str | None]
    reason: Mapped[str | None]
    index: Mapped[int | None] = mapped_column(index=True)


class Proposal(Base):
    """What a runtime wanted done. Its arguments and purpose are content, in `contents`.

    `state` is made, held, refused, started or finished.
    """

    __tablename__ = "proposals"
    workspace_id: Mapped[Key]
    digest: Mapped[DigestKey]
    index: Mapped[int | None] = mapped_column(index=True)
    event: Mapped[str | None]
    run: Mapped[str | None] = mapped_column(index=True)
    number: Mapped[Unsigned64 | None]
    tool: Mapped[str | None]
    at: Mapped[int | None]
    state: Mapped[str | None]


class VerdictRow(Base):
    """The judge's answer to one proposal."""

    __tablename__ = "verdicts"
    workspace_id: Mapped[Key]
    index: Mapped[IndexKey]
    proposal: Mapped[bytes] = mapped_column(index=True)
    run: Mapped[str | None]
    verdict: Mapped[str]
    reason: Mapped[str]
    question: Mapped[str]
    judge: Mapped[str]
    at: Mapped[int]


class DecisionRow(Base):
    """The gate's decision on one proposal: `started`, `refused`, or `held` for a person."""

    __tablename__ = "decisions"
    workspace_id: Mapped[Key]
    index: Mapped[IndexKey]
    proposal: Mapped[bytes] = mapped_column(index=True)
    run: Mapped[str | None] = mapped_column(index=True)
    tool: Mapped[str]
    decision: Mapped[str]
    reason: Mapped[str | None]
    fix: Mapped[str | None]
    at: Mapped[int]


class LayerRow(Base):
    """One of the 14 layers' words on one proposal; `index` is the decision's."""

    __tablename__ = "layers"
    workspace_id: Mapped[Key]
    index: Mapped[IndexKey]
    layer: Mapped[IndexKey]
    name: Mapped[str]
    result: Mapped[str]
    reason: Mapped[str]
    evidence: Mapped[str]
    fix: Mapped[str]


class Approval(Base):
    """What a person was asked. It waits while `decision` is null, `expires` is to come, and the
    run goes on."""

    __tablename__ = "approvals"
    workspace_id: Mapped[Key]
    proposal: Mapped[DigestKey]
    run: Mapped[str | None]
    tool: Mapped[str | None]
    question: Mapped[str | None]
    requested_at: Mapped[int | None]
    expires: Mapped[int | None]
    decision: Mapped[str | None]
    note: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[int | None]
    index: Mapped[int | None] = mapped_column(index=True)


class ActionRow(Base):
    """One effect, from its write-ahead on; `outcome` is null while it is under way."""

    __tablename__ = "actions"
    workspace_id: Mapped[Key]
    digest: Mapped[DigestKey]
    index: Mapped[int | None] = mapped_column(index=True)
    key: Mapped[str | None]
    proposal: Mapped[bytes | None] = mapped_column(index=True)
    run: Mapped[str | None] = mapped_column(index=True)
    tool: Mapped[str | None]
    arguments: Mapped[bytes | None]
    started_at: Mapped[int | None]
    outcome: Mapped[str | None]
    evidence: Mapped[bytes | None]
    detail: Mapped[str | None]
    reconciled: Mapped[bool | None]
    finished_at: Mapped[int | None]


class ReceiptRow(Base):
    """A receipt exactly as authenticated, with what it says in columns."""

    __tablename__ = "receipts"
    workspace_id: Mapped[Key]
    index: Mapped[IndexKey]
    action: Mapped[bytes] = mapped_column(index=True)
    run: Mapped[str]
    rep: Mapped[str]
    agent: Mapped[str]
    tool: Mapped[str]
    outcome: Mapped[str]
    receipt: Mapped[bytes]
    mac: Mapped[bytes]
    signature: Mapped[bytes]
    at: Mapped[int]


class ModelCall(Base):
    """What one call of a model took and cost (millionths of the policy's currency)."""

    __tablename__ = "model_calls"
    workspace_id: Mapped[Key]
    index: Mapped[IndexKey]
    run: Mapped[str | None] = mapped_column(index=True)
    request: Mapped[bytes]
    model: Mapped[str]
    input_tokens: Mapped[int]
    output_tokens: Mapped[int]
    cost: Mapped[int]
    error: Mapped[str]
    at: Mapped[int]
