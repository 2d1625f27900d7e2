"""What every part of the settings is made of, and how one that is out of form is told."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.errors import SchemaError

Port = Annotated[int, Meta(ge=0, le=65_535)]
Tls = Literal["implicit", "starttls", "none"]
Folder = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)", max_length=100)]


class BadSettings(SchemaError):
    """The configuration file is out of form; the message names the key."""

    exit_code = 2


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every section: unknown keys are errors, not silence."""
