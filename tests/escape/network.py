"""Attempts to reach anything but the bus, by every kind of socket and every way around them."""

import ctypes
import os
import socket
import struct

from tests.escape.attempts import Control, Hands, attempt
from tests.escape.kernel import call

PATIENCE_S = 1.0
_MPTCP = 262
_AF_ALG, _AF_VSOCK = 38, 40


def _stream(address: tuple[str, int], protocol: int = 0) -> str:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM, protocol) as opened:
        opened.settimeout(PATIENCE_S)
        opened.connect(address)
        return "connected"


@attempt("no second connection is opened, whereto ever")
def connect_to_another_port_of_this_machine(hands: Hands) -> object:
    return _stream(("127.0.0.1", hands.field.ports["tcp"]))


@attempt("no second connection is opened, whereto ever")
def connect_to_another_port_over_ipv6(hands: Hands) -> object:
    return _stream(("::1", hands.field.ports["tcp6"]))


@attempt("a rule about the bus's port would allow it at every address; there is no such hole")
def connect_to_the_buss_port_elsewhere(hands: Hands) -> object:
    return _stream(("127.0.0.2", hands.field.bus_port))


@attempt("no second connection is opened, whereto ever")
def connect_to_the_crm(hands: Hands) -> object:
    return _stream(("127.0.0.1", hands.field.ports["crm"]))


@attempt("no second connection is opened, whereto ever")
def connect_to_the_bus_a_second_time(hands: Hands) -> object:
    return _stream(("127.0.0.1", hands.field.bus_port))


@attempt("no second connection is opened, whereto ever", Control.NOBODY)
def connect_to_an_address_outside(hands: Hands) -> object:
    return _stream(("192.0.2.1", 443))


@attempt("a socket is plain TCP; multipath TCP would pass by rules about TCP ports")
def connect_by_multipath_tcp(hands: Hands) -> object:
    return _stream(("127.0.0.1", hands.field.ports["tcp"]), _MPTCP)


@attempt("a fast open connects without asking, and is refused by its flag")
def connect_by_fast_open(hands: Hands) -> object:
    # Without a time-out: a socket that does not block would connect behind the call's back.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as opened:
        return opened.sendto(b"hello", socket.MSG_FASTOPEN, ("127.0.0.1", hands.field.ports["tcp"]))


@attempt("the connection it has is aimed at the bus, and cannot be aimed anew", Control.NOBODY)
def aim_the_connection_to_the_bus_elsewhere(hands: Hands) -> object:
    own = _connection_to(hands.field.bus_port)
    nowhere = ctypes.create_string_buffer(struct.pack("H14x", socket.AF_UNSPEC))
    call("connect", own, ctypes.byref(nowhere), 16)
    return "let go"


@attempt("the flag of fast open is refused on the connection it has, too", Control.NOBODY)
def send_with_fast_open_on_the_connection_to_the_bus(hands: Hands) -> object:
    own = socket.socket(fileno=os.dup(_connection_to(hands.field.bus_port)))
    try:
        return own.sendto(b"", socket.MSG_FASTOPEN, ("127.0.0.1", hands.field.ports["tcp"]))
    finally:
        own.close()


def _connection_to(port: int) -> int:
    for descriptor in range(3, 64):
        try:
            duplicate = os.dup(descriptor)
        except OSError:
            continue
        with socket.socket(fileno=duplicate) as candidate:
            try:
                if candidate.getpeername()[1] == port:
                    return descriptor
            except (OSError, IndexError):
                continue
    raise LookupError("no connection to the bus")


@attempt("a socket is plain TCP")
def send_a_datagram(hands: Hands) -> object:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        return opened.sendto(b"hello", ("127.0.0.1", hands.field.ports["udp"]))


@attempt("a question to the DNS would carry data outside; there is no datagram to ask with")
def ask_the_dns(hands: Hands) -> object:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        return opened.sendto(b"\0" * 12, ("127.0.0.1", 53))


@attempt("a socket is plain TCP")
def connect_to_a_unix_socket(hands: Hands) -> object:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as opened:
        opened.connect(hands.field.unix)
        return "connected"


@attempt("a socket is plain TCP")
def connect_to_an_abstract_unix_socket(hands: Hands) -> object:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as opened:
        opened.connect("\0" + hands.field.abstract)
        return "connected"


@attempt("a socket is plain TCP")
def send_a_unix_datagram(hands: Hands) -> object:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as opened:
        return opened.sendto(b"hello", hands.field.unix + ".dgram")


@attempt("a pair of sockets is of streams: one of datagrams could be aimed anywhere")
def aim_one_end_of_a_pair_of_sockets(hands: Hands) -> object:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, other:
        return one.sendto(b"hello", hands.field.unix + ".dgram")


@attempt("a socket is plain TCP")
def speak_to_the_kernel_by_netlink(hands: Hands) -> object:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as opened:
        return opened.fileno()


@attempt("a socket is plain TCP", Control.ROOT)
def listen_to_all_that_passes(hands: Hands) -> object:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as opened:
        return opened.fileno()


@attempt("a socket is plain TCP", Control.ROOT)
def send_raw_packets(hands: Hands) -> object:
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as opened:
        return opened.fileno()


@attempt("a socket is plain TCP", Control.NOBODY)
def speak_to_the_host_of_a_virtual_machine(hands: Hands) -> object:
    with socket.socket(_AF_VSOCK, socket.SOCK_STREAM) as opened:
        return opened.fileno()


@attempt("a socket is plain TCP", Control.NOBODY)
def use_the_kernels_ciphers(hands: Hands) -> object:
    with socket.socket(_AF_ALG, socket.SOCK_SEQPACKET) as opened:
        return opened.fileno()


@attempt("nothing is listened on")
def listen_on_a_port(hands: Hands) -> object:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.listen()
        return opened.getsockname()


@attempt("the ring does the work of calls that were refused, and is refused itself")
def set_up_an_io_ring(hands: Hands) -> object:
    parameters = ctypes.create_string_buffer(120)
    return call("io_uring_setup", 4, parameters)
