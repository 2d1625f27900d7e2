"""The table of who may say what, and where, covers every event and hides none."""

import pytest
from hypothesis import given, settings

from schemas.authority import (
    AUTHORITY,
    CAPTURE,
    FENCED,
    fence_of,
    may_sign,
    subject_of,
    topics_of,
)
from schemas.errors import BadName, SchemaError
from schemas.events import Event
from schemas.jsonschema import body_types
from schemas.names import Role, check_name
from tests.unit.schemas.arbitrary import any_event

RUN_ROLES = {Role.RUNTIME, Role.JUDGE}


def test_every_event_type_has_an_authority_and_no_authority_is_without_its_event_type() -> None:
    assert AUTHORITY.keys() == body_types().keys()


def test_every_event_type_has_somebody_who_may_sign_it() -> None:
    assert all(signers for _, signers in AUTHORITY.values())


def test_every_role_has_something_to_say_but_those_that_only_read() -> None:
    silent = [role for role in Role if not topics_of(role)]
    assert silent == [Role.PROJECTOR, Role.WEBHOOKS]


def test_a_topic_of_the_runtime_or_the_judge_is_written_by_no_other_role() -> None:
    for role in RUN_ROLES:
        for topic in topics_of(role):
            assert [other for other in Role if topic in topics_of(other)] == [role]


def test_a_topic_is_written_by_one_component_or_by_people() -> None:
    for topic in {topic for topic, _ in AUTHORITY.values()}:
        writers = {role for role in Role if topic in topics_of(role)}
        assert len(writers) == 1 or writers == {Role.REP, Role.ADMIN}


def test_a_fenced_topic_has_exactly_one_writer() -> None:
    for topic in FENCED:
        assert len([role for role in Role if topic in topics_of(role)]) == 1


def test_the_fence_spans_the_topic_of_every_run_and_unfenced_topics_have_none() -> None:
    assert fence_of("acme", "action") == "ws.acme.run.*.action"
    assert fence_of("acme", "proposal") is None


@settings(deadline=None)
@given(any_event())
def test_a_subject_follows_from_the_signed_workspace_run_and_type(event: Event) -> None:
    scope = ["admin"] if event.run is None else ["run", event.run]
    topic = AUTHORITY[event.type][0]
    path = [*scope, topic]
    if topic == CAPTURE and event.run is None:
        path = [topic, event.actor.instance]
    assert subject_of(event).split(".") == ["ws", event.workspace, *path]
    assert not set(subject_of(event)) & set("*> \n")


@pytest.mark.parametrize("event_type", body_types())
def test_only_the_roles_of_the_table_may_sign(event_type: str) -> None:
    allowed = {role for role in Role if may_sign(role, event_type)}
    assert allowed == set(AUTHORITY[event_type][1])


def test_an_event_type_outside_the_table_may_be_signed_by_nobody() -> None:
    with pytest.raises(SchemaError, match=r"rep\.promoted"):
        may_sign(Role.ROOT, "rep.promoted")


@pytest.mark.parametrize("bad", ["", "Acme", "a.b", "a b", "a*", ">", "-a", "a\n", "a" * 64])
def test_what_could_not_be_one_token_of_a_subject_is_no_name(bad: str) -> None:
    with pytest.raises(BadName, match="workspace") as refused:
        check_name(bad, "workspace")
    assert refused.value.fix


@pytest.mark.parametrize("good", ["a", "0", "acme", "run-1_b", "a" * 63])
def test_a_name_comes_back_as_it_was(good: str) -> None:
    assert check_name(good, "workspace") == good
