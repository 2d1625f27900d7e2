"""From settings to a provider, for as long as it is needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crypto.errors import KmsSetup, PassphraseMissing
from crypto.kms.local import LocalKms
from crypto.kms.provider import Kms
from schemas.kms import KmsSettings


@contextmanager
def open_kms(settings: KmsSettings, folder: Path, passphrase: str | None = None) -> Iterator[Kms]:
    """The provider that `settings` name; `folder` is where local key files lie.

    Raises `KmsSetup` where it cannot be used here, `PassphraseMissing` where one is needed.
    """
    if settings.provider == "local":
        if settings.passphrase and passphrase is None:
            raise PassphraseMissing(
                "the workspace's key files are sealed under a passphrase",
                fix="run this in a terminal, or give --passphrase-fd a descriptor to read it from",
            )
        yield LocalKms(folder, passphrase if settings.passphrase else None)
        return
    try:
        # Here and not above: the library is an extra, and takes a second to import.
        from crypto.kms.cloud import connected
    except ImportError as error:
        raise KmsSetup(
            f'kms.provider is "google", and a library for it is missing: {error.name}',
            fix="install the extra: pip install 'anyteam-trust[gcp]'",
        ) from error
    with connected(settings) as kms:
        yield kms
