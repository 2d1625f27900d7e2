"""The peers' side, in the peers' own environment: `python worker.py`, options as JSON on stdin.

For each system: the median time of one policy decision (µs), entries appended a second with one
fsync each, and which manipulations its own verification finds. A system without a policy or without
verification has null there. Each is used as its own documentation has it, but for the fsync.
"""

import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from floor import fsync_per_s
from spoiling import ALL, KINDS, OTHER, WORD

KEY = b"the key that signs and verifies!"
KEPT = 40
"""Entries in the log that is manipulated."""
YAML = """\
apiVersion: governance.toolkit/v1
name: mail
agents: ["*"]
default_action: deny
rules:
  - {name: halted, condition: "run.halted == 'yes'", action: deny, priority: 100}
  - {name: confidential, condition: "data.tag == 'RESTRICTED'", action: deny, priority: 90}
  - {name: payments, condition: "action.type == 'payment'", action: require_approval, priority: 80}
  - {name: known, condition: "action.domain in ['boeing.example', 'acme.example']", action: allow}
"""

Verify = Callable[[], bool]


def work(number: int) -> dict[str, Any]:
    """One entry's content: the call that ours decides on and records, too."""
    return {
        "to": "jane.doe@boeing.example",
        "subject": f"Your delivery dates, part {number}",
        "text": f"Dear Jane, the seats will arrive in week {number % 50} and the galley {number} "
        "days later. Please tell us whether that suits your hangar. Best, Ann",
        "purpose": WORD,
    }


def median_us(decide: Callable[[int], object], times: int) -> float:
    """The median of one call."""
    taken = []
    for number in range(times):
        started = time.perf_counter()
        decide(number)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1e6


def rate(append: Callable[[int], object], times: int) -> float:
    """Calls a second."""
    append(0)
    started = time.perf_counter()
    for number in range(1, times + 1):
        append(number)
    return times / (time.perf_counter() - started)


def synced(path: Path) -> None:
    """What was written to the file is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def found(
    records: Sequence[Any],
    put: Callable[[Sequence[Any]], None],
    rebuild: Callable[[], None],
    sound: Verify,
) -> dict[str, bool]:
    """Which manipulations the system's own verification finds; the untouched log must be sound."""
    put(records)
    assert sound()
    verdict = {}
    for kind in ALL:
        if kind == "rebuilt":
            rebuild()
        elif kind == "edited":
            middle = len(records) // 2
            put([*records[:middle], changed(records[middle]), *records[middle + 1 :]])
        else:
            put(KINDS[kind](records))
        verdict[kind] = not sound()
    return verdict


def changed(record: Any) -> Any:
    """The record with one word another."""
    if isinstance(record, bytes):
        return record.replace(WORD.encode(), OTHER.encode())
    if isinstance(record, str):
        return record.replace(WORD, OTHER)
    return tuple(changed(part) for part in record) if isinstance(record, tuple) else record


def agentmesh(folder: Path, options: dict[str, Any]) -> dict[str, Any]:
    """agentmesh-platform: `PolicyEngine` on YAML, `FileAuditSink` under HMAC."""
    from agentmesh.governance.audit import AuditEntry
    from agentmesh.governance.audit_backends import FileAuditSink
    from agentmesh.governance.policy import PolicyEngine

    engine = PolicyEngine()
    engine.load_yaml(YAML)

    def decide(number: int) -> None:
        context = {
            "action": {"type": "communication", "domain": "boeing.example"},
            "data": {"tag": "INTERNAL", **work(number)},
            "run": {"halted": "no"},
        }
        assert engine.evaluate("did:web:assistant", context).allowed

    def write(path: Path, count: int, purpose: str = WORD) -> None:
        path.unlink(missing_ok=True)
        sink = FileAuditSink(path, KEY)
        for number in range(count):
            sink.write(entry(number, purpose))

    def entry(number: int, purpose: str = WORD) -> AuditEntry:
        return AuditEntry(
            event_type="tool_invocation",
            agent_did="did:web:assistant",
            action="mail.send",
            data={**work(number), "purpose": purpose},
            policy_decision="allow",
        )

    path, kept = folder / "mesh.jsonl", folder / "mesh-kept.jsonl"
    sink = FileAuditSink(path, KEY)

    def append(number: int) -> None:
        sink.write(entry(number))
        synced(path)

    write(kept, KEPT)
    return {
        "policy_p50_us": median_us(decide, options["decisions"]),
        "append_per_s": rate(append, options["appends"]),
        "tamper_found": found(
            kept.read_bytes().splitlines(keepends=True),
            lambda lines: void(kept.write_bytes(b"".join(lines))),
            lambda: write(kept, KEPT, OTHER),
            lambda: FileAuditSink(kept, KEY).verify_integrity()[0],
        ),
    }


