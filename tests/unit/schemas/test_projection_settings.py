"""`[projections]` in the settings: where blobs may lie, and what is refused by name."""

import pytest

from schemas.sections import BadSettings
from schemas.settings import ProjectionSettings, parse_settings

BASE = 'workspace = "acme"\nreps = ["ann"]\nadmins = ["bob"]\n[policy]\ntools = []\n[projections]\n'


def parsed(section: str) -> ProjectionSettings:
    found = parse_settings(BASE + section, "anyteam.toml").projections
    assert found is not None
    return found


def test_blobs_lie_in_a_folder_unless_a_bucket_is_named() -> None:
    assert parsed("") == ProjectionSettings()
    found = parsed('documents = true\nblobs = "gs://acme-trust/eu/blobs"')
    assert (found.blobs, found.blobs_endpoint) == ("gs://acme-trust/eu/blobs", "")
    assert parsed('documents = true\nblobs = "gs://acme.example.com"').blobs


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ('blobs = "gs://acme-trust"', "projections.blobs needs documents"),
        ('documents = true\nblobs = "s3://acme-trust"', "blobs"),
        ('documents = true\nblobs = "gs://Acme"', "blobs"),
        ('documents = true\nblobs = "gs://acme-trust/a b"', "blobs"),
        ('documents = true\nblobs = "gs://acme-trust\\n"', "blobs"),
        ('blobs_endpoint = "127.0.0.1:9000"', "blobs_endpoint needs projections.blobs"),
        (
            'documents = true\nblobs = "gs://acme-trust"\nblobs_endpoint = "192.0.2.1:9000"',
            "projections.blobs_endpoint '192.0.2.1:9000' is not on loopback",
        ),
        (
            'documents = true\nblobs = "gs://acme-trust"\nblobs_endpoint = "localhost:9000"',
            "projections.blobs_endpoint 'localhost:9000' is no address",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(section: str, named: str) -> None:
    with pytest.raises(BadSettings, match=named):
        parsed(section)
