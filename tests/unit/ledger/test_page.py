"""The page's verifier, as Node runs it: good exports hold, and no change to one goes unseen."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from crypto.signing import Signer
from ledger.chain import leaf_of
from ledger.disclosure import FILE, disclosed, written
from ledger.export import ENTRIES, SEALS, ExportedEntry
from ledger.page import page
from ledger.page.assembling import verifier
from ledger.selection.criteria import Criteria
from ledger.selection.folder import CHECKPOINT, SelectedEntry
from ledger.selection.folder import ENTRIES as PART
from ledger.verify import verify
from schemas.actions import EntryRejected
from schemas.envelope import Envelope, decode_envelope, encode_envelope
from tests.ledgers import HeldExport, SignedLedger, small_ledger, write_export
from tests.stories import Story
from tests.unit.ledger.pages import Files, asked, files_of, node
from tests.unit.ledger.test_selection import selected

LEDGER = small_ledger(runs=2)
ROOT = LEDGER.root_public
FLIPS = 150
Change = Callable[[list[ExportedEntry]], list[ExportedEntry]]


def exported(folder: Path, ledger: SignedLedger = LEDGER) -> Files:
    return files_of(write_export(ledger, folder))


def one(files: Files, root: bytes | None = ROOT) -> dict[str, Any]:
    return asked([(files, root)])[0]


def test_a_good_export_holds_and_shows_every_entry(tmp_path: Path) -> None:
    found = one(exported(tmp_path / "export"))
    assert found["ok"], found["findings"]
    assert (found["size"], found["seals"]) == (len(LEDGER.entries), len(LEDGER.seals))
    assert [row["type"] for row in found["rows"]] == LEDGER.events()


def test_without_a_root_it_says_that_nobody_vouched_for_the_key(tmp_path: Path) -> None:
    found = one(exported(tmp_path / "export"), None)
    assert (found["ok"], found["rooted"]) == (True, False)


def test_under_another_root_nothing_holds(tmp_path: Path) -> None:
    assert not one(exported(tmp_path / "export"), small_ledger(seed=9).root_public)["ok"]


def test_a_selection_holds_and_each_change_to_it_is_found(tmp_path: Path) -> None:
    criteria = Criteria(runs=("r-1",))
    good = files_of(selected(tmp_path / "good", criteria, LEDGER).folder)
    draw = random.Random(1)
    bent = [{**good, name: flipped(good[name], draw)} for name in (PART, CHECKPOINT) * 30]

    def without_outcome(entries: list[SelectedEntry]) -> list[SelectedEntry]:
        return [e for e in entries if b"action.finished" not in e.body]

    short = files_of(selected(tmp_path / "short", criteria, LEDGER, change=without_outcome).folder)
    answers = asked([(files, ROOT) for files in (good, short, *bent)])
    assert answers[0]["ok"], answers[0]["findings"]
    assert any(finding["kind"] == "gap" for finding in answers[1]["findings"])
    assert [n for n, answer in enumerate(answers[1:]) if answer.get("ok")] == []


def flipped(data: bytes, draw: random.Random) -> bytes:
    bent = bytearray(data)
    bent[draw.randrange(len(data) - 1)] ^= 1 << draw.randrange(8)
    return bytes(bent)


def test_any_flipped_bit_is_found(tmp_path: Path) -> None:
    good, draw = exported(tmp_path / "export"), random.Random(2)
    bent = [{**good, name: flipped(good[name], draw)} for name in (ENTRIES, SEALS) * FLIPS]
    answers = asked([(files, ROOT) for files in bent])
    assert len(answers) == 2 * FLIPS
    assert [n for n, answer in enumerate(answers) if answer.get("ok")] == []


def dropped(entries: list[ExportedEntry]) -> list[ExportedEntry]:
    return [e for e in entries if e.index != 14]


def swapped(entries: list[ExportedEntry]) -> list[ExportedEntry]:
    return [*entries[:13], entries[14], entries[13], *entries[15:]]


def doubled(entries: list[ExportedEntry]) -> list[ExportedEntry]:
    return [*entries[:14], entries[13], *entries[14:]]


def cut(entries: list[ExportedEntry]) -> list[ExportedEntry]:
    return entries[:-3]


def resigned(entries: list[ExportedEntry]) -> list[ExportedEntry]:
    envelope = decode_envelope(entries[13].body)
    forged = Signer.generate().envelope(envelope.payload)
    body = encode_envelope(Envelope(forged.payload, envelope.key_id, forged.signature))
    return [*entries[:13], msgspec.structs.replace(entries[13], body=body), *entries[14:]]


def transplanted(entries: list[ExportedEntry]) -> list[ExportedEntry]:
    return [*entries[:13], small_ledger("globex").entries[13], *entries[14:]]


def edited(change: Change, *, seals: tuple[str, ...] = LEDGER.seals) -> SignedLedger:
    """The ledger with one change, renumbered."""
    entries = [
        msgspec.structs.replace(entry, index=index)
        for index, entry in enumerate(change(list(LEDGER.entries)), 1)
    ]
    held: SignedLedger = msgspec.structs.replace(LEDGER, entries=tuple(entries), seals=seals)
    return held


def test_entries_that_are_moved_forged_or_left_out_are_found(tmp_path: Path) -> None:
    """The manifest and the indexes are mended, as whoever edits an export would."""
    changes = (dropped, swapped, doubled, resigned, transplanted, cut)
    ledgers = [edited(change) for change in changes]
    answers = asked(
        [
            (exported(tmp_path / change.__name__, held), ROOT)
            for change, held in zip(changes, ledgers, strict=True)
        ]
    )
    for change, held, answer in zip(changes, ledgers, answers, strict=True):
        first = min(finding["index"] for finding in answer["findings"] if finding["index"])
        known = verify(HeldExport(held), ROOT).first_bad
        assert known is not None and first <= known, change.__name__


def test_what_is_dropped_doubled_or_forged_is_found_without_any_seal(tmp_path: Path) -> None:
    """What is merely moved or cut off there, only seals or the ledger's meaning can tell."""
    changes = (dropped, doubled, resigned, transplanted)
    exports = [exported(tmp_path / change.__name__, edited(change, seals=())) for change in changes]
    answers = asked([(files, ROOT) for files in exports])
    assert [change.__name__ for change, a in zip(changes, answers, strict=True) if a["ok"]] == []


