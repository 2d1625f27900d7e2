"""Nobody gets through a door of the console that is not theirs."""

from tests.access.trial import trial


async def test_every_route_lets_in_exactly_the_roles_it_is_for() -> None:
    found = await trial()
    assert found.allowed_wrongly == []
    assert found.refused_wrongly == []
    assert found.undecided == []
    assert found.tried > 700
