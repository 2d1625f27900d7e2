"""Compose file, systemd units and Kubernetes manifest: valid, hardened, and of one mind.

Each is checked by who knows its form: the compose specification's types, Kubernetes' own schemas,
systemd's verifier where the machine has one. What a component sees is the same in all three.
"""

import copy
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from compose_spec import PyCompose

from console.stores import projectors
from console.supervisor import components_of
from ledger.cosignature import WitnessKey
from schemas.settings import parse_settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
OBJECTS: list[dict[str, Any]] = list(
    yaml.safe_load_all((ROOT / "deploy" / "kubernetes" / "anyteam.yaml").read_text())
)
PATCHES = {
    file.stem.removeprefix("with-"): yaml.safe_load(file.read_text())
    for file in sorted((ROOT / "deploy" / "kubernetes").glob("with-*.yaml"))
}
"""What an installation adds by `kubectl patch`, by component."""
COMPONENTS = sorted(set(COMPOSE["services"]) - {"bus"})
IDENTITIES = {"documents": ("projector",), "console": ("console", "rep")}
"""Whose identity a component has, where it is not its own alone: the console exports as a rep."""
ANALYZE = shutil.which("systemd-analyze") or ""
NEEDS = 252  # the first that judges a file that is not installed
FEW = """
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[policy]
organisation = ["acme.example"]
tools = []
"""
ALL = """
[console]
[webhooks]
[projections]
documents = true
[[witnesses.ask]]
url = "https://witness.example.com"
vkey = "{vkey}"
"""
EXPOSURE = 20
"""In tenths, as `systemd-analyze security` counts; without hardening a unit has 96."""


def version() -> int:
    """systemd's, 0 where there is none."""
    if not ANALYZE:
        return 0
    said = subprocess.run([ANALYZE, "--version"], check=True, capture_output=True, text=True)
    found = re.match(r"systemd (\d+)", said.stdout)
    return int(found[1]) if found else 0


def patched(patches: dict[str, Any]) -> dict[str, Any]:
    """The stateful set after these: a strategic merge, in which containers are joined by name."""
    (found,) = [one for one in OBJECTS if one["kind"] == "StatefulSet"]
    found = copy.deepcopy(found)
    for patch in patches.values():
        containers = patch["spec"]["template"]["spec"].pop("containers")
        assert patch == {"spec": {"template": {"spec": {}}}}, "more than a container is changed"
        found["spec"]["template"]["spec"]["containers"] += containers
    return found


def pod() -> dict[str, Any]:
    spec: dict[str, Any] = patched(copy.deepcopy(PATCHES))["spec"]["template"]["spec"]
    return spec


def containers() -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in (*pod()["initContainers"], *pod()["containers"])}


def in_compose(name: str) -> dict[str, str]:
    """What a component sees below its data folder, and whether it may write there."""
    found = {}
    for mount in COMPOSE["services"][name]["volumes"]:
        _, target, *how = mount.split(":")
        found[target.removeprefix("/data/")] = "ro" if how == ["ro"] else "rw"
    return found


def in_pod(name: str) -> dict[str, str]:
    mounts = containers()[name]["volumeMounts"]
    return {
        one["mountPath"].removeprefix("/data/"): "ro" if one.get("readOnly") else "rw"
        for one in mounts
        if one["mountPath"].startswith("/data")
    }


def lines_of(unit: Path) -> Iterator[tuple[str, str]]:
    for line in unit.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            yield key, value


def in_unit(name: str) -> dict[str, str]:
    found = {}
    for key, value in lines_of(ROOT / "deploy" / "systemd" / f"anyteam-{name}.service"):
        if key in ("BindPaths", "BindReadOnlyPaths"):
            target = value.rpartition(":")[2]
            how = "ro" if key == "BindReadOnlyPaths" else "rw"
            found[target.removeprefix("/var/lib/anyteam/")] = how
    return found


def test_the_compose_file_is_one() -> None:
    # As JSON: the types know no merge keys, which YAML has resolved by then.
    PyCompose.from_json(json.dumps(COMPOSE)).validate()


