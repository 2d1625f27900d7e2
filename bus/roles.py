"""What each role may do on the bus, as data: publish its topics, and read what it must.

Everything follows from `schemas.authority`: a role writes its own topics and no other. A
run's runtime and judge reach nothing outside their run. Every user has an inbox and, for
a run, a consumer named by its own public key, so that no user receives another's answers.
Nobody named here may create, change, purge or delete a stream, or delete a message.
"""

from typing import Final

from bus.identity import Scope, Service
from schemas.authority import capture_subject, topics_of
from schemas.names import Role

LEDGER: Final = "LEDGER"
SEALS: Final = "SEALS"
ANY_STREAM: Final = "*"
"""The account that owns them holds the ledger's epochs and the seals, and no other stream."""
API: Final = "$JS.ledger.API"
"""Where the workspace's users find JetStream's API; to NATS clients, domain `ledger`."""

ROLES: Final = tuple(Role)
RUN_ROLES: Final = (Role.RUNTIME, Role.JUDGE)
"""The roles whose users belong to one run, named by the user's name."""

_OWN_NAME: Final = "{{name()}}"
_SELF: Final = "{{subject()}}"
_OWN_SUBSCRIPTIONS: Final = 64
"""Such a user needs an inbox or two; a hijacked one must not fill the server's memory."""

_WORKSPACE_TOPICS: Final = (
    "key",
    "epoch",
    "notice",
    "supervision",
    "destination",
    "erasure",
    "readmission",
    "withdrawal",
    "access",
    "session",
    "passkey",
    "witness",
)
_BOTH_TOPICS: Final = ("halt",)
_CARRIED: Final = {Role.CONSOLE: ("decision", "halt", "passkey", "request")}
"""Topics of people whose signed events the console brings to the bus; it can sign none itself."""


def stream_of(epoch: int) -> str:
    """The stream of one epoch of the ledger, counted from 1."""
    return LEDGER if epoch == 1 else f"{LEDGER}-{epoch}"


def ledger_subject(workspace: str) -> str:
    """All that the ledger takes."""
    return f"ws.{workspace}.>"


def run_subject(workspace: str, run: str) -> str:
    """All of one run: what its runtime and judge may read."""
    return f"ws.{workspace}.run.{run}.>"


def seals_subject(workspace: str) -> str:
    """Where the sealer publishes."""
    return f"seal.{workspace}"


def scope_of(role: Role, workspace: str) -> Scope:
    """The permission template of `role` in `workspace`."""
    inbox = f"_INBOX.{_SELF}.>"
    if role is Role.DEVICE:
        # It reads nothing: an acknowledgement of what it wrote is all that it is told.
        return Scope(
            role.value, (capture_subject(workspace, _OWN_NAME),), (inbox,), _OWN_SUBSCRIPTIONS
        )
    if role in RUN_ROLES:
        publish = (*_topics(role, workspace, _OWN_NAME), *_read_own_run(workspace))
        return Scope(role.value, publish, (inbox,), _OWN_SUBSCRIPTIONS)
    publish = (*_topics(role, workspace, "*"), *_read_all())
    if role is Role.SIDECAR:
        publish = (*publish, seals_subject(workspace))
    return Scope(role.value, publish, (inbox,))


def ledger_services(workspace: str) -> tuple[Service, ...]:
    """All that the account owning the streams offers to the workspace's users.

    Streams and users live in different accounts because JetStream sends an answer to
    whatever subject the request names, asking nobody's permission: inside one account the
    empty status of a pull request, aimed at `$JS.API.STREAM.DELETE.LEDGER`, deletes the
    ledger. Across accounts the answer resolves among the users, where that subject leads
    nowhere. So nothing that removes or reshapes a stream may ever stand in this list.
    """
    own = (ledger_subject(workspace), seals_subject(workspace))
    services = [Service(subject, subject) for subject in own]
    for verb in (f"STREAM.INFO.{ANY_STREAM}", f"STREAM.MSG.GET.{ANY_STREAM}"):
        services.append(Service(f"$JS.API.{verb}", f"{API}.{verb}"))
    for verb in ("CREATE", "MSG.NEXT", "INFO", "DELETE"):
        tail = f"CONSUMER.{verb}.>"
        services.append(Service(f"$JS.API.{tail}", f"{API}.{tail}", verb == "MSG.NEXT"))
    return tuple(services)


def consumer_name(role: Role, user: str) -> str:
    """The consumer this user may create; `user` is the user's public key.

    A run's user has exactly this one, its own. Who may read everything makes as many as
    needed, under names that begin so and end at random, so that no other can guess them.
    """
    return user if role in RUN_ROLES else role.value


def topics_published(role: Role) -> tuple[str, ...]:
    """The topics that `role` writes, and those of people that it carries, sorted."""
    return tuple(sorted({*topics_of(role), *_CARRIED.get(role, ())}))


def topics_scoped(topic: str) -> tuple[bool, bool]:
    """(whether `topic` is found on a run's subjects, on the workspace's)."""
    return topic not in _WORKSPACE_TOPICS, topic in _WORKSPACE_TOPICS + _BOTH_TOPICS


def _topics(role: Role, workspace: str, run: str) -> tuple[str, ...]:
    subjects = []
    for topic in topics_published(role):
        of_run, of_workspace = topics_scoped(topic)
        if of_run:
            subjects.append(f"ws.{workspace}.run.{run}.{topic}")
        if of_workspace and role not in RUN_ROLES:
            subjects.append(f"ws.{workspace}.admin.{topic}")
    return tuple(subjects)


def _read_own_run(workspace: str) -> tuple[str, ...]:
    # The server holds a consumer's filter to the one in the subject it is created on.
    # Any stream, since a run may see the ledger's epoch turn; the seals hold nothing under it.
    consumer = f"{ANY_STREAM}.{_SELF}"
    return (
        f"{API}.CONSUMER.CREATE.{consumer}.{run_subject(workspace, _OWN_NAME)}",
        f"{API}.CONSUMER.MSG.NEXT.{consumer}",
        f"{API}.CONSUMER.INFO.{consumer}",
        f"{API}.CONSUMER.DELETE.{consumer}",
    )


def _read_all() -> tuple[str, ...]:
    return (
        f"{API}.STREAM.INFO.{ANY_STREAM}",
        f"{API}.STREAM.MSG.GET.{ANY_STREAM}",
        f"{API}.CONSUMER.CREATE.{ANY_STREAM}.*",
        f"{API}.CONSUMER.CREATE.{ANY_STREAM}.*.>",
        f"{API}.CONSUMER.MSG.NEXT.{ANY_STREAM}.*",
        f"{API}.CONSUMER.INFO.{ANY_STREAM}.*",
        f"{API}.CONSUMER.DELETE.{ANY_STREAM}.*",
    )
