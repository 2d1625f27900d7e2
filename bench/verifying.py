"""One side of the benchmark `verify`, in a process of its own: `python -m bench.verifying`.

`ours EXPORT ROOT CORES` verifies the whole export; `floor EXPORT ROOT PART/PARTS` hashes each
entry of its share of the sample and checks each Ed25519 signature in it, by the library that
verification asks, and does nothing else while the clock runs. Each says `ready`, waits for a line,
and answers with JSON.
"""

import hashlib
import resource
import sys
import time
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from pathlib import Path

import msgspec

from crypto.ed25519 import holds
from crypto.signing import pae
from ledger.ended import EndedOnDisk
from ledger.export import ExportReader
from ledger.spread import Spread
from ledger.verify import verify
from schemas.actions import ReceiptIssued
from schemas.envelope import PAYLOAD_TYPE, RECEIPT_TYPE, decode_envelope
from schemas.events import decode_event
from schemas.runs import KeyCertified, LeaseGranted

SAMPLE = 40_000

Check = tuple[bytes, bytes, bytes]
"""(public key, message, signature)."""


def ours(export: Path, root: bytes, cores: int) -> dict[str, float]:
    """Verify the export."""
    reader = ExportReader(export)
    started = _at_the_word()
    began = _cpu_s()
    with Spread(cores, root) as spread, closing(EndedOnDisk()) as ended:
        report = verify(reader, root, ahead=spread.ahead, ended=ended)
        peak_mb = sum(map(_peak_mb, ["self", *map(str, spread.helpers)]))
    seconds = time.perf_counter() - started
    assert report.ok, report.findings[:3]
    return {
        "seconds": seconds,
        "cpu_s": _cpu_s() - began,
        "entries": report.size,
        "peak_mb": peak_mb,
    }


def floor(export: Path, root: bytes, part: int, parts: int) -> dict[str, float]:
    """Hash and check this part's entries."""
    bodies, checks = _share(export, root, part, parts)
    started = _at_the_word()
    began = _cpu_s()
    for body in bodies:
        hashlib.sha256(body).digest()
    for check in checks:
        assert holds(*check)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "cpu_s": _cpu_s() - began, "entries": len(bodies)}


def _share(export: Path, root: bytes, part: int, parts: int) -> tuple[list[bytes], list[Check]]:
    bodies: list[bytes] = []
    checks: list[Check] = []
    keys = {hashlib.sha256(root).digest()[:16]: root}
    receipts = b""
    for number, entry in enumerate(islice(ExportReader(export).entries(), SAMPLE)):
        envelope = decode_envelope(entry.body)
        said = decode_event(envelope.payload).body
        if isinstance(said, KeyCertified):
            keys[said.certificate.key_id] = said.certificate.public_key
            if said.certificate.instance == "receipts":
                receipts = said.certificate.public_key
        elif isinstance(said, LeaseGranted):
            keys |= {granted.key_id: granted.public_key for granted in said.lease.keys}
        if number % parts != part:
            continue
        bodies.append(entry.body)
        message = pae(PAYLOAD_TYPE, envelope.payload)
        checks.append((keys[envelope.key_id], message, envelope.signature))
        if isinstance(said, ReceiptIssued):
            checks.append((receipts, pae(RECEIPT_TYPE, said.receipt), said.signature))
    return bodies, checks


def _peak_mb(process: str) -> float:
    """The most memory a process held, in MB; of Linux's, since `ru_maxrss` outlives an exec."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _cpu_s() -> float:
    """CPU time of this process and of those it has waited for."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(kind) for kind in kinds]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _at_the_word() -> float:
    print("ready", flush=True)
    sys.stdin.readline()
    return time.perf_counter()


def main(words: list[str]) -> None:
    """Run one side and print its answer."""
    export, root = Path(words[1]), Path(words[2]).read_bytes()
    sides: dict[str, Callable[[], dict[str, float]]] = {
        "ours": lambda: ours(export, root, int(words[3])),
        "floor": lambda: floor(export, root, *map(int, words[3].split("/"))),
    }
    sys.stdout.buffer.write(msgspec.json.encode(sides[words[0]]()) + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
