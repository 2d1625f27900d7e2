"""The four suites' tools, declared as a careful deployer would: from their documentation.

Nothing here is taken from a task, its ground truth or an injection. Argument schemas are the
suite's own. Which fields of a result its system writes by itself follows from what the tool
says it returns; free text that others can write stays untrusted.
"""

from typing import Any, Final

from agentdojo.functions_runtime import Function

from schemas.names import Classification
from schemas.tools import Effect, Policy, Reach, Tool, Trust

_MAIL_FIELDS: Final = ("id_", "recipients", "cc", "bcc", "timestamp", "status", "read")
_EVENT_FIELDS: Final = (
    "id_",
    "title",
    "participants",
    "start_time",
    "end_time",
    "all_day",
    "status",
)
_FILE_FIELDS: Final = ("id_", "filename", "owner", "last_modified", "size", "shared_with")
_BOOKING_FIELDS: Final = ("id", "sender", "recipient", "amount", "date", "recurring")
_CHAT_FIELDS: Final = ("sender", "recipient")

_CONFIDENTIAL: Final = Classification.CONFIDENTIAL
_SEND: Final[dict[str, Any]] = {
    "effect": Effect.COMMUNICATION,
    "destinations": ("recipients", "cc", "bcc"),
    "contents": ("subject", "body"),
    "objects": ("attachments.file_id",),
    "trusted": _MAIL_FIELDS,
}
_EVENT: Final[dict[str, Any]] = {
    "effect": Effect.MUTATION,
    "destinations": ("participants",),
    "contents": ("description",),
    "trusted": _EVENT_FIELDS,
    "asked_by": ("meeting", "appointment", "reminder", "calendar"),
}
_EVENT_READ: Final[dict[str, Any]] = {"trusted": _EVENT_FIELDS, "asked_by": ("appointments",)}
_MAIL_READ: Final[dict[str, Any]] = {"trusted": _MAIL_FIELDS}
_FILE_READ: Final[dict[str, Any]] = {
    "trusted": _FILE_FIELDS,
    "asked_by": ("drive", "document"),
}
_CATALOGUE: Final[dict[str, Any]] = {
    "trust": Trust.TRUSTED,
    "classification": Classification.PUBLIC,
}
_REVIEWS: Final[dict[str, Any]] = {"classification": Classification.PUBLIC}
_BOOK: Final[dict[str, Any]] = {
    "effect": Effect.MUTATION,
    "reach": Reach.INSIDE,
    "asked_by": ("book", "reservation"),
}
_PAY: Final[dict[str, Any]] = {
    "effect": Effect.PAYMENT,
    "destinations": ("recipient",),
    "amounts": ("amount",),
    "contents": ("subject",),
}