def test_an_invalid_entry_that_the_sidecar_recorded_is_no_finding(tmp_path: Path) -> None:
    def told(leaf: bytes) -> Files:
        story = Story()
        story.found()
        run = story.begin("r-1")
        index = story.put("ws.acme.run.r-1.proposal", b"junk")
        run.propose()
        story.say("sidecar", EntryRejected(index=index, leaf=leaf, reason="unreadable"))
        story.seal()
        return exported(tmp_path / leaf.hex()[:8], story.ledger())

    answers = asked([(told(leaf_of(b"junk")), None), (told(leaf_of(b"other")), None)])
    assert (answers[0]["ok"], answers[0]["rejected"]) == (True, 1), answers[0]["findings"]
    assert not answers[1]["ok"]


def test_opened_content_is_opened_again_and_a_wrong_key_is_found(tmp_path: Path) -> None:
    story = Story()
    story.found()
    proposed = story.begin("r-1").propose()
    story.seal()
    files = exported(tmp_path / "export", story.ledger())
    fields = list(disclosed(proposed.index, proposed.event, story.keys))
    lines = b"".join(map(written, fields))
    wrong = written(msgspec.structs.replace(fields[0], key=bytes(32)))
    answers = asked([({**files, FILE: data}, None) for data in (lines, wrong, b"{")])
    assert answers[0]["ok"] and answers[0]["opened"] == 2
    row = next(row for row in answers[0]["rows"] if row["type"] == "proposal.made")
    assert json.loads(row["content"]["purpose"]) == "as asked"
    assert [f["kind"] for a in answers[1:] for f in a["findings"]] == ["content", "content"]


@pytest.mark.parametrize("name", ["manifest.json", ENTRIES])
def test_a_folder_that_is_no_export_is_refused_in_words(tmp_path: Path, name: str) -> None:
    files = dict(exported(tmp_path / "export"))
    del files[name]
    assert name in one(files)["malformed"]


GOOD: list[Any] = [
    *(None, True, False, 0, 127, 128, -1, -32, -33, 255, 256, 65_535, 65_536, -129, -32_769),
    *(2**31, 2**32, 2**53 - 1, 2**53, 2**63 - 1, -(2**31) - 1, -(2**63), 2**64 - 1, 1.5, "", "é☃"),
    *(
        "x" * 31,
        "x" * 32,
        "x" * 256,
        "x" * 65_536,
        [],
        [1] * 16,
        [[]] * 3,
        {},
        {"a": {"b": [None]}},
    ),
    {f"k{n}": n for n in range(20)},
    {"__proto__": 1, "constructor": 2},
]
BAD = [
    *(b"", b"\xc1", b"\x01\x02", b"\x81\xa1a", b"\x82\xa1a\x01\xa1a\x02", b"\x81\x01\x02"),
    *(b"\xa1\xff", b"\xdd\xff\xff\xff\xff", b"\xc7\x01\x01\x01", b"\xd4\x01\x01", b"\x91" * 100),
]
_READ = """
let text = "";
for await (const part of process.stdin) text += part;
const big = (_, one) => typeof one === "bigint" ? `big ${one}` : one;
const tell = (value) => JSON.stringify(value, big);
process.stdout.write(JSON.stringify(JSON.parse(text).map((data) => {
  try {
    return tell(unpack(unbase64(data)));
  } catch (error) {
    return error instanceof Malformed ? "malformed" : String(error);
  }
})));
"""


def test_messagepack_is_read_as_it_was_written_or_refused() -> None:
    given = [*(msgspec.msgpack.encode(value) for value in GOOD), *BAD]
    read = json.loads(node(verifier() + _READ, msgspec.json.encode(given).decode()))
    for value, said in zip(GOOD, read[: len(GOOD)], strict=True):
        large = isinstance(value, int) and abs(value) > 2**53 - 1
        assert json.loads(said) == (f"big {value}" if large else value)
    assert set(read[len(GOOD) :]) == {"malformed"}


def test_the_page_refers_to_nothing_outside_itself() -> None:
    text = page()
    assert "default-src 'none'" in text
    for reference in ("http://", "https://", "//cdn", "src=", "href=", "@import", "url("):
        assert reference not in text, reference
    for danger in ("innerHTML", "eval(", "Function(", "document.write", "fetch(", "XMLHttp"):
        assert danger not in text, danger
    assert text == page() and "{policy}" not in text and "{script}" not in text
