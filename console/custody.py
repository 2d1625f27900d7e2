"""The workspace's KMS as a command uses it, and its passphrase, asked for at most once.

A passphrase is read from the terminal or from a descriptor that the caller opened
(`anyteam --passphrase-fd 3 up 3< file`). It is never an argument or in the environment, which
other processes can read (docs/decisions/0009).
"""

import os
import sys
from contextlib import AbstractContextManager
from contextvars import ContextVar

import typer

from bus.folder import DataFolder
from crypto.errors import KeyFileError, KmsDenied, PassphraseMissing, WrongPassphrase
from crypto.kms import Kms, load_keyring, open_kms
from crypto.sealing import ContentKeys, NoKeys, WorkspaceKeys
from schemas.settings import Settings

_descriptor: ContextVar[int | None] = ContextVar("passphrase descriptor", default=None)
_given: ContextVar[str | None] = ContextVar("passphrase", default=None)


def read_passphrase_from(descriptor: int | None) -> None:
    """Say where this command's passphrase comes from; the terminal where that is None."""
    _descriptor.set(descriptor)
    _given.set(None)


def passphrase_for(folder: DataFolder, settings: Settings) -> str | None:
    """The passphrase of the workspace's key files, None where the settings want none.

    Raises `PassphraseMissing` where there is neither descriptor nor terminal. New key files are
    sealed only under one that was typed twice.
    """
    if not settings.kms.passphrase:
        return None
    given = _given.get()
    if given is None:
        made = any(folder.kms.glob(f"{settings.workspace}.*"))
        given = _ask(confirm=False) if made else new_passphrase()
        _given.set(given)
    return given


def new_passphrase() -> str:
    """A passphrase that keys are to be sealed under from now on."""
    return _ask(confirm=True)


def present_passphrase(folder: DataFolder, settings: Settings) -> str | None:
    """The one that key files are sealed under now, None where none is sealed."""
    if not any(folder.kms.glob(f"{settings.workspace}.*.sealed")):
        return None
    return _ask(confirm=False)


def workspace_kms(folder: DataFolder, settings: Settings) -> AbstractContextManager[Kms]:
    """The KMS that the settings name, unlocked."""
    return open_kms(settings.kms, folder.kms, passphrase_for(folder, settings))


def content_keys(folder: DataFolder, settings: Settings) -> ContentKeys:
    """The workspace's content keys, none where this person or machine does not hold them.

    A passphrase that is wrong, or a service that does not answer, is an error: content that
    stays sealed for such a reason would look like content one may not see.
    """
    workspace = settings.workspace
    try:
        with workspace_kms(folder, settings) as kms:
            ring = load_keyring(kms, folder.keyring_file(workspace), workspace)
    except (KeyFileError, KmsDenied, PassphraseMissing):
        return NoKeys()
    return WorkspaceKeys(ring)


def _ask(*, confirm: bool) -> str:
    descriptor = _descriptor.get()
    if descriptor is not None:
        return _line(descriptor)
    if not sys.stdin.isatty():
        raise PassphraseMissing(
            "the workspace's key files are sealed under a passphrase",
            fix="run this in a terminal, or give --passphrase-fd a descriptor to read it from",
        )
    text = "new passphrase" if confirm else "passphrase"
    return str(typer.prompt(text, hide_input=True, confirmation_prompt=confirm, err=True))


def _line(descriptor: int) -> str:
    """The descriptor's next line; what follows stays unread, for others may want it."""
    try:
        with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as file:
            line = file.readline()
        text = line.decode()
    except OSError as error:
        raise PassphraseMissing(
            f"--passphrase-fd {descriptor} cannot be read: {error.strerror}",
            fix=f"open it for the command, as in `{descriptor}< file`",
        ) from error
    except UnicodeDecodeError:
        raise WrongPassphrase("the passphrase is not UTF-8", fix="check the file's text") from None
    if not text:
        raise PassphraseMissing(f"--passphrase-fd {descriptor} is at its end", fix="give one line")
    return text.rstrip("\r\n")
