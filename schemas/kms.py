"""Which key-management service holds a workspace's keys: `[kms]` in the settings.

Resource names are those of Google Cloud KMS. The wrapping key is named without a version, since
the service wraps under its primary one; the root with one, since its public key is the trust
anchor of every export and must never change by itself.
"""

from ipaddress import ip_address
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from schemas.nameservers import name_server

_PART: Final = r"[A-Za-z0-9_-]{1,63}"
_KEY: Final = (
    r"projects/[a-z0-9][a-z0-9.:-]{1,61}[a-z0-9]/locations/[a-z0-9-]{1,63}"
    rf"/keyRings/{_PART}/cryptoKeys/{_PART}"
)

WrappingKey = Annotated[str, Meta(pattern=rf"^({_KEY})?$(?!\n)")]
RootKey = Annotated[str, Meta(pattern=rf"^({_KEY}/cryptoKeyVersions/[0-9]{{1,10}})?$(?!\n)")]


class KmsSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`passphrase` seals the local key files; the other keys are the provider google's.

    `endpoint` is an emulator's, an address and port on loopback, reached without credentials.
    """

    provider: Literal["local", "google"] = "local"
    passphrase: bool = False
    wrapping_key: WrappingKey = ""
    root_key: RootKey = ""
    endpoint: str = ""


def check_kms(chosen: KmsSettings) -> None:
    """Return where the section's keys fit each other. Raises ValueError, naming the key."""
    google = {
        "wrapping_key": chosen.wrapping_key,
        "root_key": chosen.root_key,
        "endpoint": chosen.endpoint,
    }
    if chosen.provider == "local":
        stray = [name for name, value in google.items() if value]
        if stray:
            raise ValueError(f'kms.{stray[0]} is for provider = "google"')
        return
    if chosen.passphrase:
        raise ValueError('kms.passphrase is for provider = "local": Google\'s keys are no files')
    for name in ("wrapping_key", "root_key"):
        if not google[name]:
            raise ValueError(f"kms.{name} is missing")
    if chosen.root_key.startswith(f"{chosen.wrapping_key}/"):
        raise ValueError("kms.root_key is a version of kms.wrapping_key; one key has one purpose")
    if chosen.endpoint:
        loopback(chosen.endpoint)


def loopback(endpoint: str, key: str = "kms.endpoint") -> tuple[str, int]:
    """(address, port) of an endpoint on loopback. Raises ValueError for any other, naming `key`.

    A name is refused too, `localhost` included: where it leads is the resolver's to say.
    """
    try:
        address, port = name_server(endpoint, 0)
    except ValueError:
        raise ValueError(f"{key} {endpoint!r} is no address and port on loopback") from None
    if not ip_address(address).is_loopback:
        raise ValueError(f"{key} {endpoint!r} is not on loopback")
    return address, port