@pytest.mark.parametrize("version", ["1.29", "1.36"])
def test_the_manifest_is_what_kubernetes_takes(version: str) -> None:
    for one in OBJECTS:
        kubernetes_validate.validate(one, version, strict=True)
    kubernetes_validate.validate(patched(copy.deepcopy(PATCHES)), version, strict=True)


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_sees_the_same_files_in_every_form(name: str) -> None:
    assert in_compose(name) == in_pod(name) == in_unit(name)


@pytest.mark.parametrize("name", COMPONENTS)
def test_no_component_sees_another_ones_secrets(name: str) -> None:
    seen = in_compose(name)
    own = {f"identities/{one}" for one in IDENTITIES.get(name, (name,))}
    assert {path for path in seen if path.startswith("identities")} == own
    holders = {"kms": "sidecar", "vault": "sidecar", "tls/runs.key": "orchestrator"}
    holders |= {"people": "console"}
    for secret, holder in holders.items():
        assert (secret in seen) == (name == holder)
    assert not {"", "operator", "nats", "tls", "tls/ca.key", "tls/server.key"} & set(seen)


def test_what_takes_a_section_of_the_settings_is_started_by_nobody_who_does_not_ask_for_it() -> (
    None
):
    needed = set(components_of(parse_settings(FEW, "here"))) | set(
        projectors(parse_settings(FEW, "here"))
    )
    asked_for = {name for name, one in COMPOSE["services"].items() if "profiles" in one}
    assert asked_for == set(PATCHES) == set(COMPONENTS) - set(needed)


def test_every_component_there_is_has_its_service() -> None:
    witness = WitnessKey("witness.example.com/w1", bytes(32)).vkey
    settings = parse_settings(FEW + ALL.format(vkey=witness), "here")
    there = {**components_of(settings), **projectors(settings)}
    assert set(COMPONENTS) == set(there)


def test_every_service_runs_as_nobody_on_a_root_it_cannot_write_to() -> None:
    for one in COMPOSE["services"].values():
        assert one["user"] == "10001:10001" and one["read_only"] is True
        assert one["cap_drop"] == ["ALL"] and one["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in one and "ports" not in one
    for held in containers().values():
        shut = held["securityContext"]
        assert shut["readOnlyRootFilesystem"] is True and shut["capabilities"] == {"drop": ["ALL"]}
        assert shut["allowPrivilegeEscalation"] is False
    assert pod()["securityContext"]["runAsNonRoot"] is True


@pytest.mark.parametrize("name", COMPONENTS)
def test_whoever_minds_a_component_looks_whether_it_lives(name: str) -> None:
    unit = dict(lines_of(ROOT / "deploy" / "systemd" / f"anyteam-{name}.service"))
    assert unit["WatchdogSec"] == "60" and unit["WatchdogSignal"] == "SIGKILL"
    service, held = COMPOSE["services"][name], containers()[name]
    assert service["environment"]["ANYTEAM_BEAT"] in service["healthcheck"]["test"][1]
    (beat,) = [one["value"] for one in held["env"] if one["name"] == "ANYTEAM_BEAT"]
    assert Path(beat).stem == name, "containers of a pod share their /tmp"
    assert beat in held["livenessProbe"]["exec"]["command"][-1]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_every_unit_starts_a_command_there_is(unit: Path) -> None:
    (started,) = [value for key, value in lines_of(unit) if key == "ExecStart"]
    words = re.fullmatch(r"/usr/local/bin/anyteam (up|up --bus-only|component (\w+))", started)
    assert words is not None
    assert words[2] is None or words[2] in COMPONENTS


@pytest.mark.skipif(version() < NEEDS, reason=f"this machine has no systemd-analyze of {NEEDS}")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_every_unit_is_valid_and_hardened_by_systemds_own_word(unit: Path, tmp_path: Path) -> None:
    for one in UNITS:
        text = one.read_text().replace("/usr/local/bin/anyteam", "/bin/true")
        (tmp_path / one.name).write_text(text)
    for words in (
        ("verify", "--man=no"),
        ("security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE}"),
    ):
        done = subprocess.run(
            [ANALYZE, *words, str(tmp_path / unit.name)],
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        # What it does not know it says, and passes over.
        assert "ignoring" not in done.stderr, done.stderr
