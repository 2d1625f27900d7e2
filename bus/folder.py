"""The data folder: where each thing lies. Paths only; whoever reads one checks its mode."""

import json
from pathlib import Path

from msgspec import Struct

from bus.errors import StreamUnavailable
from crypto.keyfile import read_public
from schemas.declarations import with_declarations
from schemas.names import Role
from schemas.sections import BadSettings
from schemas.settings import Settings, parse_settings


class DataFolder(Struct, frozen=True):
    """One installation's files below `root`."""

    root: Path

    @property
    def settings_file(self) -> Path:
        """The configuration."""
        return self.root / "anyteam.toml"

    @property
    def root_public_file(self) -> Path:
        """The workspace root's public key, PEM. Auditors get a copy by another way."""
        return self.root / "root.pub"

    @property
    def bus_file(self) -> Path:
        """Where the running bus is: `{"url": ...}`, its servers with commas between them."""
        return self.root / "run" / "bus.json"

    @property
    def started_file(self) -> Path:
        """What the components were started with (`console.standing`)."""
        return self.root / "run" / "started.json"

    @property
    def tls(self) -> Path:
        """Certificates."""
        return self.root / "tls"

    def identity(self, role: Role) -> Path:
        """A standing component's own folder: its event key and bus credentials."""
        return self.root / "identities" / role.value

    def archive(self, workspace: str) -> Path:
        """Where closed epochs of the ledger lie once they are archived."""
        return self.root / "archive" / workspace

    def snapshot(self, component: str) -> Path:
        """What a component starts from; may be deleted at any time."""
        return self.root / "snapshots" / component

    @property
    def witnesses(self) -> Path:
        """What the feeder knows of the ledger, and the cosignatures that witnesses gave."""
        return self.root / "witnesses"

    def ownership(self, component: str) -> Path:
        """Whose lock says which process does a component's work."""
        return self.root / "outbox" / f"{component}.lock"

    def beat(self, component: str) -> Path:
        """What a component touches each second, where whoever started it looks for it."""
        return self.root / "run" / f"{component}.beat"

    def person(self, name: str) -> Path:
        """A rep's or admin's own folder: their event key."""
        return self.root / "people" / name

    @property
    def kms(self) -> Path:
        """The local KMS's key files."""
        return self.root / "kms"

    def data_key_file(self, workspace: str) -> Path:
        """The workspace's data key, wrapped by the KMS."""
        return self.root / "vault" / f"{workspace}.datakey"

    def keyring_file(self, workspace: str) -> Path:
        """The keys of the workspace's content, sealed under a key that the KMS wraps."""
        return self.root / "vault" / f"{workspace}.keyring"

    def vault(self, workspace: str) -> Path:
        """Where the workspace's and its reps' credentials lie, sealed under its data key."""
        return self.root / "vault" / workspace

    @property
    def webhook_key_file(self) -> Path:
        """The key that opens the webhook endpoints' secrets."""
        return self.identity(Role.WEBHOOKS) / "secrets.key"

    @property
    def webhook_file(self) -> Path:
        """The webhooks' database: endpoints, how far each has come, delivery log."""
        return self.root / "webhooks" / "webhooks.sqlite"

    @property
    def console_file(self) -> Path:
        """Where the running console is: `{"url": ...}`."""
        return self.root / "run" / "console.json"

    def socket(self, run: str) -> Path:
        """Where a run that is served takes calls."""
        return self.root / "run" / f"{run}.sock"

    def mcp_file(self, server: str) -> Path:
        """What is declared of an MCP server's tools."""
        return self.root / "mcp" / f"{server}.toml"

    def log(self, name: str) -> Path:
        """A component's log."""
        return self.root / "logs" / f"{name}.log"

    def settings(self) -> Settings:
        """The configuration. Raises `BadSettings`."""
        try:
            text = self.settings_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadSettings(
                f"{self.settings_file} cannot be read: {error}", fix="run `anyteam up` to make one"
            ) from error
        settings = parse_settings(text, str(self.settings_file))
        pinned = [name for name in settings.connectors.mcp if self.mcp_file(name).exists()]
        return with_declarations(
            settings, {name: _declared(self.mcp_file(name)) for name in pinned}
        )

    def root_public(self) -> bytes:
        """The root's raw public key. Raises `KeyFileError`."""
        return read_public(self.root_public_file)

    def bus_url(self) -> str:
        """Where the bus listens. Raises `StreamUnavailable` where it is not up."""
        try:
            return str(json.loads(self.bus_file.read_text())["url"])
        except (OSError, ValueError, KeyError) as error:
            raise StreamUnavailable(
                f"no bus is running on {self.root}", fix="start it with `anyteam up`"
            ) from error


def _declared(path: Path) -> tuple[str, str]:
    try:
        return str(path), path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path} cannot be read: {error}", fix="anyteam mcp pin") from error
