"""What a receiver is told: enough to notice a gap and a forgery, and no content that is sealed."""

import hashlib
import json
from typing import Any

import pytest

from ledger.chain import first_head, leaf_of, next_head
from projections.webhooks.filters import Filter
from projections.webhooks.payload import Placed, message_id, payload_of
from projections.webhooks.progress import Place
from schemas.envelope import decode_envelope
from schemas.events import event_digest
from schemas.names import Classification
from tests.ledgers import event_of, small_ledger
from tests.scenery import ARGUMENTS

LEDGER = small_ledger()


def placed_all() -> list[Placed]:
    head, found = first_head(LEDGER.workspace), []
    for entry in LEDGER.entries:
        leaf = leaf_of(entry.body)
        head = next_head(head, leaf)
        digest = event_digest(decode_envelope(entry.body).payload)
        found.append(Placed(entry.index, head, leaf, digest, event_of(entry)))
    return found


def told(ceiling: Classification) -> list[dict[str, Any]]:
    chosen, messages, previous = Filter(ceiling=ceiling), [], None
    for placed in placed_all():
        assert placed.event is not None
        messages.append(json.loads(payload_of(placed, placed.event, previous, chosen)))
        previous = placed.place
    return messages


def test_a_receiver_of_everything_can_walk_the_chain_with_hashes_alone() -> None:
    head = hashlib.sha256(b"acme").digest()
    for message in told(Classification.INTERNAL):
        data = message["data"]
        assert data["previous"] is None or data["previous"]["head"] == head.hex()
        head = hashlib.sha256(b"\x02" + head + bytes.fromhex(data["leaf"])).digest()
        assert data["head"] == head.hex()


@pytest.mark.parametrize("ceiling", list(Classification))
def test_no_ceiling_tells_what_is_sealed(ceiling: Classification) -> None:
    text = json.dumps(told(ceiling))
    for secret in (ARGUMENTS["text"], "as asked"):
        assert f'"{secret}"' not in text


def test_above_the_ceiling_the_event_is_announced_without_its_body() -> None:
    by_type = {m["type"]: m["data"] for m in told(Classification.INTERNAL)}
    assert by_type["proposal.made"]["classification"] == "CONFIDENTIAL"
    assert by_type["proposal.made"]["body"] is None
    assert by_type["run.requested"]["body"]["rep"] == "ann"


def test_a_higher_ceiling_tells_the_fields_beside_the_sealed_ones() -> None:
    by_type = {m["type"]: m["data"] for m in told(Classification.CONFIDENTIAL)}
    body = by_type["proposal.made"]["body"]
    assert (body["number"], body["tool"], body["arguments"]) == (1, "crm.update", None)


def test_a_public_ceiling_tells_no_internal_body() -> None:
    assert all(m["data"]["body"] is None for m in told(Classification.PUBLIC))


def test_a_message_has_the_form_of_standard_webhooks() -> None:
    message = told(Classification.INTERNAL)[0]
    assert list(message) == ["type", "timestamp", "data"]
    assert message["type"] == "workspace.created"
    assert message["timestamp"] == "2026-05-28T20:26:40.100000Z"


def test_ids_are_of_one_entry_alone_even_where_two_events_share_theirs() -> None:
    first, second = placed_all()[:2]
    assert message_id(first) != message_id(second)
    assert "." not in message_id(first)


def test_the_same_message_is_the_same_bytes() -> None:
    placed, place = placed_all()[4], Place(3, b"\x07" * 32)
    assert placed.event is not None
    once = payload_of(placed, placed.event, place, Filter())
    assert once == payload_of(placed, placed.event, place, Filter())