def agent_os(folder: Path, options: dict[str, Any]) -> dict[str, Any]:
    """agent-os-kernel: its control plane's `PolicyEngine` and `FlightRecorder` (SQLite)."""
    from agent_control_plane.flight_recorder import FlightRecorder
    from agent_control_plane.policy_engine import Condition, ConditionalPermission, PolicyEngine

    engine = PolicyEngine()
    engine.add_constraint("assistant", ["mail.read", "mail.send"])
    engine.add_conditional_permission(
        "assistant",
        ConditionalPermission(
            "mail.send",
            [
                Condition("args.domain", "in", ["boeing.example", "acme.example"]),
                Condition("args.classification", "ne", "RESTRICTED"),
                Condition("context.halted", "eq", "no"),
            ],
            require_all=True,
        ),
    )
    engine.set_agent_context("assistant", {"halted": "no"})

    def decide(number: int) -> None:
        arguments = {**work(number), "domain": "boeing.example", "classification": "INTERNAL"}
        violation = engine.check_violation("assistant", "mail.send", arguments)
        assert violation is None, violation

    def recorder(path: Path) -> Any:
        made = FlightRecorder(str(path), enable_batching=False)
        # Its own setting, NORMAL, syncs at checkpoints of the journal and not at each entry.
        made._get_connection().execute("PRAGMA synchronous=FULL")
        return made

    def start(into: Any, number: int, purpose: str = WORD) -> None:
        into.start_trace("assistant", "mail.send", {**work(number), "purpose": purpose}, "answer")

    def write(path: Path, purpose: str = WORD) -> None:
        for left in path.parent.glob(path.name + "*"):
            left.unlink()
        into = recorder(path)
        for number in range(KEPT):
            start(into, number, purpose)
        into.flush()
        into.close()

    kept = folder / "flight-kept.db"
    write(kept)
    with sqlite3.connect(kept) as database:
        rows = database.execute("SELECT * FROM audit_log ORDER BY id").fetchall()

    def put(records: Sequence[Any]) -> None:
        with sqlite3.connect(kept) as database:
            database.execute("DELETE FROM audit_log")
            holes = ",".join("?" * len(rows[0]))
            for number, row in enumerate(records, start=1):
                # A trace's id is unique; of one that is there twice the second has another.
                trace = row[1] if number == row[0] else f"{row[1]}-{number}"
                twice = [one for one in records if one[1] == row[1]]
                values = (number, trace if len(twice) > 1 else row[1], *row[2:])
                database.execute(f"INSERT INTO audit_log VALUES ({holes})", values)

    def sound() -> bool:
        into = recorder(kept)
        try:
            return bool(into.verify_integrity()["valid"])
        finally:
            into.close()

    live = recorder(folder / "flight.db")
    return {
        "policy_p50_us": median_us(decide, options["decisions"]),
        "append_per_s": rate(lambda number: start(live, number), options["appends"]),
        "tamper_found": found(rows, put, lambda: write(kept, OTHER), sound),
    }


