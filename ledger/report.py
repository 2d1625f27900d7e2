"""What verification found, as `anyteam verify --json` prints it."""

from msgspec import Struct

from ledger.findings import Finding


class Report(Struct, frozen=True, kw_only=True):
    """What verification found; JSON-able. Digests are hex.

    `sealed` is the largest size under a seal that holds and `unsealed` the entries after it.
    `rejected` counts invalid entries that the ledger itself records as such, `rejections`
    lists the first of them. `unfinished` and `unreceipted` count actions at the ledger's end
    whose outcome or receipt was still to come. `findings` are sorted, at most 1,000 of them;
    `omitted` counts the others. Of the first `resumed` entries those whose signatures had been
    verified before were not checked for them again. `witnesses` says how many entries each of the
    auditor's witnesses has cosigned, by vkey; a quorum of them has `witnessed`. The last `unjudged`
    entries are of a ledger that was raised to a version this release does not read: signatures,
    chains, seals and tree were checked, what the events mean was not.
    """

    ok: bool
    workspace: str
    size: int
    head: str
    root: str
    seals: int
    sealed: int
    unsealed: int
    events: dict[str, int]
    rejected: int
    rejections: tuple[Finding, ...]
    receipts: int
    macs_checked: bool
    unfinished: int
    unreceipted: int
    findings: tuple[Finding, ...]
    omitted: int
    resumed: int = 0
    first_bad: int | None = None
    undoubted: int = 0
    seal_keys: tuple[str, ...] = ()
    witnesses: dict[str, int] = {}
    witnessed: int = 0
    unjudged: int = 0
