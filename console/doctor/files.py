"""What the data folder and the machine say while nothing runs: settings, keys, modes, room, dates.

Reads files and asks the file system; connects to nothing.
"""

import datetime
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from cryptography import x509

from bus.folder import DataFolder
from bus.server import find_binary
from bus.tls import TlsFiles
from console.declaring import policy_of
from console.doctor.finding import Finding, State
from console.standing import unchanged
from console.web.saml.description import read_description
from schemas.names import Role
from schemas.settings import Settings

SECRETS: Final = ("identities", "people", "kms", "vault", "operator", "snapshots")
"""The folders below the data folder of which nothing is anybody else's business."""
LEAST_FREE: Final = 256 * 2**20
FEW_FREE: Final = 2 * 2**30
"""Bytes free under the ledger below which it is about to stop, and below which to make room."""
SOON: Final = datetime.timedelta(days=30)


def settings_stand(folder: DataFolder, settings: Settings) -> Iterator[Finding]:
    """Whether the policy can be made of the settings, and whether a running installation has them.

    Raises `BadSettings` or `NeedsRestart`.
    """
    policy = policy_of(settings, 1, folder.root)
    yield Finding("settings", State.OK, f"tools: {len(policy.tools)}, agents: {len(policy.agents)}")
    if folder.started_file.exists():
        unchanged(folder.started_file, settings)


def packages(settings: Settings) -> Iterator[Finding]:
    """Whether what the settings switch on is installed."""
    connectors = settings.connectors
    wanted = {
        "mcp": ("mcp", bool(connectors.mcp)),
        "google.cloud.kms_v1": ("gcp", settings.kms.provider == "google"),
        "litellm": ("models", settings.model is not None or settings.judge is not None),
        "psycopg": ("projections", settings.projections is not None),
        "pymongo": (
            "stores",
            settings.projections is not None and settings.projections.documents,
        ),
        "minisaml": ("saml", bool(settings.console and settings.console.saml)),
    }
    missing = [(name, extra) for name, (extra, on) in wanted.items() if on and not _there(name)]
    for name, extra in missing:
        yield Finding(
            "packages",
            State.FAULT,
            f"the settings need the package {name}, which is not installed",
            f"pip install 'anyteam-trust[{extra}]'",
        )
    if not missing:
        yield Finding("packages", State.OK, "all that the settings need are installed")
    yield Finding("bus", State.OK, f"nats-server is {find_binary()}")


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def modes(folder: DataFolder) -> Iterator[Finding]:
    """Whether anybody but the owner may read a secret, or may write what the ledger rests on."""
    open_to = list(wide_open(folder.root))
    for path, mode in open_to:
        yield Finding(
            "modes",
            State.FAULT,
            f"{path} has mode {mode:04o}; others may read it",
            f"chmod go-rwx {path}, and replace the key if others could have read it",
        )
    if not open_to:
        yield Finding("modes", State.OK, "no secret is open to others")


def wide_open(root: Path) -> Iterator[tuple[Path, int]]:
    """Each secret below `root` that others may reach, with its mode.

    A file in a folder that others may not enter is out of their reach, whatever its mode.
    """
    mode = stat.S_IMODE(root.stat().st_mode)
    if not mode & 0o011:
        return
    for top in (*(root / name for name in SECRETS), root / "tls"):
        for place, _, names in os.walk(top):
            if stat.S_IMODE(Path(place).stat().st_mode) & 0o011:
                yield from _wide_files(Path(place), names, only_keys=top.name == "tls")


def _wide_files(
    place: Path, names: Iterable[str], *, only_keys: bool
) -> Iterator[tuple[Path, int]]:
    for name in names:
        path = place / name
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077 and path.suffix not in (".crt", ".pub", ".lock"):
            if not only_keys or path.suffix == ".key":
                yield path, mode


def keys_at_rest(folder: DataFolder, settings: Settings) -> Iterator[Finding]:
    """Whether the workspace's key files are sealed."""
    if settings.kms.provider == "google":
        yield Finding("keys", State.OK, "the root and the wrapping key are in Google Cloud KMS")
    elif settings.kms.passphrase:
        yield Finding("keys", State.OK, "key files are sealed under a passphrase")
    else:
        yield Finding(
            "keys",
            State.ADVICE,
            f"the key files in {folder.kms} lie in the clear: who copies them opens everything",
            'anyteam key seal, or [kms] provider = "google"',
        )


def sign_in(folder: DataFolder, settings: Settings, now: datetime.datetime) -> Iterator[Finding]:
    """Whether what the sign-in providers need lies where the settings say.

    Raises `ProviderFailed` where an identity provider's metadata does not do.
    """
    console = settings.console
    if console is None:
        return
    own = folder.identity(Role.CONSOLE)
    secrets = [(name, "no client secret", State.ADVICE) for name in console.oidc]
    if console.mail is not None and console.mail.user:
        secrets.append(("mail", "no password for its user", State.FAULT))
    for name, what, state in secrets:
        if not (own / f"{name}.secret").exists():
            yield Finding("sign-in", state, f"{name} has {what}", f"anyteam console secret {name}")
    for name, provider in console.saml.items():
        described = read_description(folder.root / provider.metadata)
        ends = max(each.not_valid_after_utc for each in described.certificates)
        if ends <= now:
            yield Finding(
                "sign-in",
                State.ADVICE,
                f"{name} signs with a certificate that ended on {ends:%Y-%m-%d}",
                f"ask its admin; a new one goes to {provider.metadata}",
            )
    ways = ["link", *console.oidc, *console.saml]
    yield Finding("sign-in", State.OK, f"people sign in by: {', '.join(ways)}")


def room(folder: DataFolder) -> Iterator[Finding]:
    """Whether the ledger has room to grow. What it cannot write stops every action."""
    free = shutil.disk_usage(folder.root).free
    state = State.FAULT if free < LEAST_FREE else State.ADVICE if free < FEW_FREE else State.OK
    yield Finding(
        "room",
        state,
        f"{free / 2**30:.1f} GiB are free under {folder.root}",
        "" if state is State.OK else "make room, or archive closed epochs: anyteam epoch --help",
    )


def dates(folder: DataFolder, now: datetime.datetime) -> Iterator[Finding]:
    """Whether a certificate of the bus ends soon."""
    files = TlsFiles(folder.tls)
    for path in (files.ca, files.server[0], files.client[0], files.runs[0]):
        if not path.exists():
            continue
        ends = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
        yield judged_date(path.name, ends, now)


def judged_date(name: str, ends: datetime.datetime, now: datetime.datetime) -> Finding:
    """How a certificate of this end stands at `now`."""
    state = State.FAULT if ends <= now else State.ADVICE if ends - now < SOON else State.OK
    word = "ended" if ends <= now else "ends"
    return Finding(
        "dates",
        state,
        f"the certificate {name} {word} on {ends:%Y-%m-%d}",
        "" if state is State.OK else "end `anyteam up`, remove the tls folder, start it again",
    )
