"""Who a provider says somebody is, whatever protocol it says it in."""

from msgspec import Struct


class Identity(Struct, frozen=True):
    """An address that the provider answers for, and its own lasting name for who has it."""

    address: str
    subject: str
