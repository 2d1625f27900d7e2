"""A ledger on another number of servers than the settings have is refused before any is started."""

from pathlib import Path

import pytest

from bus.folder import DataFolder
from console.installation import start_bus
from schemas.sections import BadSettings
from schemas.settings import parse_settings

SETTINGS = """\
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[policy]
tools = []
[bus]
servers = {servers}
"""


@pytest.mark.parametrize(
    ("there", "servers"),
    [
        (("jetstream",), 3),
        (("anyteam-1/jetstream", "anyteam-2/jetstream", "anyteam-3/jetstream"), 1),
        (("anyteam-1/jetstream", "anyteam-2/jetstream", "anyteam-3/jetstream"), 5),
    ],
)
async def test_a_ledger_is_not_taken_for_an_empty_one(
    tmp_path: Path, there: tuple[str, ...], servers: int
) -> None:
    for name in there:
        (tmp_path / "nats" / name).mkdir(parents=True)
    settings = parse_settings(SETTINGS.format(servers=servers), "anyteam.toml")
    with pytest.raises(BadSettings, match=r"bus\.servers .* lies on [13] .*restore"):
        await start_bus(DataFolder(tmp_path), settings)


@pytest.mark.parametrize("servers", [0, 2, 4, 7])
def test_a_number_of_servers_without_a_majority_worth_it_is_refused(servers: int) -> None:
    with pytest.raises(BadSettings, match="servers"):
        parse_settings(SETTINGS.format(servers=servers), "anyteam.toml")
