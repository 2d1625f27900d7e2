"""The hash chain over a workspace's stream.

leaf = SHA-256(0x00 || message body), as RFC 6962 section 2.1 hashes a leaf;
h_0 = SHA-256(workspace id); h_n = SHA-256(0x02 || h_(n-1) || leaf_n). The prefixes keep
leaves, Merkle nodes (0x01) and chain links apart.
"""

import hashlib


def leaf_hash(body: bytes) -> bytes:
    """The leaf of one message body."""
    return hashlib.sha256(b"\x00" + body).digest()


def genesis_head(workspace: str) -> bytes:
    """The chain head of an empty ledger."""
    return hashlib.sha256(workspace.encode()).digest()


def next_head(head: bytes, leaf: bytes) -> bytes:
    """The chain head after one more leaf."""
    return hashlib.sha256(b"\x02" + head + leaf).digest()
