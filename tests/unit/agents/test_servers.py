"""Which of a bus's servers a run's processes are given."""

from agents.processes import one_server

SERVERS = "tls://127.0.0.1:1,tls://127.0.0.1:2,tls://127.0.0.1:3"


def test_three_attempts_of_a_run_are_at_three_servers() -> None:
    found = {one_server(SERVERS, "r-1", attempt) for attempt in (1, 2, 3)}
    assert found == set(SERVERS.split(","))


def test_runtime_and_judge_of_one_attempt_are_at_one_server() -> None:
    assert one_server(SERVERS, "r-1", 1) == one_server(SERVERS, "r-1", 1)


def test_a_single_server_is_everybodys() -> None:
    assert one_server("tls://127.0.0.1:1", "r-1", 7) == "tls://127.0.0.1:1"
