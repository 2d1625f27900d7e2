"""A real SAML identity provider for tests: nanoidp, which shares no code with what is under test.

`python -m tests.saml_provider FOLDER`: serves on loopback at a port that the system picks, says
where as a line of its output, and ends with its standard input.
"""

import base64
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml
from selectolax.lexbor import LexborHTMLParser

PASSWORD = "a-password-for-tests"
_SETTINGS: dict[str, Any] = {
    "config_version": 1,
    "oauth": {"issuer": "http://localhost", "issuer_from_request": True, "clients": []},
    "rate_limit": {"enabled": False},
}


@contextmanager
def saml_provider(folder: Path, people: dict[str, str]) -> Iterator[str]:
    """Its origin, while it runs; `people` are names of theirs with their mail addresses."""
    folder.mkdir()
    users = {name: {"password": PASSWORD, "email": address} for name, address in people.items()}
    (folder / "users.yaml").write_text(yaml.safe_dump({"config_version": 1, "users": users}))
    (folder / "settings.yaml").write_text(yaml.safe_dump(_SETTINGS))
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.saml_provider", str(folder)],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        origin = server.stdout.readline().strip()
        assert origin, (folder / "log").read_text()
        yield origin
    finally:
        server.stdin.close()
        server.stdout.close()
        server.wait()


def metadata_of(origin: str) -> bytes:
    """What its admin hands out."""
    return httpx.get(f"{origin}/saml/metadata").raise_for_status().content


def signed_in(url: str, name: str) -> dict[str, str]:
    """What a person does there; the form that its page has their browser send to us."""
    with httpx.Client(follow_redirects=True) as client:
        page = LexborHTMLParser(client.get(url).raise_for_status().text)
        fields = {
            each.attributes["name"] or "": each.attributes.get("value") or ""
            for each in page.css("input[name]")
        }
        fields |= {"username": name, "password": PASSWORD}
        answer = client.post(url.partition("?")[0], data=fields).raise_for_status()
    form = LexborHTMLParser(answer.text).css_first("form")
    assert form is not None, answer.text
    said = {
        each.attributes["name"] or "": each.attributes.get("value") or ""
        for each in form.css("input[name]")
    }
    assert base64.b64decode(said["SAMLResponse"]), answer.text
    return {"action": form.attributes["action"] or "", **said}


def _serve(folder: Path) -> None:
    from nanoidp.app import create_app
    from werkzeug.serving import make_server

    # It keeps its keys where it stands.
    os.chdir(folder)
    server = make_server("127.0.0.1", 0, create_app(str(folder)), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://localhost:{server.server_port}", flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
