"""Key management: who wraps the workspace's data key and holds its root.

`Kms` is the contract; `open_kms` gives the provider that the settings name: key files on this
machine, in the clear or under a passphrase, or Google Cloud KMS. One workspace's keys open one
workspace. `tests/contract/test_kms.py` is one suite over all of them.
"""

from crypto.kms.datakey import Rewrapped, ensure_data_key, load_data_key, rewrap
from crypto.kms.files import KeyFiles
from crypto.kms.local import LocalKms
from crypto.kms.opening import open_kms
from crypto.kms.provider import Kms
from crypto.kms.ringfile import change_keyring, ensure_keyring, load_keyring

__all__ = [
    "KeyFiles",
    "Kms",
    "LocalKms",
    "Rewrapped",
    "change_keyring",
    "ensure_data_key",
    "ensure_keyring",
    "load_data_key",
    "load_keyring",
    "open_kms",
    "rewrap",
]
