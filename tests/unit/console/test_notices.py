"""Who is told by mail that a question waits: all who can answer it, once, and nobody else."""

from msgspec.structs import replace

from console.view.state import Grant, Workspace
from console.web.notices import notice, owed
from schemas.access import AccessRole
from schemas.actions import ApprovalDecided, ApprovalRequested, Decision
from schemas.names import Role
from schemas.runs import KeyCertified
from tests.stories import RunStory, Said, Story
from tests.unit.console.test_fold import seen

ROLES = {
    "u-ada": (AccessRole.ADMIN, "ada"),
    "u-bob": (AccessRole.APPROVER, "bob"),
    "u-ann": (AccessRole.REP, "ann"),
    "u-eve": (AccessRole.AUDITOR, ""),
}


def held(people: int = 1) -> tuple[Story, RunStory, Said]:
    story = Story()
    story.found()
    story.author("bob", Role.ADMIN)
    story.say("root", KeyCertified(certificate=story.certificate("bob")))
    run = story.begin("r-1")
    proposal = run.propose()
    expires = story.now + 10**12
    question = ApprovalRequested(
        proposal=proposal.digest, tool="crm.update", question="?", layers=(), expires=expires
    )
    run.say("sidecar", replace(question, people=people), proposal)
    return story, run, proposal


def view_of(story: Story) -> Workspace:
    view = seen(story)
    for account, (role, person) in ROLES.items():
        view.grants[account] = Grant(account, role, person, "ada", 0)
    return view


def told(story: Story, known: set[tuple[bytes, str]]) -> list[str]:
    return [account for _, account in owed(view_of(story), known)]


def test_those_who_can_answer_are_told_once_and_nobody_else() -> None:
    story, _, proposal = held()
    assert told(story, set()) == ["u-ada", "u-bob"]
    assert told(story, {(proposal.digest, "u-ada")}) == ["u-bob"]
    view = view_of(story)
    view.grants["u-bob"].revoked = "left"
    assert [account for _, account in owed(view, set())] == ["u-ada"]


def test_nobody_is_told_of_what_was_answered_and_of_two_the_second_still_is() -> None:
    for people, left in ((1, []), (2, ["u-bob"])):
        story, run, proposal = held(people)
        run.say("ada", ApprovalDecided(proposal=proposal.digest, decision=Decision.APPROVE))
        assert told(story, set()) == left


def test_the_mail_holds_the_place_to_look_and_nothing_of_the_proposal() -> None:
    story, _, proposal = held(2)
    view = view_of(story)
    step, run = view.runs["r-1"].steps[proposal.digest], view.runs["r-1"]
    mail = notice("trust@acme.example", "bob@acme.example", step, run, "https://trust.acme.example")
    text = mail.get_content()
    assert f"https://trust.acme.example/inbox/{proposal.digest.hex()}" in text
    assert "Two people" in text
    assert "deal-1" not in str(mail) and "stage 2" not in str(mail)
