"""What agents may ask of HubSpot: its tools, their arguments, and which properties they touch.

Each read is a projection onto the properties listed here, each search one filter on one listed
property. Nothing in a CRM is trusted by default but its identifiers: contacts come in by web
forms, so a stranger writes names and addresses. Settings name the properties that only one's
own people write.
"""

from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from schemas.tools import Effect, Reach, Tool
from sidecar.connectors.connector import ONE_LINE, schema_of

MAX_FOUND: Final = 20
MAX_NOTE: Final = 10_000

PROPERTIES: Final = {
    "contacts": ("firstname", "lastname", "email", "jobtitle", "company", "phone"),
    "companies": ("name", "domain", "industry", "city", "country"),
    "deals": ("dealname", "dealstage", "pipeline", "amount", "closedate", "hs_next_step"),
    "notes": ("hs_note_body", "hs_timestamp"),
}
"""What is read of each type of record."""

SEARCHED: Final = {
    "contacts": ("email", "firstname", "lastname", "company"),
    "companies": ("name", "domain"),
    "deals": ("dealname", "dealstage", "pipeline"),
}
"""By which properties each type may be searched."""

Id = Annotated[str, Meta(pattern=r"^[0-9]{1,20}$(?!\n)", max_length=20)]
Line = Annotated[str, Meta(pattern=ONE_LINE, max_length=300)]
Word = Annotated[str, Meta(pattern=ONE_LINE, min_length=1, max_length=100)]
Value = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,60}$(?!\n)", max_length=60)]
Amount = Annotated[str, Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,2})?$(?!\n)", max_length=15)]
Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)", max_length=10)]
Mailbox = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_.%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$(?!\n)", max_length=254)
]


class _Strict(Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments hold what is declared and nothing else."""


class Find(_Strict, frozen=True):
    """Records whose `property` equals `value`, or has it as one of its words."""

    type: Literal["contacts", "companies", "deals"]
    property: Literal[
        "email",
        "firstname",
        "lastname",
        "company",
        "name",
        "domain",
        "dealname",
        "dealstage",
        "pipeline",
    ]
    value: Word
    operator: Literal["EQ", "CONTAINS_TOKEN"] = "EQ"
    limit: Annotated[int, Meta(ge=1, le=MAX_FOUND)] = MAX_FOUND


class Read(_Strict, frozen=True):
    """One record."""

    type: Literal["contacts", "companies", "deals", "notes"]
    id: Id


class Related(_Strict, frozen=True):
    """The records of the type `to` that belong to one record: their identifiers."""

    type: Literal["contacts", "companies", "deals"]
    id: Id
    to: Literal["contacts", "companies", "deals", "notes"]
    limit: Annotated[int, Meta(ge=1, le=MAX_FOUND)] = MAX_FOUND


class DealFields(_Strict, frozen=True, omit_defaults=True):
    """What may change; what is left out stays."""

    dealname: Word | UnsetType = UNSET
    dealstage: Value | UnsetType = UNSET
    amount: Amount | UnsetType = UNSET
    closedate: Day | UnsetType = UNSET
    hs_next_step: Line | UnsetType = UNSET


class UpdateDeal(_Strict, frozen=True):
    """`id` is the deal's."""

    id: Id
    fields: DealFields


class AddNote(_Strict, frozen=True):
    """A note in plain text on one record."""

    type: Literal["contacts", "companies", "deals"]
    id: Id
    body: Annotated[
        str, Meta(pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$", min_length=1, max_length=MAX_NOTE)
    ]


class CreateContact(_Strict, frozen=True, omit_defaults=True):
    """A person whose address no contact has yet."""

    email: Mailbox
    firstname: Word | UnsetType = UNSET
    lastname: Word | UnsetType = UNSET
    jobtitle: Word | UnsetType = UNSET
    company: Word | UnsetType = UNSET
    phone: (
        Annotated[str, Meta(pattern=r"^[0-9 ()+./-]{3,40}$(?!\n)", max_length=40)] | UnsetType
    ) = UNSET


def hubspot_tools(trusted: tuple[str, ...]) -> tuple[Tool, ...]:
    """The declarations; of results, `id` and the properties `trusted` steer."""
    own = tuple(dict.fromkeys(("id", *trusted)))
    return (
        Tool(
            name="hubspot.find",
            summary=f"Find contacts, companies or deals by one property, {MAX_FOUND} at most",
            arguments=schema_of(Find),
            effect=Effect.READ,
            trusted=own,
        ),
        Tool(
            name="hubspot.read",
            summary="Read a contact, company, deal or note",
            arguments=schema_of(Read),
            effect=Effect.READ,
            objects=("id",),
            trusted=own,
        ),
        Tool(
            name="hubspot.related",
            summary="List the records that belong to a contact, company or deal",
            arguments=schema_of(Related),
            effect=Effect.READ,
            objects=("id",),
            trusted=("id",),
        ),
        Tool(
            name="hubspot.update_deal",
            summary="Change a deal's name, stage, amount, close date or next step",
            arguments=schema_of(UpdateDeal),
            effect=Effect.MUTATION,
            objects=("id",),
            amounts=("fields.amount",),
            contents=("fields",),
            trusted=("id",),
            reach=Reach.INSIDE,
            confirm="the deal is read again, holds the values and its history shows the key",
        ),
        Tool(
            name="hubspot.add_note",
            summary="Add a note to a contact, company or deal",
            arguments=schema_of(AddNote),
            effect=Effect.MUTATION,
            objects=("id",),
            contents=("body",),
            trusted=("id",),
            reach=Reach.INSIDE,
            confirm="the note is read again by its key and holds the text",
        ),
        Tool(
            name="hubspot.create_contact",
            summary="Create a contact",
            arguments=schema_of(CreateContact),
            effect=Effect.MUTATION,
            objects=("email",),
            contents=("firstname", "lastname", "jobtitle", "company", "phone"),
            trusted=("id",),
            reach=Reach.INSIDE,
            confirm="the contact is read again by its key and holds the values",
        ),
    )
