"""The README of a selection, and what nobody can conclude from one."""

from typing import Final

CANNOT: Final = (
    "that something did not happen: entries that are not here say nothing by their absence",
    "that all that was asked for is here, but for gaps that show: a run's or person's last entries"
    " may be missing, and so may the root's last revocations of keys",
    "that what was asked for was done within policy: that needs the whole ledger"
    " (`anyteam verify` on a whole export)",
    "when something happened: times are the producers' own; only the order of entries is sealed",
    "that nobody was shown another ledger under other seals: compare checkpoints, or ask a witness",
)
"""Goes into every manifest."""

_GUIDE: Final = """\
# Part of the ledger of workspace `{workspace}`

This folder holds some entries of a ledger, whole and as they were signed, each with its proof
that it stands at its index in a sealed state of that ledger. It stands alone. To check it you
need one thing that is **not** in it: the workspace root's public key (`root.pub`).

    anyteam verify <this folder> --root root.pub

or open `index.html` in a browser, with no network, and choose this folder.

`manifest.json` says exactly what was asked for (`asked_for`), how many entries were chosen for it,
and how many more are here because the others need them (`support`: all that the root signed, and
the leases that certify a run's keys).

## What cannot be concluded

{cannot}

## By hand

`selection.msgpack` is a sequence of records, each a 4-byte big-endian length and that many bytes of
msgpack: `[index, part, subject, body, path]`. `body` is msgpack of `[payload, key id, signature]`.
`H` is SHA-256, `||` joins bytes.

1. `checkpoint.txt` is a C2SP checkpoint in a signed note, of origin `anyteam/{workspace}`, by the
   key that the root certified for role `sidecar`, instance `sealer`, in an entry that is here.
2. Entry `index` has leaf H(0x00 || body) and position index - 1; `path` is its RFC 6962 inclusion
   proof in the checkpoint's tree, with H(0x01 || left || right) for inner nodes.
3. The signature is Ed25519 over "DSSEv1 38 application/vnd.anyteam.event.v1+msgpack " || the
   payload's length in decimal || " " || payload. Its key id is the first 16 bytes of H(public key).
4. Every key is certified before its first use in an entry that is here: by the root in
   `key.certified`, for one run in `lease.granted` or `lease.renewed`, and not after `key.revoked`.
5. `n` counts each producer's events within its run, and `prev` is H(payload) of the one before.
   The root's count has no gap. In a selection of whole runs no producer's count in one has.

`files.txt` lists the SHA-256 of every file here (`sha256sum -c files.txt`), and `files.sig.json`
is the signature of the person who took it away. Content that is sealed stays sealed, unless
`content.jsonl` is here: then each line holds one field's key and what it opens to.
"""


def guide(workspace: str) -> str:
    """The text of `README.md`."""
    cannot = "\n".join(f"- {one};" for one in CANNOT)
    return _GUIDE.format(workspace=workspace, cannot=cannot)
