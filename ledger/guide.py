"""The README that every export carries: what each file is, and how to verify it by hand."""

from typing import Final

_GUIDE: Final = """\
# Ledger export of workspace `{workspace}`

This folder stands alone. To check it you need one thing that is **not** in it: the
workspace root's public key (`root.pub`), which you should have from somebody you trust.

    anyteam verify <this folder> --root root.pub

The command re-derives everything below from the files and names the first entry that does
not hold, and why. With a checkpoint that you kept from earlier (`--checkpoint`), it also
finds a ledger that was cut short since; with `--witness` and the keys of witnesses whom you
trust, that no other history of it was shown to them.

## Files

| file | what it is |
|---|---|
| `manifest.json` | what the export says of itself; compared, never believed |
| `ledger.msgpack` | every entry in order |
| `seals.jsonl` | every seal in order: one JSON object with a signed note a line |
| `cosigned.jsonl` | where there are witnesses: their newest cosignatures, each under its seal |
| `checkpoint`, `tile/` | the last seal and its tree as C2SP tlog-tiles, for `anyteam prove` |
| `verify_receipt.py` | checks a receipt that came alone; needs Python and `cryptography` only |
| `index.html` | verifies and shows this folder in a browser, offline |
| `renderings/` | the same events for other tools; no evidence, and nothing sealed is in them |
| `content.jsonl` | only after `--content`: each opened field with its own key, to open it again |
| `files.txt`, `files.sig.json` | SHA-256 of every file (`sha256sum -c`), and who signs for it |
| `schema/*.json` | JSON Schemas; bytes appear there as base64, in the files as msgpack bytes |

`ledger.msgpack` is a sequence of records, each a 4-byte big-endian length and that many
bytes of msgpack: the array `[index, subject, body]`. Indexes count from 1 without a gap.
`body` is the message as it lay on the bus: msgpack of `[payload, key id, signature]`.
`payload` is msgpack of the event.

## By hand

`||` joins bytes; `H` is SHA-256; texts are UTF-8.

    event digest   H(payload)                  how prev, causes and proposal name an event
    key id         first 16 bytes of H(raw Ed25519 public key)
    signature      Ed25519 over PAE("application/vnd.anyteam.event.v1+msgpack", payload)
    PAE(t, p)      "DSSEv1 " || len(t) || " " || t || " " || len(p) || " " || p
                   lengths in decimal ASCII (DSSE v1.0)
    leaf n         H(0x00 || body of entry n)
    head 0         H("{workspace}")
    head n         H(0x02 || head n-1 || leaf n)
    root           the RFC 6962 Merkle tree hash over leaves 1 to n, with
                   H(0x01 || left || right) for inner nodes
    args digest    H(msgpack of the proposal's `arguments` field as it stands in the event)

1. Entry 1 is `workspace.created`, signed by the root key, and names that key.
2. Every other key is certified before its first use: by the root in `key.certified`, or for
   one run's runtime and judge in its `lease.granted` or `lease.renewed`. A key signs only
   as its certificate says: role, instance, run, time; not after `key.revoked`.
3. Per key and per run (or per key outside runs) the events are a chain: `n` counts from 0
   and `prev` is the digest of the event before, 32 zero bytes for the first.
4. An entry that breaks a rule has no effect, and a later `entry.rejected` of the sidecar
   names its index and leaf hash. One that nothing names is a finding.
5. A seal is a C2SP checkpoint in a signed note: origin `{origin}`, size, root (base64), then
   `head` and the chain head (base64). The note's key is the one that the root certified for
   role `sidecar`, instance `sealer`; its signature covers the lines above the blank one.
6. A receipt is msgpack; its key is the one certified for role `sidecar`, instance `receipts`.
   The signature and the HMAC-SHA256 cover
   PAE("application/vnd.anyteam.receipt.v1+msgpack", receipt).
7. Every `action.started` follows a `proposal.made` of its run, the judge's `verdict.given`
   for that event's digest, and a person's `approval.decided` where one was asked for. What
   `policy.set` names in `passkey` bears a WebAuthn assertion there, whose challenge is
   SHA-256("anyteam approval v1" 00 proposal-digest "approve"), by a passkey of that person's
   (`passkey.enrolled`) which an admin had admitted (`passkey.admitted`). An action
   lies within its lease's time and tools. It has at most one `action.finished`, and each
   of those a receipt whose fields are the ledger's.

Sealed content (AES-256-GCM) stays sealed here. Signatures, chain and seals cover it as
published, so they verify without any key, and after the key was destroyed.
"""


def guide(workspace: str) -> str:
    """The text of `README.md`."""
    return _GUIDE.format(workspace=workspace, origin=f"anyteam/{workspace}")
