"""The document: whole, of the version it says, and telling of every operation what it needs."""

import json

import schemathesis

from console.api.openapi import document
from console.api.operations import OPERATIONS

DOCUMENT = json.loads(json.dumps(document("https://localhost:1")))


def test_the_document_is_valid_openapi() -> None:
    schemathesis.openapi.from_dict(DOCUMENT).validate()
    assert DOCUMENT["openapi"].startswith("3.1.")


def test_every_operation_says_what_it_needs_and_that_a_token_may_be_refused() -> None:
    described = {
        operation["operationId"]: operation
        for path in DOCUMENT["paths"].values()
        for operation in path.values()
    }
    assert set(described) == {operation.name for operation in OPERATIONS} | {"document"}
    for operation in OPERATIONS:
        found = described[operation.name]
        assert found["description"].startswith("Needs ")
        assert found["summary"]
        assert {"401", "403", "429", str(operation.status)} <= set(found["responses"])
        assert operation.writes == ("requestBody" in found)


def test_every_reference_leads_somewhere() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    text = json.dumps(DOCUMENT)
    wanted = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert wanted <= set(schemas)
    assert "StepShape" in wanted
