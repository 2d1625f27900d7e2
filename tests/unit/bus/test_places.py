"""An entry's place is read from its reply subject as the client reads it, and from nothing else."""

import pytest

from bus.client import Client, Msg
from bus.errors import StreamUnavailable
from bus.pull import place_of

PLAIN = "$JS.ACK.LEDGER.rep-1.1.42.7.1764300000000000000.3"
IN_DOMAIN = "$JS.ACK.ledger.ACCOUNT.LEDGER-2.rep-1.1.42.7.1764300000000000000.3"


@pytest.mark.parametrize("reply", [PLAIN, IN_DOMAIN, f"{IN_DOMAIN}.random"])
async def test_the_place_is_what_the_client_itself_reads(reply: str) -> None:
    message = Msg(Client(), "ws.acme.admin.key", reply, b"body")
    index, pending = place_of(message)
    assert (index, pending) == (42, 3)
    assert index == message.metadata.sequence.stream
    assert pending == message.metadata.num_pending


@pytest.mark.parametrize(
    "reply",
    ["", "_INBOX.a.b", PLAIN.replace("42", "many"), f"{PLAIN}.x", PLAIN.replace("ACK", "NAK")],
)
async def test_a_message_that_names_no_place_is_no_entry(reply: str) -> None:
    with pytest.raises(StreamUnavailable, match="reply subject"):
        place_of(Msg(Client(), "ws.acme.admin.key", reply, b"body"))
