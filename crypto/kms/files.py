"""A workspace's key files: `<workspace>.root`, and `<workspace>.kek-<n>` for each version.

In the clear they are owner-only; sealed they are called `….sealed` and open with the passphrase
alone. The two do not mix: with a passphrase a file in the clear is an error and not a key,
without one a sealed file is, so that what the settings promise of the disk is true.
"""

import hmac
import re
import secrets
from pathlib import Path
from typing import Final

from crypto.errors import KeyFileError, KmsSetup, PassphraseMissing, WrongPassphrase
from crypto.keyfile import KEY_BYTES, read_key, read_secret, write_key, write_secret
from crypto.kms.passphrase import MIN_CHARACTERS, open_key, seal_key
from schemas.names import check_name

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")
_SUFFIX: Final = ".sealed"


class KeyFiles:
    """The key files in `folder`. Sealed keys are kept in memory once they were opened."""

    def __init__(self, folder: Path, passphrase: str | None) -> None:
        self.folder = folder
        self._passphrase = passphrase
        self._opened: dict[Path, bytes] = {}

    def versions(self, workspace: str) -> list[int]:
        """The numbers of the wrapping key's versions, ascending."""
        stem = self._path(workspace, "kek-").name
        found = (
            path.name.removeprefix(stem).removesuffix(_SUFFIX)
            for path in self.folder.glob(f"{stem}*")
        )
        return sorted({int(number) for number in found if _NUMBER.fullmatch(number)})

    def exists(self, workspace: str, name: str) -> bool:
        """Whether there is such a key, sealed or not."""
        path = self._path(workspace, name)
        return path.exists() or _sealed(path).exists()

    def make(self, workspace: str, name: str) -> None:
        """A new random key. Raises `KmsSetup` where the passphrase is too short for one."""
        path = self._path(workspace, name)
        if self._passphrase is None:
            write_key(path, secrets.token_bytes(KEY_BYTES))
        else:
            key = secrets.token_bytes(KEY_BYTES)
            write_secret(_sealed(path), _seal(key, self._passphrase, workspace, name))

    def read(self, workspace: str, name: str) -> bytes:
        """The key. Raises `KeyFileError`, `PassphraseMissing` or `WrongPassphrase`."""
        path = self._path(workspace, name)
        sealed = _sealed(path)
        if self._passphrase is None:
            if sealed.exists() and not path.exists():
                raise PassphraseMissing(
                    f"key file {sealed} is sealed under a passphrase",
                    fix="set kms.passphrase = true, and give the passphrase when asked",
                )
            return read_key(path)
        if path.exists():
            raise KeyFileError(
                f"key file {path} lies in the clear, and kms.passphrase is set",
                fix="`anyteam key seal` seals what is there under a passphrase",
            )
        if sealed not in self._opened:
            self._opened[sealed] = _open(sealed, self._passphrase, workspace, name)
        return self._opened[sealed]

    def seal_all(self, workspace: str, new: str) -> list[str]:
        """Seal every key file under the passphrase `new`, in the clear or sealed before.

        Returns their names. A file in the clear goes once its sealed form was read back. Cut
        short, it can be done again: what is under `new` already is left as it is.
        """
        names = [f"kek-{number}" for number in self.versions(workspace)]
        names += ["root"] if self.exists(workspace, "root") else []
        for name in names:
            path = self._path(workspace, name)
            sealed = _sealed(path)
            key = read_key(path) if path.exists() else self._open_either(workspace, name, new)
            write_secret(sealed, _seal(key, new, workspace, name))
            if not hmac.compare_digest(_open(sealed, new, workspace, name), key):
                raise KeyFileError(f"{sealed} reads back as another key", fix="check the disk")
            path.unlink(missing_ok=True)
        return names

    def _open_either(self, workspace: str, name: str, new: str) -> bytes:
        sealed = _sealed(self._path(workspace, name))
        if self._passphrase is not None:
            try:
                return _open(sealed, self._passphrase, workspace, name)
            except WrongPassphrase:
                pass
        return _open(sealed, new, workspace, name)

    def _path(self, workspace: str, name: str) -> Path:
        return self.folder / f"{check_name(workspace, 'workspace')}.{name}"


def _sealed(path: Path) -> Path:
    return path.with_name(f"{path.name}{_SUFFIX}")


def _seal(key: bytes, passphrase: str, workspace: str, name: str) -> bytes:
    if len(passphrase) < MIN_CHARACTERS:
        raise KmsSetup(
            f"the passphrase has under {MIN_CHARACTERS} characters",
            fix="choose a longer one; several words that nobody says together do well",
        )
    return seal_key(key, passphrase, _purpose(workspace, name))


def _open(sealed: Path, passphrase: str, workspace: str, name: str) -> bytes:
    key = open_key(read_secret(sealed), passphrase, _purpose(workspace, name), str(sealed))
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"key file {sealed} holds {len(key)} bytes, not {KEY_BYTES}")
    return key


def _purpose(workspace: str, name: str) -> bytes:
    return f"anyteam key file v1 {workspace} {name}".encode()
