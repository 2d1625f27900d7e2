"""Attempts on the bus: to say, hear or ask for what is not this run's."""

import asyncio
import json
from collections.abc import Awaitable, Callable

from bus.client import Client
from bus.roles import API
from tests.escape.attempts import ATTEMPTS, Attempt, Control, Hands, attempt

PATIENCE_S = 3.0
CONTROL_PATIENCE_S = 0.05
"""How long no refusal must come before the server is taken to permit."""

_SAY = "the server holds a run's user to its own run's topics"
_HEAR = "the server lets a run's user hear its own inbox alone"
_ASK = "the server lets a run's user ask for its own consumer alone"

_SUBJECTS = {
    "a proposal of another run": "ws.{workspace}.run.{other_run}.proposal",
    "a verdict on its own run": "ws.{workspace}.run.{run}.verdict",
    "an action of its own run": "ws.{workspace}.run.{run}.action",
    "a receipt of its own run": "ws.{workspace}.run.{run}.receipt",
    "a lease for itself": "ws.{workspace}.run.{run}.lease",
    "a request for another run": "ws.{workspace}.run.{run}.request",
    "an approval of its own action": "ws.{workspace}.run.{run}.approval",
    "an outcome of its own run": "ws.{workspace}.run.{run}.outcome",
    "a policy": "ws.{workspace}.admin.policy",
    "a key": "ws.{workspace}.admin.key",
    "a halt": "ws.{workspace}.admin.halt",
    "a capture": "ws.{workspace}.capture.laptop",
    "a seal": "seal.{workspace}",
    "something to another workspace": "ws.globex.run.{run}.proposal",
    "an account to the server": "$SYS.REQ.CLAIMS.UPDATE",
    "an acknowledgement to the ledger": "$JS.ACK.LEDGER.x.1.1.1.1.0",
}
_HEARD = {
    "everything": ">",
    "the workspace": "ws.{workspace}.>",
    "another run": "ws.{workspace}.run.{other_run}.>",
    "every inbox": "_INBOX.>",
    "the server": "$SYS.>",
    "the ledger's api": "$JS.>",
    "the seals": "seal.>",
}
_ASKED = {
    "the ledger's state": "STREAM.INFO.LEDGER",
    "the ledger's deletion": "STREAM.DELETE.LEDGER",
    "the ledger's emptying": "STREAM.PURGE.LEDGER",
    "a change of the ledger": "STREAM.UPDATE.LEDGER",
    "an entry of the ledger": "STREAM.MSG.GET.LEDGER",
    "an entry's deletion": "STREAM.MSG.DELETE.LEDGER",
    "the list of readers": "CONSUMER.NAMES.LEDGER",
    "a reader of everything": "CONSUMER.CREATE.LEDGER.escaped",
    "a reader of another run": "CONSUMER.CREATE.LEDGER.escaped.ws.{workspace}.run.{other_run}.>",
    "the next entry of another's reader": "CONSUMER.MSG.NEXT.LEDGER.orchestrator",
    "a reader of the seals": "CONSUMER.CREATE.SEALS.escaped",
}


def _filled(subject: str, hands: Hands) -> str:
    field = hands.field
    return subject.format(workspace=field.workspace, run=field.run, other_run=field.other_run)


async def _permitted(
    hands: Hands, deed: str, subject: str, act: Callable[[Client], Awaitable[object]]
) -> str:
    """The deed, once the server has said nothing against it. Raises `PermissionError`."""
    client = hands.client
    assert client is not None
    refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    before = client._error_cb

    async def hear(error: Exception) -> None:
        said = str(error).lower()
        if (
            "permissions violation" in said
            and f'"{subject}"'.lower() in said
            and not refused.done()
        ):
            refused.set_result(str(error))

    client._error_cb = hear
    try:
        await act(client)
        await client.flush(5)
        patience = PATIENCE_S if hands.boot is not None else CONTROL_PATIENCE_S
        await asyncio.wait((refused,), timeout=patience)
    finally:
        client._error_cb = before
    if refused.done():
        raise PermissionError(refused.result())
    return f"{deed} {subject}"


async def _publish(hands: Hands, subject: str) -> object:
    return await _permitted(
        hands, "published on", subject, lambda c: c.publish(subject, b"escaped")
    )


async def _subscribe(hands: Hands, subject: str) -> object:
    return await _permitted(hands, "subscribed to", subject, lambda c: c.subscribe(subject))


def _attempts() -> list[Attempt]:
    found = []
    for table, verb, why, act, prefix in (
        (_SUBJECTS, "publish", _SAY, _publish, ""),
        (_HEARD, "hear", _HEAR, _subscribe, ""),
        (_ASKED, "ask for", _ASK, _publish, f"{API}."),
        (_ASKED, "ask behind the domain for", _ASK, _publish, "$JS.API."),
    ):
        for name, subject in table.items():

            def act_on(
                hands: Hands,
                act: Callable[[Hands, str], Awaitable[object]] = act,
                subject: str = prefix + subject,
            ) -> object:
                return act(hands, _filled(subject, hands))

            found.append(Attempt(f"{verb} {name}", why, Control.ANYBODY, act_on))
    return found


ATTEMPTS |= {one.name: one for one in _attempts()}


@attempt("the server holds a reader to the filter in the subject it is made on", Control.NOBODY)
async def make_its_own_reader_read_another_run(hands: Hands) -> object:
    client, boot, field = hands.client, hands.boot, hands.field
    assert client is not None and boot is not None
    mine = f"ws.{field.workspace}.run.{field.run}.>"
    wanted = {
        "name": boot.user_public,
        "filter_subject": f"ws.{field.workspace}.run.{field.other_run}.>",
        "ack_policy": "none",
        "mem_storage": True,
    }
    body = {"stream_name": "LEDGER", "config": wanted, "action": "create"}
    subject = f"{API}.CONSUMER.CREATE.LEDGER.{boot.user_public}.{mine}"
    reply = await client.request(subject, json.dumps(body).encode(), timeout=5)
    answer = json.loads(reply.data)
    return None if "error" in answer else answer["config"]


async def _answered_on(hands: Hands, reply: str) -> None:
    client, field = hands.client, hands.field
    assert client is not None
    subject = f"ws.{field.workspace}.run.{field.run}.proposal"
    await client.publish(subject, b"escaped", reply=reply)
    await client.flush(5)


@attempt("the ledger's answer resolves among users, and leads nowhere", Control.NOBODY)
async def have_the_ledger_answer_into_another_run(hands: Hands) -> object:
    """What came of it is in the ledger or not: `tests.escape.story` looks."""
    field = hands.field
    await _answered_on(hands, f"ws.{field.workspace}.run.{field.other_run}.action")
    return None


@attempt("the ledger's answer resolves among users, and leads nowhere", Control.NOBODY)
async def have_the_ledger_delete_itself(hands: Hands) -> object:
    """What came of it is in the ledger or not: `tests.escape.story` looks."""
    await _answered_on(hands, "$JS.API.STREAM.DELETE.LEDGER")
    return None
