"""What an auditor, a witness or a later start reads: written by whoever wants to be believed."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import msgspec

from crypto.keyfile import write_public
from crypto.signing import Signer
from crypto.trust import Trust
from ledger import offline
from ledger.bundle import Receipts
from ledger.chain import leaf_of
from ledger.checkpoint import (
    NoteKey,
    open_note,
    origin_of,
    parse_note,
    parse_vkey,
    read_checkpoint,
)
from ledger.cosignature import WitnessKey, cosign, cosigned_by, parse_witness_vkey
from ledger.disclosure import FILE, disclosed, read_disclosure, written
from ledger.errors import BadCheckpoint, LedgerError
from ledger.export import ENTRIES, MANIFEST, SEALS, ExportReader
from ledger.merkle import Tree
from ledger.parcel import SIGNATURE, check_recipients, files_problem
from ledger.proof import check_proof, parse_proof, prove
from ledger.resume import Prefix, read_prefix, write_prefix
from ledger.selection.choosing import Choosing
from ledger.selection.criteria import Criteria
from ledger.selection.folder import (
    CHECKPOINT,
    SelectedEntry,
    SelectionReader,
    SelectionWriter,
    is_selection,
)
from ledger.selection.folder import ENTRIES as SELECTED
from ledger.selection.verify import verify_selection
from ledger.tiles import bundles, entry_in
from ledger.verify import verify
from ledger.witness import TreeHead, consider, request_of
from schemas.errors import AnyTeamError
from schemas.names import Role
from tests.fuzz import seeds
from tests.fuzz.target import Target
from tests.stories import Story

ORIGIN = origin_of("acme")
RESUME_KEY = bytes(32)


def targets() -> tuple[Target, ...]:
    """The targets of this room."""
    ledger = seeds.ledger()
    key = NoteKey(ORIGIN, ledger.signers["sealer"].public)
    notes = tuple(note.encode() for note in (*ledger.seals, _cosigned()))
    witness = WitnessKey("witness.example", Signer.from_seed(bytes(32)).public)
    return (
        Target(
            name="checkpoint",
            seeds=notes,
            decode=_texts(read_checkpoint, parse_note, lambda note: open_note(note, [key])),
            errors=(BadCheckpoint,),
        ),
        Target(
            name="cosignatures",
            seeds=notes,
            decode=_texts(lambda note: cosigned_by(note, [witness])),
            errors=(BadCheckpoint,),
        ),
        Target(
            name="verifier key",
            seeds=(key.vkey.encode(),),
            decode=_texts(parse_vkey),
            errors=(BadCheckpoint,),
        ),
        Target(
            name="witness key",
            seeds=(witness.vkey.encode(),),
            decode=_texts(parse_witness_vkey),
            errors=(BadCheckpoint,),
        ),
        Target(name="witness request", seeds=_requests(), decode=_asked, errors=()),
        Target(name="proof", seeds=(_proof(),), decode=_proved, errors=(LedgerError,)),
        Target(name="entry bundle", seeds=(_bundle(),), decode=_bundled, errors=(LedgerError,)),
        Target(name="export entries", seeds=_files(ENTRIES), decode=_exported(ENTRIES)),
        Target(name="export seals", seeds=_files(SEALS), decode=_exported(SEALS)),
        Target(name="export manifest", seeds=_files(MANIFEST), decode=_exported(MANIFEST)),
        Target(name="selection entries", seeds=_part(SELECTED), decode=_selected(SELECTED)),
        Target(name="selection manifest", seeds=_part(MANIFEST), decode=_selected(MANIFEST)),
        Target(name="selection checkpoint", seeds=_part(CHECKPOINT), decode=_selected(CHECKPOINT)),
        Target(name="disclosed content", seeds=(_disclosed(),), decode=_disclosure),
        Target(name="parcel signature", seeds=(_signature(),), decode=_parcel),
        Target(
            name="age recipient", seeds=(_AGE,), decode=_texts(lambda one: check_recipients([one]))
        ),
        Target(
            name="verified prefix",
            seeds=(write_prefix(Prefix(3, bytes(32), bytes(32), (2,)), "acme", "k", RESUME_KEY),),
            decode=lambda data: read_prefix(data, "acme", "k", RESUME_KEY),
        ),
        Target(name="receipt file", seeds=(_receipt(),), decode=_checked_offline, errors=()),
    )


_AGE = b"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"


def _texts(*reads: Callable[[str], object]) -> Callable[[bytes], object]:
    """All of these over the text; what one refuses, the others still read."""

    def read(data: bytes) -> None:
        text, refused = data.decode("utf-8", "replace"), []
        for one in reads:
            try:
                one(text)
            except AnyTeamError as error:
                refused.append(error)
        if refused:
            raise refused[0]

    return read


def _cosigned() -> str:
    note = seeds.ledger().seals[-1]
    text, _ = parse_note(note)
    return note + cosign(text, "witness.example", Signer.from_seed(bytes(32)), 1_780_000_000)


def _tree() -> Tree:
    return Tree(leaf_of(entry.body) for entry in seeds.ledger().entries)


def _requests() -> tuple[bytes, ...]:
    first, *_, last = seeds.ledger().seals
    old, new = read_checkpoint(first).size, read_checkpoint(last).size
    path = [base64.b64encode(step).decode() for step in _tree().consistency(old, new)]
    return (request_of(0, [], first), request_of(old, path, last))


def _asked(data: bytes) -> None:
    ledger = seeds.ledger()
    sealed = read_checkpoint(ledger.seals[0])
    logs = {ORIGIN: [NoteKey(ORIGIN, ledger.signers["sealer"].public)]}
    for seen in ({}, {ORIGIN: TreeHead(ORIGIN, sealed.size, sealed.root)}):
        answer = consider(data, logs, seen)
        assert answer.status in (200, 400, 403, 404, 409, 422), answer


def _key() -> NoteKey:
    return NoteKey(ORIGIN, seeds.ledger().signers["sealer"].public)


def _proof() -> bytes:
    folder = seeds.export()
    proof, _ = prove(lambda path: (folder / path).read_bytes(), 2, _key())
    return proof.text.encode()


def _proved(data: bytes) -> None:
    proof = parse_proof(data.decode("utf-8", "replace"))
    check_proof(proof, leaf_of(seeds.ledger().entries[2].body), _key())


def _bundle() -> bytes:
    ((_, data),) = bundles(entry.body for entry in seeds.ledger().entries)
    return data


def _bundled(data: bytes) -> None:
    for place in (0, 3, len(seeds.ledger().entries) - 1):
        entry_in(data, place)


def _files(name: str) -> tuple[bytes, ...]:
    return ((seeds.export() / name).read_bytes(),)


def _exported(name: str) -> Callable[[bytes], object]:
    """A whole verification, with one file of the export as given; a report is an answer too."""

    def read(data: bytes) -> object:
        folder = _copy(seeds.export(), "spoiled", name, data)
        return verify(ExportReader(folder), seeds.ledger().root_public)

    return read


def _copy(good: Path, where: str, name: str, data: bytes) -> Path:
    folder = seeds.scratch() / where / name
    if not folder.exists():
        folder.mkdir(parents=True)
        for path in good.iterdir():
            if path.is_file():
                (folder / path.name).write_bytes(path.read_bytes())
    (folder / name).write_bytes(data)
    return folder


def _selection() -> Path:
    folder, ledger = seeds.scratch() / "selection", seeds.ledger()
    if folder.exists():
        return folder
    criteria = Criteria(runs=("r-1",))
    choosing = Choosing(ledger.workspace, ledger.root_public, criteria)
    for entry in ledger.entries:
        choosing.fold(entry.index, entry.subject, entry.body)
    plan = choosing.plan(ledger.seals)
    with SelectionWriter(folder, ledger.workspace, ledger.root_public) as writer:
        for e in ledger.entries:
            part = plan.parts.get(e.index)
            if part is not None:
                path = choosing.path(e.index, plan.size)
                writer.add(SelectedEntry(e.index, part, e.subject, e.body, path))
        writer.finish(criteria, plan, 1)
    return folder


def _part(name: str) -> tuple[bytes, ...]:
    return ((_selection() / name).read_bytes(),)


def _selected(name: str) -> Callable[[bytes], object]:
    def read(data: bytes) -> object:
        folder = _copy(_selection(), "spoiled-selection", name, data)
        is_selection(folder)
        return verify_selection(SelectionReader(folder), seeds.ledger().root_public)

    return read


def _disclosed() -> bytes:
    story = Story()
    story.found()
    said = story.begin("r-1").propose()
    return b"".join(written(one) for one in disclosed(said.index, said.event, story.keys))


def _disclosure(data: bytes) -> None:
    folder = seeds.scratch() / "disclosed"
    folder.mkdir(exist_ok=True)
    (folder / FILE).write_bytes(data)
    list(read_disclosure(folder))


def _signature() -> bytes:
    signer = seeds.ledger().signers["ada"]
    said = {
        "role": Role.ADMIN,
        "name": "ada",
        "key_id": signer.key_id,
        "signature": bytes(64),
    }
    return msgspec.json.encode(said)


def _parcel(data: bytes) -> object:
    folder = _copy(seeds.export(), "parcel", SIGNATURE, data)
    (folder / "files.txt").write_bytes(b"")
    trust = Trust("acme", seeds.ledger().root_public)
    for entry in seeds.ledger().entries:
        trust.accept(entry.subject, entry.body)
    return files_problem(folder, trust)


def _receipt() -> bytes:
    ledger = seeds.ledger()
    receipts = Receipts(ledger.workspace, ledger.root_public)
    for entry in ledger.entries:
        receipts.fold(entry.index, entry.subject, entry.body)
    return json.dumps(receipts.bundle(next(iter(receipts)), ledger.seals)).encode()


def _checked_offline(data: bytes) -> None:
    """The auditor's one file: it says so in words and by its exit code, whatever it is given."""
    folder = seeds.scratch()
    root, receipt = folder / "root.pub", folder / "receipt.json"
    if not root.exists():
        write_public(root, seeds.ledger().root_public)
    receipt.write_bytes(data)
    said: list[object] = []
    assert offline.main([str(receipt), str(root)], said.append) in (0, 1, 2) and said
