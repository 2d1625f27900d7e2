"""A cluster that does not answer for a consumer is asked for another one; one server is not."""

import json

import pytest

from bus.client import Client, Msg, NatsTimeout
from bus.consumer import create, last_of, replace
from bus.errors import StreamUnavailable


class _Deaf(Client):
    """Connected to `count` servers, which answer only the request after `unanswered` others."""

    def __init__(self, count: int, unanswered: int, answer: object = None) -> None:
        super().__init__()
        self.count, self.unanswered = count, unanswered
        self.answer = answer or {"num_pending": 7}
        self.asked: list[str] = []

    @property
    def servers(self) -> list[str]:  # type: ignore[override]
        return ["tls://127.0.0.1:4222"] * self.count

    async def request(self, subject: str, *args: object, **options: object) -> Msg:
        self.asked.append(subject)
        if len(self.asked) <= self.unanswered:
            raise NatsTimeout
        return Msg(self, subject, data=json.dumps(self.answer).encode())


async def test_each_request_for_any_consumer_names_another_one() -> None:
    client = _Deaf(3, unanswered=2)
    made = await create(client, "LEDGER", "rep", "ws.acme.>", 4)
    assert made is not None
    assert made.waiting == 7
    assert len(set(client.asked)) == 3
    assert client.asked[-1] == f"$JS.ledger.API.CONSUMER.CREATE.LEDGER.{made.name}.ws.acme.>"


async def test_the_only_name_there_is_is_removed_before_each_request() -> None:
    client = _Deaf(3, unanswered=2)
    assert await replace(client, "LEDGER", "run", None, 0) == 7
    calls = [subject.split(".")[4] for subject in client.asked]
    assert calls == ["DELETE", "DELETE", "DELETE", "CREATE"]


async def test_a_stream_that_nobody_leads_yet_is_asked_for_its_end_again() -> None:
    client = _Deaf(3, unanswered=2, answer={"state": {"last_seq": 42}})
    assert await last_of(client, "LEDGER") == 42
    assert client.asked == ["$JS.ledger.API.STREAM.INFO.LEDGER"] * 3


async def test_one_server_that_does_not_answer_is_told_of_at_once() -> None:
    client = _Deaf(1, unanswered=1)
    with pytest.raises(StreamUnavailable, match="no answer on a consumer of LEDGER for rep"):
        await create(client, "LEDGER", "rep", None, 0)
    assert len(client.asked) == 1
