"""Headers come out as the client's own reading has them, for all that a server sends."""

import pytest

from bus.client import Client
from bus.connection import BusClient


@pytest.mark.parametrize(
    "raw",
    [
        b"Nats-Msg-Id: 0af3\r\nNats-Expected-Stream: LEDGER\r\n\r\n",
        b"Nats-Pending-Messages: 512\r\nNats-Pending-Bytes: 0\r\n\r\n",
        b"Name:Value\r\nOther:\t with blanks \r\n\r\n",
        b"Twice: 1\r\nTwice: 2\r\nno colon\r\nA: b:c\r\n\r\n",
        b"Value: \xff\xfe\r\n\r\n",
        b"",
    ],
)
def test_a_header_block_is_read_as_the_client_itself_reads_it(raw: bytes) -> None:
    assert BusClient._parse_header_lines(raw) == Client._parse_header_lines(raw)


async def test_the_client_asks_for_headers_where_a_connection_answers_it() -> None:
    found = await BusClient()._process_headers(b"NATS/1.0\r\nStatus: 408\r\n\r\n")
    assert found == {"Status": "408"}
