"""The first tables: what happened, and what stands.

Revision ID: 0001
"""

from projections.migrations.guard import guarded_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every table of `projections.postgres.models` and `.standing`."""
    guarded_table(
        "position",
        "index bigint required", "at bigint", "applied_at bigint required",
    )  # fmt: skip
    guarded_table(
        "set_aside",
        "index bigint key", "type text", "digest bytea required", "reason text required",
        "at bigint required",
    )  # fmt: skip
    guarded_table(
        "rejected_entries",
        "index bigint key", "leaf bytea required", "reason text required",
    )  # fmt: skip
    guarded_table(
        "events",
        "index bigint key", "id text required indexed", "digest bytea required indexed",
        "type text required", "run text indexed", "actor_role text required",
        "actor text required", "at bigint required", "seen numeric required",
        "classification text required", "causes bytea[] required", "public jsonb required",
    )  # fmt: skip
    guarded_table(
        "contents",
        "event text key", "name text key", "index bigint required", "run text", "key text",
        "nonce bytea", "ciphertext bytea", "plain bytea", "erased bigint",
    )  # fmt: skip
    guarded_table(
        "runs",
        "run text key", "rep text", "agent text", "intent jsonb", "tools text[]",
        "request bytea", "requested_at bigint", "state text", "policy bigint",
        "attempt bigint", "max_actions bigint", "lease_from bigint", "lease_until bigint",
        "confined_by text[]", "started_at bigint", "ended_at bigint", "outcome text",
        "reason text", "index bigint indexed",
    )  # fmt: skip
    guarded_table(
        "proposals",
        "digest bytea key", "index bigint indexed", "event text", "run text indexed",
        "number numeric", "tool text", "at bigint", "state text",
    )  # fmt: skip
    guarded_table(
        "verdicts",
        "index bigint key", "proposal bytea required indexed", "run text",
        "verdict text required", "reason text required", "question text required",
        "judge text required", "at bigint required",
    )  # fmt: skip
    guarded_table(
        "decisions",
        "index bigint key", "proposal bytea required indexed", "run text indexed",
        "tool text required", "decision text required", "reason text", "fix text",
        "at bigint required",
    )  # fmt: skip
    guarded_table(
        "layers",
        "index bigint key", "layer bigint key", "name text required", "result text required",
        "reason text required", "evidence text required", "fix text required",
    )  # fmt: skip
    guarded_table(
        "approvals",
        "proposal bytea key", "run text", "tool text", "question text", "requested_at bigint",
        "expires bigint", "decision text", "note text", "decided_by text", "decided_at bigint",
        "index bigint indexed",
    )  # fmt: skip
    guarded_table(
        "actions",
        "digest bytea key", "index bigint indexed", "key text", "proposal bytea indexed",
        "run text indexed", "tool text", "arguments bytea", "started_at bigint",
        "outcome text", "evidence bytea", "detail text", "reconciled boolean",
        "finished_at bigint",
    )  # fmt: skip
    guarded_table(
        "receipts",
        "index bigint key", "action bytea required indexed", "run text required",
        "rep text required", "agent text required", "tool text required",
        "outcome text required", "receipt bytea required", "mac bytea required",
        "signature bytea required", "at bigint required",
    )  # fmt: skip
    guarded_table(
        "model_calls",
        "index bigint key", "run text indexed", "request bytea required",
        "model text required", "input_tokens bigint required", "output_tokens bigint required",
        "cost bigint required", "error text required", "at bigint required",
    )  # fmt: skip
    guarded_table(
        "policies",
        "version bigint key", "index bigint required", "policy jsonb required",
        "at bigint required",
    )  # fmt: skip
    guarded_table(
        "reps",
        "rep text key", "active boolean", "reason text", "at bigint", "index bigint",
    )  # fmt: skip
    guarded_table(
        "keys",
        "key_id bytea key", "role text", "instance text", "run text", "rep text",
        "public_key bytea", "not_before bigint", "not_after bigint", "index bigint",
        "revoked bigint", "reason text",
    )  # fmt: skip
    guarded_table(
        "halts",
        "scope text key", "target text key", "engaged bigint", "engaged_by text",
        "engaged_at bigint", "reason text", "released bigint", "released_by text",
        "released_at bigint", "released_because text",
    )  # fmt: skip
    guarded_table(
        "flags",
        "index bigint key", "pattern text required", "response text required",
        "scope text required", "target text required", "reason text required",
        "evidence bytea[] required", "at bigint required",
    )  # fmt: skip
    guarded_table(
        "destinations",
        "destination text key", "state text", "fingerprint bytea", "owner jsonb", "what text",
        "at bigint", "index bigint",
    )  # fmt: skip
    guarded_table(
        "memory_claims",
        "claim text key", "event text indexed", "run text", "rep text", "agent text",
        "trust text", "sensitivity text", "state text", "at bigint", "index bigint",
    )  # fmt: skip
    guarded_table(
        "erasures",
        "event text key", "name text key", "run text required", "index bigint required",
    )  # fmt: skip
