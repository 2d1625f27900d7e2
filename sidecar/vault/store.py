"""A workspace's vault: one sealed file for the workspace and one for each rep.

Every look is at the file, so that what is added serves the next action and what is taken away
serves none; a change holds a lock, since the sidecar keeps the refresh tokens that a provider
rotates while a person adds a key.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from schemas.errors import BadName
from schemas.names import check_name
from sidecar.errors import VaultError
from sidecar.vault.credentials import MAX_CHARACTERS, Credential, Grant, Secret
from sidecar.vault.sealed import seal, unseal

_SUFFIX = ".sealed"
_WORKSPACE = "workspace"


class Kept(Struct, frozen=True):
    """What may be told of a credential: its name, its kind, and the rep whose it is, if any."""

    name: str
    kind: str
    rep: str | None
    scopes: tuple[str, ...] = ()


class Vault:
    """The credentials below `folder`, under the workspace data key. Methods raise `VaultError`."""

    def __init__(self, folder: Path, key: bytes, workspace: str) -> None:
        self._folder = folder
        self._key = key
        self._workspace = workspace

    def __repr__(self) -> str:
        return f"Vault({self._workspace})"

    def held(self, rep: str | None) -> dict[str, Credential]:
        """A rep's own credentials; with None the workspace's."""
        return unseal(self._path(rep), self._key, self._workspace, _holder(rep))

    def find(self, name: str, rep: str | None) -> Credential | None:
        """The rep's own credential `name`, else the workspace's, else None."""
        own = self.held(rep).get(name) if rep is not None else None
        return own if own is not None else self.held(None).get(name)

    def put(self, name: str, credential: Credential, rep: str | None = None) -> None:
        """Keep a credential, in the place of one of that name."""
        _check(name, credential)
        with self._changing():
            held = self.held(rep)
            seal(
                self._path(rep),
                self._key,
                self._workspace,
                _holder(rep),
                {**held, name: credential},
            )

    def renew(self, name: str, rep: str | None, former: Grant, renewed: Grant) -> bool:
        """Put `renewed` in the place of `former`; False where another has come between."""
        with self._changing():
            held = self.held(rep)
            if held.get(name) != former:
                return False
            seal(self._path(rep), self._key, self._workspace, _holder(rep), {**held, name: renewed})
        return True

    def remove(self, name: str, rep: str | None = None) -> Credential | None:
        """Take a credential away; what it was, or None where there was none."""
        with self._changing():
            held = self.held(rep)
            gone = held.pop(name, None)
            if gone is not None:
                seal(self._path(rep), self._key, self._workspace, _holder(rep), held)
        return gone

    def drop(self, rep: str) -> tuple[str, ...]:
        """Take all of a rep's credentials away; their names."""
        with self._changing():
            path = self._path(rep)
            try:
                names = tuple(sorted(self.held(rep)))
            except VaultError:
                # What does not open must not stay either.
                names = ()
            path.unlink(missing_ok=True)
        return names

    def kept(self) -> tuple[Kept, ...]:
        """What there is, without a value: the workspace's first, then by rep."""
        reps = sorted(
            path.name.removeprefix("rep-").removesuffix(_SUFFIX)
            for path in self._folder.glob(f"rep-*{_SUFFIX}")
        )
        return tuple(
            _told(name, credential, rep)
            for rep in (None, *reps)
            for name, credential in sorted(self.held(rep).items())
        )

    def _path(self, rep: str | None) -> Path:
        return self._folder / (f"{_holder(rep)}{_SUFFIX}")

    @contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise VaultError(
                f"vault {self._folder} cannot be written: {error.strerror}",
                fix="check the path and its owner",
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _holder(rep: str | None) -> str:
    if rep is None:
        return _WORKSPACE
    try:
        return f"rep-{check_name(rep, 'rep')}"
    except BadName as error:
        raise VaultError(error.what, fix=error.fix) from None


def _check(name: str, credential: Credential) -> None:
    try:
        check_name(name, "credential")
    except BadName as error:
        raise VaultError(error.what, fix=error.fix) from None
    value = credential.value if isinstance(credential, Secret) else credential.refresh_token
    if not 1 <= len(value) <= MAX_CHARACTERS:
        raise VaultError(
            f"credential {name} is empty or over {MAX_CHARACTERS} characters",
            fix="check what was pasted",
        )


def _told(name: str, credential: Credential, rep: str | None) -> Kept:
    kind = str(type(credential).__struct_config__.tag)
    scopes = credential.scopes if isinstance(credential, Grant) else ()
    return Kept(name, kind, rep, scopes)
