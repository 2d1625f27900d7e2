"""Who is told by mail that a question waits, and that it was done once.

A mail says which run waits for which tool, and where to look: nothing that the agent wrote or read,
and no link that decides. It is noted once the mail server has taken it: a restart tells nobody
twice, and what could not be sent is tried again.
"""

import logging
from collections.abc import Collection, Iterator
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Final

from console.view.state import Grant, Run, Step, Workspace
from console.web.feed import Feed
from console.web.mail import UNDELIVERED, Post
from console.web.permissions import ROLES, May
from console.web.shown import moment
from console.web.store import Store

AGAIN_S: Final = 60.0
"""After so long what could not be sent is tried again, if nothing happens before."""

_LOG: Final = logging.getLogger("anyteam.console")


def owed(view: Workspace, told: Collection[tuple[bytes, str]]) -> Iterator[tuple[Step, str]]:
    """Each question that waits, with each account that can answer it and was not told. Pure."""
    for step in view.questions():
        run = view.runs[step.run]
        for grant in view.grants.values():
            if _answers(grant, step, run) and (step.digest, grant.account) not in told:
                yield step, grant.account


def _answers(grant: Grant, step: Step, run: Run) -> bool:
    if grant.revoked or May.DECIDE not in ROLES[grant.role]:
        return False
    two = step.question is not None and step.question.people > 1
    own = two and grant.person == run.request.rep
    return not own and grant.person not in {answer.by for answer in step.answers}


async def notify(feed: Feed, store: Store, post: Post, origin: str) -> None:
    """Tell people of what waits, and of what comes, until cancelled."""
    seen = -1
    while True:
        seen = feed.index
        store.untell([step.digest for step in feed.view.questions()])
        told = store.told()
        for step, account in list(owed(feed.view, told)):
            address = store.address_of(account)
            if not address:
                continue
            try:
                run = feed.view.runs[step.run]
                await post.bring(notice(post.sender, address, step, run, origin))
            except UNDELIVERED as error:
                _LOG.error("a notice could not be sent and is tried again: %s", error)
                break
            store.tell(step.digest, account)
        await feed.moved(seen, AGAIN_S)


def notice(sender: str, address: str, step: Step, run: Run, origin: str) -> EmailMessage:
    """The mail about one question."""
    assert step.question is not None
    message = EmailMessage()
    message["From"] = sender
    message["To"] = address
    message["Subject"] = f"An agent waits for you: {step.tool} ({run.name})"
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    both = "\nTwo people must approve it." if step.question.people > 1 else ""
    message.set_content(
        f"The agent {run.request.agent}, which works for {run.request.rep}, wants to use"
        f" {step.tool}, and a person must decide.{both}\n\n"
        f"{origin}/inbox/{step.digest.hex()}\n\n"
        f"It expires {moment(step.question.expires)} UTC. What exactly it would do is shown there,"
        " and not in this mail.\n"
    )
    return message