def inter_agent(folder: Path, options: dict[str, Any]) -> dict[str, Any]:
    """inter-agent-trust-protocol: `IATPPolicyEngine` on manifests, `FlightRecorder`, a file."""
    from iatp.models import AgentCapabilities, CapabilityManifest, PrivacyContract, RetentionPolicy
    from iatp.policy_engine import IATPPolicyEngine
    from iatp.telemetry import FlightRecorder

    engine, recorder = IATPPolicyEngine(), FlightRecorder(folder / "iatp")
    manifest = CapabilityManifest(
        agent_id="assistant",
        capabilities=AgentCapabilities(),
        privacy_contract=PrivacyContract(retention=RetentionPolicy.EPHEMERAL),
        scopes=["mail:send"],
    )

    def decide(number: int) -> None:
        assert engine.validate_manifest(manifest)[0]

    def append(number: int) -> None:
        recorder.log_request("trace", "assistant", work(number), manifest)
        synced(folder / "iatp" / "trace.jsonl")

    return {
        "policy_p50_us": median_us(decide, options["decisions"]),
        "append_per_s": rate(append, options["appends"]),
        # Its log has no hashes and nothing that verifies it.
        "tamper_found": dict.fromkeys(ALL, False),
    }


def eventsourcing(folder: Path, options: dict[str, Any]) -> dict[str, Any]:
    """eventsourcing on PostgreSQL: an aggregate's events, a transaction for each."""
    import psycopg
    from eventsourcing.application import Application
    from eventsourcing.domain import Aggregate, event

    class Log(Aggregate):  # type: ignore[misc]
        @event("Recorded")  # type: ignore[untyped-decorator]
        def record(self, entry: dict[str, Any]) -> None:
            self.count = getattr(self, "count", 0) + 1

    where = options["postgres"]
    application: Any = Application(
        env={
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": where["dbname"],
            "POSTGRES_HOST": where["host"],
            "POSTGRES_PORT": str(where["port"]),
            "POSTGRES_USER": where["user"],
            "POSTGRES_PASSWORD": where["password"],
        }
    )
    live: Any = Log()

    def append(number: int) -> None:
        live.record(work(number))
        application.save(live)

    def write(purpose: str = WORD) -> Any:
        kept: Any = Log()
        for number in range(KEPT):
            kept.record({**work(number), "purpose": purpose})
        application.save(kept)
        return kept.id

    per_s = rate(append, options["appends"])
    kept = write()
    dsn = " ".join(f"{key}={value}" for key, value in where.items())
    table = "application_events"
    with psycopg.connect(dsn, autocommit=True) as database:
        of = (
            f"SELECT topic, state FROM {table} WHERE originator_id = %s ORDER BY originator_version"
        )
        rows = database.execute(of, (kept,)).fetchall()

        def put(records: Sequence[Any]) -> None:
            database.execute(f"DELETE FROM {table} WHERE originator_id = %s", (kept,))
            into = (
                f"INSERT INTO {table} (originator_id, originator_version, topic, state)"
                " VALUES (%s, %s, %s, %s)"
            )
            for number, (topic, state) in enumerate(records, start=1):
                database.execute(into, (kept, number, topic, state))

        def sound() -> bool:
            """It has no verification; what cannot be read back is noticed all the same."""
            try:
                application.repository.get(kept)
            except Exception:
                return False
            return True

        def rebuild() -> None:
            put([changed(row) for row in rows])

        tampered = found(rows, put, rebuild, sound)
    application.close()
    return {"policy_p50_us": None, "append_per_s": per_s, "tamper_found": tampered}


def void(_: object) -> None:
    """For its effect."""


SYSTEMS = {
    "agent-os-kernel": agent_os,
    "agentmesh-platform": agentmesh,
    "inter-agent-trust-protocol": inter_agent,
    "eventsourcing": eventsourcing,
}


def main() -> None:
    """All of them, one after another."""
    options = json.load(sys.stdin)
    with tempfile.TemporaryDirectory(prefix="peers-", dir=options["folder"]) as home:
        folder, figures = Path(home), {}
        for name, use in SYSTEMS.items():
            floor = fsync_per_s(folder)
            figures[name] = {**use(folder, options), "fsync_per_s": floor}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
