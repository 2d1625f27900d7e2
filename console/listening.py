"""A listening socket for a server that asyncio runs.

asyncio turns Nagle's algorithm off only on sockets that were made with the protocol named, which
`socket.create_server` does not. Without it an answer of two writes waits for the client's delayed
acknowledgement (RFC 1122, 4.2.3.2), some 40 ms on every page.
"""

import socket


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; 0 is a port that the system picks. Raises `OSError`."""
    listening = socket.create_server((host, port))
    # Accepted sockets inherit it.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
