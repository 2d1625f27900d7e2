"""What the event loop need not tell anybody."""

import logging


def quiet_tls_close() -> None:
    """Drop the event loop's remark at each TLS close; it says nothing about us."""
    logging.getLogger("asyncio").addFilter(
        lambda record: "eof_received() has no effect" not in record.getMessage()
    )
