"""The TLS context that tools are reached with: the system's roots, loaded once.

Reading them takes milliseconds, and a connector is opened for each action.
"""

import ssl
from functools import cache


@cache
def system_roots() -> ssl.SSLContext:
    """Certificates and names are checked; one context for all connections."""
    return ssl.create_default_context()
