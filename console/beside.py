"""What stands beside a signed ledger, checked: the opened content, and who signed the parcel.

And a selection, verified. The ledger itself is `ledger.verify`'s; nothing here makes it better.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.markup import escape

from console.output import emit
from crypto.errors import Rejected
from crypto.trust import Trust
from ledger.cosignature import Witnessed, WitnessKey
from ledger.disclosure import FILE, OpenedField, disclosure_problem, read_disclosure
from ledger.errors import BadCheckpoint, ExportDamaged
from ledger.export import ExportReader
from ledger.findings import Finding
from ledger.page import page
from ledger.parcel import FILES, SIGNATURE, FilesSignature, files_problem
from ledger.selection.folder import SelectionReader, is_selection
from ledger.selection.verify import SelectionReport, verify_selection

MAX_PROBLEMS = 100


class Beside(Struct, frozen=True, kw_only=True):
    """What was found beside a ledger; JSON-able. `signed_by` is empty where nobody signed.

    `page` says whether `index.html` is the page that this version makes, None for no page.
    """

    opened: int
    signed_by: str
    page: bool | None
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Nothing beside it claims what does not hold."""
        return not self.problems


def check_beside(folder: Path, root_public: bytes) -> Beside:
    """Hold what stands beside a ledger against that ledger."""
    problems: list[str] = []
    opened, signed_by = 0, ""
    signed = (folder / FILES).exists() or (folder / SIGNATURE).exists()
    if signed or (folder / FILE).exists():
        trust, opened = _hold(folder, root_public, problems)
        if signed:
            try:
                problem = files_problem(folder, trust)
                signed_by = msgspec.json.decode(
                    (folder / SIGNATURE).read_bytes(), type=FilesSignature
                ).name
            except ExportDamaged as error:
                problem = error.what
            if problem:
                problems.append(problem)
                signed_by = ""
    own = folder / "index.html"
    same = own.read_bytes() == page().encode() if own.is_file() else None
    return Beside(opened=opened, signed_by=signed_by, page=same, problems=tuple(problems))


def _hold(folder: Path, root_public: bytes, problems: list[str]) -> tuple[Trust, int]:
    """Each line of the content against its event, both in the ledger's order."""
    partial = is_selection(folder)
    reader = SelectionReader(folder) if partial else ExportReader(folder)
    trust = Trust(reader.manifest.workspace, root_public, partial=partial)
    lines: Iterator[OpenedField] = read_disclosure(folder)
    opened = 0
    try:
        line = next(lines, None)
        for entry in reader.entries():
            try:
                event = trust.accept(entry.subject, entry.body).event
            except Rejected:
                continue
            while line is not None and line.index <= entry.index:
                problem = disclosure_problem(line, entry.index, event)
                if problem:
                    problems.append(f"entry {line.index}: {problem}"[:500])
                opened += not problem
                line = next(lines, None)
        if line is not None:
            problems.append(f"{FILE} names entry {line.index}, which is not here")
    except ExportDamaged as error:
        problems.append(error.what)
    del problems[MAX_PROBLEMS:]
    return trust, opened


def beside_in_words(beside: Beside) -> str:
    """What stands beside a ledger (rich markup)."""
    lines = []
    if beside.opened:
        lines.append(f"{beside.opened} opened fields are what was sealed in their events")
    if beside.signed_by:
        lines.append(f"the files are signed by {escape(beside.signed_by)}")
    if beside.page is False:
        lines.append("[yellow]index.html is not this version's page: do not trust what it says[/]")
    lines += [f"[red]beside it[/]: {escape(problem)}" for problem in beside.problems[:10]]
    return "\n".join(lines)


def verify_part(
    folder: Path, root_public: bytes, json: bool, keys: tuple[WitnessKey, ...], quorum: int
) -> int:
    """Verify a selection, and say what was found; the exit code. Of the witnesses `keys` a `quorum`
    must have cosigned its checkpoint.
    """
    reader = SelectionReader(folder)
    report = verify_selection(reader, root_public)
    missing = _missing(Witnessed((reader.checkpoint(),), keys, quorum, lag=0), report)
    if missing:
        finding = Finding(0, "witness", missing, "checkpoint.txt")
        findings = (*report.findings, finding)
        report = msgspec.structs.replace(report, ok=False, findings=findings)
    beside = check_beside(folder, root_public)
    value = {**msgspec.structs.asdict(report), "beside": beside}
    emit(value, json, f"{_part_in_words(report)}\n{beside_in_words(beside)}")
    return 0 if report.ok and beside.ok else 1


def _missing(witnessed: Witnessed, report: SelectionReport) -> str:
    """What witnesses have not said of a selection's checkpoint; empty where nothing is missing."""
    if not witnessed.quorum or not report.ok:
        return ""
    try:
        return witnessed.missing(witnessed.sizes(witnessed.named()), report.size)
    except BadCheckpoint as error:
        return error.what


def _part_in_words(report: SelectionReport) -> str:
    asked = escape(report.asked_for)
    if not report.ok:
        lines = [f"[red]not verified[/]: {len(report.findings)} findings in a selection of {asked}"]
        for finding in report.findings[:10]:
            lines.append(f"  entry {finding.index}: {finding.kind}: {escape(finding.what)}")
        return "\n".join(lines)
    lines = [
        f"[green]verified[/] part of a ledger: {report.chosen} entries of {asked}, and"
        f" {report.support} that they need; proved in the sealed state of {report.size} entries",
        *(f"[yellow]gap[/]: {escape(gap)}" for gap in report.gaps[:10]),
        "not shown:",
        *(f"  {said}" for said in report.cannot_be_concluded),
    ]
    return "\n".join(lines)
