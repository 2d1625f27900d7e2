"""What a rep's machine reads: its own processes, its sealed queue, a model's file, an admission."""

import secrets

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crypto.keyfile import ensure_key
from desktop_agent.agent import messages as agent
from desktop_agent.capture.messages import Ended, Failed, Order, decode_order, decode_said, encode
from desktop_agent.enrolled import enrolled_in
from desktop_agent.errors import ModelError
from desktop_agent.model.ctranslate import read_weights
from desktop_agent.queue import Queue, opened
from desktop_agent.signing import Noted, encode_noted
from schemas.captures import CaptureStopped
from schemas.enrolment import Admission, Declined, decode_answer, encode_answer
from schemas.errors import UNREADABLE
from tests.fuzz import seeds
from tests.fuzz.target import Target
from tests.unit.desktop_agent.models import tensors, written
from tests.unit.desktop_agent.test_queue import device


def targets() -> tuple[Target, ...]:
    """The targets of this room."""
    order = Order(model="a.bin", token_key=bytes(32), persons=("Ann",))
    return (
        Target(
            name="capture messages",
            seeds=(encode(Ended(5, 1)), encode(Failed("a", "b"))),
            decode=decode_said,
            errors=UNREADABLE,
        ),
        Target(
            name="capture order", seeds=(encode(order),), decode=decode_order, errors=UNREADABLE
        ),
        Target(
            name="words to the desktop agent",
            seeds=(agent.encode(agent.Start(file="a.wav", consent="yes")),),
            decode=agent.decode_word,
            errors=UNREADABLE,
        ),
        Target(
            name="what the desktop agent says",
            seeds=(agent.encode(agent.Choices((agent.Choice(number=1, name="a", default=True),))),),
            decode=agent.decode_told,
            errors=UNREADABLE,
        ),
        Target(
            name="enrolment answer",
            seeds=(encode_answer(Declined(why="no")), encode_answer(_admission())),
            decode=decode_answer,
            errors=UNREADABLE,
        ),
        Target(
            name="speech model",
            seeds=(written(tensors()),),
            decode=read_weights,
            errors=(ModelError,),
        ),
        Target(name="queue item", seeds=(_item(),), decode=_held),
        Target(name="queue file", seeds=(_file(),), decode=_database),
        Target(name="device file", seeds=(_device(),), decode=_enrolled),
    )


def _admission() -> Admission:
    return device().admission


def _item() -> bytes:
    return encode_noted(Noted(1, CaptureStopped(capture=1)))


def _held(data: bytes) -> None:
    """An item that opens with the queue's own key, and may hold anything."""
    folder = seeds.scratch() / "queue"
    folder.mkdir(exist_ok=True)
    key, nonce = ensure_key(folder / "queue.key"), secrets.token_bytes(12)
    sealed = nonce + AESGCM(key).encrypt(nonce, data, b"anyteam queue v1 held")
    with opened(folder) as queue:
        _replace(queue, sealed)
        queue.held()


def _replace(queue: Queue, sealed: bytes) -> None:
    database = queue._database
    database.execute("DELETE FROM held")
    database.execute("INSERT INTO held (due, sealed) VALUES (0, ?)", (sealed,))


def _file() -> bytes:
    folder = seeds.scratch() / "good-queue"
    folder.mkdir(exist_ok=True)
    with opened(folder) as queue:
        queue.counts()
    return (folder / "queue.sqlite").read_bytes()


def _database(data: bytes) -> None:
    folder = seeds.scratch() / "spoiled-queue"
    folder.mkdir(exist_ok=True)
    for left in folder.glob("queue.sqlite*"):
        left.unlink()
    (folder / "queue.sqlite").write_bytes(data)
    with opened(folder) as queue:
        queue.counts()
        queue.held()
        queue.next()


def _device() -> bytes:
    return msgspec.json.encode(device())


def _enrolled(data: bytes) -> object:
    folder = seeds.scratch() / "device"
    folder.mkdir(exist_ok=True)
    path = folder / "device.json"
    path.write_bytes(data)
    path.chmod(0o600)
    return enrolled_in(folder)
