"""`[kms]` in the settings: what fits together, and what is refused by name."""

import pytest

from schemas.kms import KmsSettings, loopback
from schemas.sections import BadSettings
from schemas.settings import parse_settings

RING = "projects/acme-prod/locations/europe-west3/keyRings/anyteam/cryptoKeys"
WRAPPING = f"{RING}/wrapping"
ROOT = f"{RING}/root/cryptoKeyVersions/1"
BASE = 'workspace = "acme"\nreps = ["ann"]\nadmins = ["bob"]\n[policy]\ntools = []\n[kms]\n'
GOOGLE = f'provider = "google"\nwrapping_key = "{WRAPPING}"\nroot_key = "{ROOT}"\n'


def parsed(section: str) -> KmsSettings:
    return parse_settings(BASE + section, "anyteam.toml").kms


def test_the_default_is_local_and_in_the_clear() -> None:
    assert parsed("") == KmsSettings()
    assert KmsSettings().provider == "local" and not KmsSettings().passphrase


def test_google_takes_two_keys_and_an_endpoint_on_loopback() -> None:
    found = parsed(GOOGLE + 'endpoint = "127.0.0.1:9000"')
    assert found.wrapping_key == WRAPPING and found.root_key == ROOT
    assert loopback("[::1]:9000") == ("::1", 9000)


@pytest.mark.parametrize("project", ["example.com:acme-prod", "123456789012", "acme-prod"], ids=str)
def test_every_form_of_a_projects_name_is_taken(project: str) -> None:
    assert parsed(GOOGLE.replace("acme-prod", project)).wrapping_key.split("/")[1] == project


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ('provider = "aws"', "provider"),
        ("passphrase = 1", "passphrase"),
        ("colour = 1", "colour"),
        (f'wrapping_key = "{WRAPPING}"', "wrapping_key"),
        ('endpoint = "127.0.0.1:1"', "endpoint"),
        ('provider = "google"', "wrapping_key"),
        (f'provider = "google"\nwrapping_key = "{WRAPPING}"', "root_key"),
        (GOOGLE + "passphrase = true", "passphrase"),
        (GOOGLE.replace(WRAPPING, f"{WRAPPING}/cryptoKeyVersions/1"), "wrapping_key"),
        (GOOGLE.replace(WRAPPING, f"{WRAPPING}/../other"), "wrapping_key"),
        (GOOGLE.replace(WRAPPING, f"/{WRAPPING}"), "wrapping_key"),
        (GOOGLE.replace(ROOT, f"{RING}/root"), "root_key"),
        (GOOGLE.replace(ROOT, f"{ROOT}\\n"), "root_key"),
        (GOOGLE.replace(ROOT, f"{WRAPPING}/cryptoKeyVersions/1"), "root_key"),
        (GOOGLE + 'endpoint = "cloudkms.example.com:443"', "endpoint"),
        (GOOGLE + 'endpoint = "localhost:9000"', "endpoint"),
        (GOOGLE + 'endpoint = "127.0.0.1"', "endpoint"),
        (GOOGLE + 'endpoint = "192.0.2.7:9000"', "endpoint"),
        (GOOGLE + 'endpoint = "0.0.0.0:9000"', "endpoint"),
    ],
)
def test_what_does_not_fit_is_named(section: str, named: str) -> None:
    with pytest.raises(BadSettings, match=named) as refused:
        parsed(section)
    assert refused.value.exit_code == 2 and refused.value.fix
