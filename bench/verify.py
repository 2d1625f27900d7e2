"""Verification of an export, beside bare SHA-256 and Ed25519 checks of the same bytes."""

import argparse
import hashlib
import tempfile
import time
from pathlib import Path

from console.author import new_event_id
from crypto.signing import Signer
from crypto.signing import verify as check_signature
from ledger.export import ExportReader, ExportWriter
from ledger.verify import verify
from schemas.authority import subject_of
from schemas.envelope import PAYLOAD_TYPE, decode_envelope, encode_envelope
from schemas.events import Actor, AnyBody, Event, encode_event, event_digest
from schemas.names import NO_DIGEST, Classification, Role
from schemas.runs import RepActivated, WorkspaceCreated

WORKSPACE = "bench"


def measure(options: argparse.Namespace) -> dict[str, float]:
    """`per_s`, `floor_per_s`, `ratio`: entries a second on one core."""
    root = Signer.generate()
    with tempfile.TemporaryDirectory(prefix="anyteam-bench-") as home:
        export = Path(home) / "export"
        _write(export, root, options.events)
        bodies = [entry.body for entry in ExportReader(export).entries()]
        floor = _floor(bodies, root.public)
        started = time.perf_counter()
        report = verify(ExportReader(export), root.public)
        ours = report.size / (time.perf_counter() - started)
    assert report.ok, report.findings
    return {"per_s": ours, "floor_per_s": floor, "ratio": ours / floor}


def _floor(bodies: list[bytes], public: bytes) -> float:
    started = time.perf_counter()
    for body in bodies:
        hashlib.sha256(body).digest()
        envelope = decode_envelope(body)
        check_signature(public, PAYLOAD_TYPE, envelope.payload, envelope.signature)
    return len(bodies) / (time.perf_counter() - started)


def _write(folder: Path, root: Signer, events: int) -> None:
    prev = NO_DIGEST
    with ExportWriter(folder, WORKSPACE, root.public) as writer:
        for n in range(events):
            body: AnyBody = RepActivated(rep=f"rep-{n}")
            if n == 0:
                body = WorkspaceCreated(name=WORKSPACE, root=root.public)
            event = _event(n, prev, body)
            payload = encode_event(event)
            prev = event_digest(payload)
            writer.add(n + 1, subject_of(event), encode_envelope(root.envelope(payload)))
        writer.finish(time.time_ns())


def _event(n: int, prev: bytes, body: AnyBody) -> Event:
    now = time.time_ns()
    return Event(
        id=new_event_id(now),
        workspace=WORKSPACE,
        run=None,
        actor=Actor(Role.ROOT, "root"),
        n=n,
        prev=prev,
        causes=(),
        seen=0,
        at=now,
        classification=Classification.INTERNAL,
        body=body,
    )
