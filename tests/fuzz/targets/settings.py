"""Files that people and installations write: settings, declarations, descriptions, keys, codes."""

import re
from collections.abc import Callable
from pathlib import Path

from agents.errors import AgentError
from agents.planners.scripted import load_plan
from crypto.errors import CryptoError, SealError
from crypto.keyfile import read_key, read_public, write_public
from crypto.keyring import decode_keyring, encode_keyring, new_keyring
from crypto.kms.local import LocalKms
from crypto.kms.provider import Wrapped, decode_wrapped, encode_wrapped
from crypto.kms.ringfile import ensure_keyring, load_keyring
from desktop_agent.settings import parse_desktop_settings
from projections.webhooks.errors import WebhookError
from projections.webhooks.signature import key_of
from projections.webhooks.target import target_of
from schemas.declarations import parse_declarations
from schemas.enrolment import Code, format_code, parse_code
from schemas.errors import AnyTeamError, SchemaError
from schemas.settings import parse_settings
from sidecar.connectors.openapi import operation_of, parse_description
from sidecar.errors import SidecarError
from sidecar.gate.rules import prepare
from sidecar.vault.credentials import Secret
from sidecar.vault.sealed import seal, unseal
from tests.fuzz import seeds
from tests.fuzz.target import Target

_DOCUMENTED = Path(__file__).parents[3] / "docs" / "configuration.md"
_HEAD = 'workspace = "acme"\nreps = ["ann"]\nadmins = ["ada"]\n'
_POLICY = '[policy]\ntools = ["files.read"]\n'
_MODELS = '[model]\nmodel = "a/b"\nurl = "https://models.example.com"\nlocal = false\n'
_TOOL = """\
[tool.keep]
name = "notes.keep"
allow = true
digest = "sha256:{digest}"
arguments = '{"type": "object", "properties": {"text": {"type": "string"}}}'
summary = "Keep a note"
effect = "mutation"
contents = ["text"]
confirm = "answer"
"""
_DESKTOP = f'model = "a.bin"\nmodel_sha256 = "{"0" * 64}"\nlanguage = "en"\nhold_s = 5\n'
_PLAN = b'{"steps": [{"tool": "files.write", "arguments": {"path": "a"}, "purpose": "x"}]}'
_API = b"""\
openapi: 3.1.0
info: {title: Bills, version: "1"}
paths:
  /bills/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: read, summary: Read, parameters: [{$ref: '#/components/parameters/n'}]}
    put:
      operationId: write
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/B'}}}}
components:
  parameters: {n: {name: n, in: query, schema: {type: integer}}}
  schemas:
    A: {type: object, properties: {sum: {type: number}}}
    B: {type: object, properties: {each: {type: array, items: {$ref: '#/components/schemas/A'}}}}
"""
_RULE = b'@hold("look")\nforbid(principal, action == Action::"egress", resource) when { true };'


def targets() -> tuple[Target, ...]:
    """The targets of this room."""
    key = bytes(32)
    return (
        Target(
            name="settings",
            seeds=_settings(),
            decode=_text(lambda text: parse_settings(text, "anyteam.toml")),
            errors=(SchemaError,),
        ),
        Target(
            name="MCP declarations",
            seeds=(_TOOL.replace("{digest}", "0" * 64).encode(),),
            decode=_text(lambda text: parse_declarations("notes", "notes.toml", text)),
            errors=(SchemaError,),
        ),
        Target(
            name="desktop settings",
            seeds=(_DESKTOP.encode(),),
            decode=_text(parse_desktop_settings),
        ),
        Target(name="plan", seeds=(_PLAN,), decode=_file("plan", load_plan), errors=(AgentError,)),
        Target(name="API description", seeds=(_API,), decode=_described, errors=(SidecarError,)),
        Target(name="Cedar rules", seeds=(_RULE,), decode=_text(prepare), errors=()),
        Target(
            name="webhook secret",
            seeds=(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",),
            decode=_text(key_of),
            errors=(WebhookError,),
        ),
        Target(
            name="webhook address",
            seeds=(b"https://hooks.example.com:8443/a?b=c", b"https://[2001:db8::1]/"),
            decode=_text(target_of),
            errors=(WebhookError,),
        ),
        Target(
            name="enrolment code",
            seeds=(format_code(Code("127.0.0.1", 9, bytes(32), bytes(16))).encode(),),
            decode=_text(parse_code),
            errors=(SchemaError,),
        ),
        Target(
            name="key file",
            seeds=(key.hex().encode() + b"\n",),
            decode=_file("key", read_key),
            errors=(CryptoError,),
        ),
        Target(
            name="public key",
            seeds=(_public(),),
            decode=_file("public", read_public),
            errors=(CryptoError,),
        ),
        Target(
            name="wrapped key",
            seeds=(encode_wrapped(Wrapped("local", "1", bytes(60))),),
            decode=decode_wrapped,
            errors=(SealError,),
        ),
        Target(
            name="keyring",
            seeds=(encode_keyring(new_keyring(bytes)),),
            decode=decode_keyring,
            errors=(SealError,),
        ),
        Target(name="keyring file", seeds=(_ring(),), decode=_file("ring", _ring_in)),
        Target(name="vault", seeds=(_vault(),), decode=_file("vault", _unsealed)),
    )


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("utf-8", "replace"))


def _file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    def written(data: bytes) -> object:
        path = seeds.scratch() / name
        path.write_bytes(data)
        path.chmod(0o600)
        return read(path)

    return written


def _settings() -> tuple[bytes, ...]:
    """Each block of the documentation that is a file together with what every file has."""
    found = [_HEAD + _POLICY, _HEAD + _POLICY + _MODELS]
    for block in re.findall(r"```toml\n(.*?)```", _DOCUMENTED.read_text(), re.DOTALL):
        for text in (_HEAD + block, _HEAD + _POLICY + block):
            try:
                parse_settings(text, "documentation")
            except AnyTeamError:
                continue
            found.append(text)
    return tuple(text.encode() for text in found)


def _described(data: bytes) -> None:
    document = parse_description(data, "api.yaml")
    try:
        operation_of(document, "read", "api.yaml")
    finally:
        operation_of(document, "write", "api.yaml")


def _public() -> bytes:
    path = seeds.scratch() / "made.pub"
    write_public(path, seeds.ledger().root_public)
    return path.read_bytes()


def _kms() -> LocalKms:
    kms = LocalKms(seeds.scratch() / "kms")
    kms.create("acme")
    return kms


def _ring() -> bytes:
    path = seeds.scratch() / "made.ring"
    ensure_keyring(_kms(), path, "acme")
    return path.read_bytes()


def _ring_in(path: Path) -> object:
    return load_keyring(_kms(), path, "acme")


def _vault() -> bytes:
    path = seeds.scratch() / "made.vault"
    seal(path, bytes(32), "acme", "ann", {"crm": Secret("token")})
    return path.read_bytes()


def _unsealed(path: Path) -> object:
    return unseal(path, bytes(32), "acme", "ann")
