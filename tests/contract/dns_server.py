"""A DNS server on loopback, over UDP and TCP, whose zone and manners a test changes as it runs."""

import asyncio
from collections import Counter
from enum import Enum
from typing import Final, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

PORTS_TRIED: Final = 20


class Manner(Enum):
    """How the server treats a question."""

    ANSWERS = "with the zone's records"
    SILENT = "not at all"
    FAILS = "with SERVFAIL"
    REFUSES = "with REFUSED"
    GARBLES = "with bytes that are no message"
    MISNUMBERS = "under another message's number"
    MISTAKES = "with the answer to another question"
    LOSES_THE_FIRST = "only when asked again"


class DnsServer:
    """Serves `records`: by name (without the final dot) and type, texts of a zone file.

    A name with no records is NXDOMAIN. Where `truncates`, UDP brings nothing but the advice
    to use TCP; `tcp` is the manner there. `asked` has each question: transport, name, type.
    """

    def __init__(self, records: dict[str, dict[str, list[str]]]) -> None:
        self.records = records
        self.udp = Manner.ANSWERS
        self.tcp = Manner.ANSWERS
        self.truncates = False
        self.asked: Counter[tuple[str, str, str]] = Counter()
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._listener: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a port that the system picks, the same for both transports."""
        loop = asyncio.get_running_loop()
        for _ in range(PORTS_TRIED):
            listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            port = listener.sockets[0].getsockname()[1]
            try:
                transport, _ = await loop.create_datagram_endpoint(
                    lambda: _Datagrams(self), local_addr=("127.0.0.1", port)
                )
            except OSError:
                listener.close()
                continue
            self.port, self._transport, self._listener = port, transport, listener
            return
        raise OSError("no port is free for both UDP and TCP")

    async def stop(self) -> None:
        """Stop listening; the port is closed."""
        if self._transport is not None and self._listener is not None:
            self._transport.close()
            self._listener.close()
            await self._listener.wait_closed()

    def answer(self, wire: bytes, transport: str) -> bytes | None:
        """What goes back for a question, or None for silence."""
        manner = self.udp if transport == "udp" else self.tcp
        try:
            question = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        asked = question.question[0]
        name = asked.name.to_text(omit_final_dot=True).lower()
        key = transport, name, dns.rdatatype.to_text(asked.rdtype)
        self.asked[key] += 1
        if manner is Manner.SILENT or (manner is Manner.LOSES_THE_FIRST and self.asked[key] == 1):
            return None
        if manner is Manner.GARBLES:
            return wire[:2] + b"\xff" * 7
        if manner is Manner.MISTAKES:
            number = question.id
            question = dns.message.make_query("eve.example", asked.rdtype, id=number)
        reply = dns.message.make_response(question, recursion_available=True)
        if manner is Manner.MISNUMBERS:
            reply.id ^= 1
        if manner in (Manner.FAILS, Manner.REFUSES):
            reply.set_rcode(dns.rcode.SERVFAIL if manner is Manner.FAILS else dns.rcode.REFUSED)
        elif transport == "udp" and self.truncates:
            reply.flags |= dns.flags.TC
        else:
            self._fill(reply)
        return reply.to_wire()

    def _fill(self, reply: dns.message.Message) -> None:
        asked = reply.question[0]
        name, kind = asked.name.to_text(omit_final_dot=True).lower(), asked.rdtype
        seen: set[str] = set()
        while name not in seen:
            seen.add(name)
            held = self.records.get(name)
            if held is None:
                reply.set_rcode(dns.rcode.NXDOMAIN)
                return
            for present in ("CNAME", dns.rdatatype.to_text(kind)):
                if texts := held.get(present):
                    reply.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", present, *texts))
            if "CNAME" in held:
                name = held["CNAME"][0].removesuffix(".").lower()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                length = int.from_bytes(await reader.readexactly(2))
                reply = self.answer(await reader.readexactly(length), "tcp")
                if reply is not None:
                    writer.write(len(reply).to_bytes(2) + reply)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if (reply := self._server.answer(data, "udp")) is not None:
            self._transport.sendto(reply, addr)
