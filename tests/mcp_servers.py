"""MCP servers that nobody here wrote: the reference servers, from npm by its ordinary client.

They are installed once, into pytest's cache folder. Where npm is missing or cannot install them
the tests that need them are skipped, and say so.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import pytest

VERSION: Final = "2026.8.31"
SERVERS: Final = ("server-filesystem", "server-everything", "server-memory")
INSTALL_S: Final = 180


def installed(cache: Path) -> Path:
    """The folder with the servers below it; installs them where it is empty. May skip."""
    target = cache / VERSION
    if target.exists():
        return target
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("npm and node are not installed here")
    with tempfile.TemporaryDirectory(dir=cache) as work:
        packages = [f"@modelcontextprotocol/{server}@{VERSION}" for server in SERVERS]
        try:
            done = subprocess.run(
                [npm, "install", "--no-audit", "--no-fund", "--prefix", work, *packages],
                cwd=work,
                capture_output=True,
                text=True,
                timeout=INSTALL_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm did not install the MCP servers within {INSTALL_S} s")
        if done.returncode != 0:
            pytest.skip(f"npm cannot install the MCP servers: {done.stderr.strip()[-200:]}")
        try:
            os.rename(work, target)
        except OSError:
            # Another worker was first.
            assert target.exists()
        Path(work).mkdir(exist_ok=True)
    return target


def command(folder: Path, server: str, *arguments: str) -> tuple[str, ...]:
    """How to start one of them over stdio."""
    node = shutil.which("node")
    assert node is not None
    script = folder / "node_modules" / "@modelcontextprotocol" / server / "dist" / "index.js"
    return (node, str(script), *arguments)
