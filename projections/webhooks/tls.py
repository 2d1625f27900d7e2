"""The TLS context of an endpoint: whom it trusts, and who it says that it is.

Without settings of its own an endpoint is held against the system's roots. With a client
certificate the receiver can know the sender by TLS too (mutual TLS, RFC 8446 section 4.4.2).
"""

import ssl
from pathlib import Path

from crypto.keyfile import read_secret
from projections.webhooks.endpoint import TlsChoice
from projections.webhooks.errors import BadEndpoint


def context_of(choice: TlsChoice) -> ssl.SSLContext:
    """The context. Raises `BadEndpoint`, naming the file, and `KeyFileError` for an open key."""
    try:
        context = ssl.create_default_context(cafile=choice.roots or None)
    except (OSError, ssl.SSLError) as error:
        raise BadEndpoint(
            f"ca: {choice.roots} holds no certificates: {error}", fix="name a PEM file of roots"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if bool(choice.certificate) != bool(choice.key):
        raise BadEndpoint("client-cert, client-key: one without the other", fix="name both")
    if choice.certificate:
        read_secret(Path(choice.key))
        try:
            # Without a password function, OpenSSL would ask for one on the terminal.
            context.load_cert_chain(choice.certificate, choice.key, password=lambda: b"")
        except (OSError, ssl.SSLError) as error:
            raise BadEndpoint(
                f"client-cert: {choice.certificate} and {choice.key} are no pair: {error}",
                fix="name a PEM certificate and its unencrypted key",
            ) from error
    return context