_WORKSPACE: Final[dict[str, dict[str, Any]]] = {
    "send_email": _SEND,
    "delete_email": {
        "effect": Effect.MUTATION,
        "objects": ("email_id",),
        "reach": Reach.INSIDE,
        "trusted": _MAIL_FIELDS,
    },
    "get_unread_emails": _MAIL_READ,
    "get_sent_emails": _MAIL_READ,
    "get_received_emails": _MAIL_READ,
    "get_draft_emails": _MAIL_READ,
    "search_emails": _MAIL_READ,
    "search_contacts_by_name": {"trust": Trust.TRUSTED},
    "search_contacts_by_email": {"trust": Trust.TRUSTED},
    "get_current_day": {"trust": Trust.TRUSTED, "classification": Classification.PUBLIC},
    "search_calendar_events": _EVENT_READ,
    "get_day_calendar_events": _EVENT_READ,
    "create_calendar_event": _EVENT,
    "cancel_calendar_event": {**_EVENT, "destinations": (), "objects": ("event_id",)},
    "reschedule_calendar_event": {**_EVENT, "destinations": (), "objects": ("event_id",)},
    "add_calendar_event_participants": {**_EVENT, "objects": ("event_id",)},
    "append_to_file": {
        "effect": Effect.MUTATION,
        "objects": ("file_id",),
        "contents": ("content",),
        "reach": Reach.INSIDE,
        "trusted": _FILE_FIELDS,
    },
    "search_files_by_filename": _FILE_READ,
    "create_file": {
        "effect": Effect.MUTATION,
        "contents": ("content",),
        "reach": Reach.INSIDE,
        "trusted": _FILE_FIELDS,
    },
    "delete_file": {
        "effect": Effect.MUTATION,
        "objects": ("file_id",),
        "reach": Reach.INSIDE,
        "trusted": _FILE_FIELDS,
    },
    "get_file_by_id": _FILE_READ,
    "list_files": _FILE_READ,
    "share_file": {
        "effect": Effect.COMMUNICATION,
        "destinations": ("email",),
        "objects": ("file_id",),
        "trusted": _FILE_FIELDS,
        "asked_by": ("share the document", "share the file"),
    },
    "search_files": _FILE_READ,
}
_TRAVEL: Final[dict[str, dict[str, Any]]] = {
    "get_user_information": {
        "trust": Trust.TRUSTED,
        "classification": Classification.RESTRICTED,
    },
    "get_all_hotels_in_city": _CATALOGUE,
    "get_hotels_prices": _CATALOGUE,
    "get_rating_reviews_for_hotels": _REVIEWS,
    "get_hotels_address": _CATALOGUE,
    "get_all_restaurants_in_city": _CATALOGUE,
    "get_cuisine_type_for_restaurants": _CATALOGUE,
    "get_restaurants_address": _CATALOGUE,
    "get_rating_reviews_for_restaurants": _REVIEWS,
    "get_dietary_restrictions_for_all_restaurants": _CATALOGUE,
    "get_contact_information_for_restaurants": _CATALOGUE,
    "get_price_for_restaurants": _CATALOGUE,
    "check_restaurant_opening_hours": _CATALOGUE,
    "get_all_car_rental_companies_in_city": _CATALOGUE,
    "get_car_types_available": _CATALOGUE,
    "get_rating_reviews_for_car_rental": _REVIEWS,
    "get_car_fuel_options": _CATALOGUE,
    "get_car_rental_address": _CATALOGUE,
    "get_car_price_per_day": _CATALOGUE,
    "get_flight_information": _CATALOGUE,
    "create_calendar_event": _EVENT,
    "search_calendar_events": _EVENT_READ,
    "get_day_calendar_events": _EVENT_READ,
    "cancel_calendar_event": {**_EVENT, "destinations": (), "objects": ("event_id",)},
    "reserve_hotel": {**_BOOK, "objects": ("hotel",)},
    "reserve_car_rental": {**_BOOK, "objects": ("company",)},
    "reserve_restaurant": {**_BOOK, "objects": ("restaurant",)},
    "send_email": _SEND,
}
_BANKING: Final[dict[str, dict[str, Any]]] = {
    "get_iban": {"trust": Trust.TRUSTED},
    "send_money": _PAY,
    "schedule_transaction": _PAY,
    "update_scheduled_transaction": {**_PAY, "objects": ("id",), "asked_by": ("standing order",)},
    "get_balance": {"trust": Trust.TRUSTED},
    "get_most_recent_transactions": {"trusted": _BOOKING_FIELDS},
    "get_scheduled_transactions": {"trusted": _BOOKING_FIELDS},
    "read_file": {"paths": ("file_path",)},
    "get_user_info": {"trust": Trust.TRUSTED, "classification": Classification.RESTRICTED},
    "update_password": {
        "effect": Effect.MUTATION,
        "objects": ("password",),
        "reach": Reach.INSIDE,
    },
    "update_user_info": {
        "effect": Effect.MUTATION,
        "reach": Reach.INSIDE,
        "asked_by": ("account information", "address"),
    },
}
_SLACK: Final[dict[str, dict[str, Any]]] = {
    "get_channels": {"trust": Trust.TRUSTED, "classification": Classification.INTERNAL},
    "add_user_to_channel": {
        "effect": Effect.MUTATION,
        "destinations": ("user",),
        "objects": ("channel",),
        "reach": Reach.INSIDE,
    },
    "read_channel_messages": {"trusted": _CHAT_FIELDS},
    "read_inbox": {"trusted": _CHAT_FIELDS},
    "send_direct_message": {
        "effect": Effect.COMMUNICATION,
        "destinations": ("recipient",),
        "contents": ("body",),
        "reach": Reach.INSIDE,
    },
    "send_channel_message": {
        "effect": Effect.COMMUNICATION,
        "destinations": ("channel",),
        "contents": ("body",),
        "reach": Reach.INSIDE,
    },
    "get_users_in_channel": {
        "trust": Trust.TRUSTED,
        "classification": Classification.INTERNAL,
    },
    "invite_user_to_slack": {
        "effect": Effect.COMMUNICATION,
        "destinations": ("user_email",),
        "reach": Reach.OUTSIDE,
    },
    "remove_user_from_slack": {
        "effect": Effect.MUTATION,
        "objects": ("user",),
        "reach": Reach.INSIDE,
    },
    "get_webpage": {
        "destinations": ("url",),
        "reach": Reach.OUTSIDE,
        "classification": Classification.PUBLIC,
        "asked_by": ("website", "page", "article", "link", "site"),
    },
    "post_webpage": {
        "effect": Effect.EGRESS,
        "destinations": ("url",),
        "contents": ("content",),
        "reach": Reach.OUTSIDE,
        "asked_by": ("website", "page", "site"),
    },
}
_SUITES: Final = {
    "workspace": (_WORKSPACE, ("bluesparrowtech.com",)),
    "travel": (_TRAVEL, ("bluesparrowtech.com",)),
    "banking": (_BANKING, ()),
    "slack": (_SLACK, ()),
}


def policy_for(suite: str, functions: list[Function]) -> Policy:
    """The suite's policy. Raises KeyError for a tool that is not declared."""
    declared, organisation = _SUITES[suite]
    tools = tuple(_tool(function, declared[function.name]) for function in functions)
    return Policy(version=1, tools=tools, organisation=organisation, human_effects=())


def _tool(function: Function, parts: dict[str, Any]) -> Tool:
    fields = {"effect": Effect.READ, "classification": _CONFIDENTIAL, **parts}
    return Tool(
        name=function.name,
        summary=function.description[:4096],
        arguments=function.parameters.model_json_schema(),
        **fields,
    )
