"""Providers of key management under test, each with two workspaces of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from crypto.keyfile import write_secret
from crypto.kms import Kms, LocalKms
from crypto.kms.cloud import CloudKms, Deadlines, connected
from schemas.kms import KmsSettings
from tests.contract.google_kms import DECRYPT, ENCRYPT, SIGN, VIEW, GoogleKms

QUICK = Deadlines(request_s=2.0, operation_s=5.0)
WORKSPACES = ("acme", "other")


class KmsBench(Protocol):
    """A provider, and how its wrapping key gets a newer version."""

    def kms(self, workspace: str) -> Kms:
        """The provider as `workspace` uses it."""
        ...

    def age(self, workspace: str) -> None:
        """Make a newer version of the wrapping key, in the provider's own way."""
        ...

    def thief(self, workspace: str) -> Kms:
        """What somebody has who got hold of `workspace`'s keys, and tries them everywhere."""
        ...


class LocalBench:
    """Key files, in the clear or under a passphrase; one folder for both workspaces."""

    def __init__(self, folder: Path, passphrase: str | None) -> None:
        self._folder = folder
        self._passphrase = passphrase
        self._kms = LocalKms(folder, passphrase)

    def kms(self, workspace: str) -> Kms:
        self._kms.create(workspace)
        return self._kms

    def age(self, workspace: str) -> None:
        self._kms.rotate(workspace)

    def thief(self, workspace: str) -> Kms:
        """The workspace's key files under every workspace's name, and the passphrase."""
        den = self._folder.with_name("den")
        for file in self._folder.glob(f"{workspace}.*"):
            for name in WORKSPACES:
                write_secret(den / f"{name}{file.name.removeprefix(workspace)}", file.read_bytes())
        return LocalKms(den, self._passphrase)


class GoogleBench:
    """The loopback server, with a wrapping key and a root for each workspace."""

    def __init__(self, stack: ExitStack) -> None:
        self.server = GoogleKms()
        stack.callback(self.server.stop)
        self._open: dict[str, CloudKms] = {}
        self.settings: dict[str, KmsSettings] = {}
        for workspace in WORKSPACES:
            settings = KmsSettings(
                provider="google",
                wrapping_key=self.server.add_wrapping_key(f"{workspace}-wrapping"),
                root_key=self.server.add_root(f"{workspace}-root"),
                endpoint=self.server.endpoint,
            )
            self.settings[workspace] = settings
            self._open[workspace] = stack.enter_context(connected(settings, QUICK))

    def kms(self, workspace: str) -> CloudKms:
        return self._open[workspace]

    def age(self, workspace: str) -> None:
        self.server.rotate(self.settings[workspace].wrapping_key)

    def thief(self, workspace: str) -> Kms:
        """The workspace's identity at the service, which no other workspace's keys admit."""
        for name, settings in self.settings.items():
            if name != workspace:
                for permission in (ENCRYPT, DECRYPT, SIGN, VIEW):
                    self.server.denied.add((permission, settings.wrapping_key))
                    self.server.denied.add((permission, settings.root_key))
        return self._open[workspace]


PASSPHRASE = "correct horse battery staple"

BENCHES: dict[str, Callable[[Path, ExitStack], KmsBench]] = {
    "local": lambda folder, _: LocalBench(folder, None),
    "passphrase": lambda folder, _: LocalBench(folder, PASSPHRASE),
    "google": lambda _, stack: GoogleBench(stack),
}


@contextmanager
def kms_bench(name: str, folder: Path) -> Iterator[KmsBench]:
    """The bench of one provider, ended afterwards."""
    with ExitStack() as stack:
        yield BENCHES[name](folder, stack)
