"""A projection that was rebuilt holds what one that followed holds, table by table."""

import random
from collections.abc import AsyncIterator, Iterator

import psycopg

from bus.decider import Recorded
from ledger.export import ExportedEntry
from projections.ahead import rebuild
from projections.folds import rows_of
from projections.postgres.loads import MOST_ENTRIES
from projections.rows import Row
from schemas.actions import Decision, LayerOutcome, LayerResult, ReceiptIssued
from schemas.erasure import ContentErased, ContentField
from schemas.runs import EpochOpened, HaltEngaged, HaltReleased, HaltScope, RunRequested
from tests.process.projections.conftest import ACME, Database, Enter, Open, empty, everything
from tests.projected import entries_of
from tests.scenery import REQUEST
from tests.stories import RunStory, Said, SignedLedger, Story

WORDS = ("plain", "a\ttab", "two\nlines", "\\N", "\\.", "nothing\x00here", "é ☃", "")


class Repeating(Story):
    """A story in which whoever speaks may take the id of an event that was there."""

    again = ""

    def _event_id(self, at: int) -> str:
        return self.again or super()._event_id(at)


def tell(seed: int) -> SignedLedger:
    """More than one load of everything that tables are made of, and of what they are not."""
    story = Repeating(ACME, seed)
    story.found()
    number = 0
    while len(story.entries) <= MOST_ENTRIES + 200:
        number += 1
        _run(story, story.begin(f"r-{number}"))
    return story.ledger()


def _run(story: Repeating, run: RunStory) -> None:
    chance, receipts = story.random, []
    for _ in range(chance.randrange(4)):
        proposal = run.propose()
        if chance.random() < 0.4:
            run.ask(proposal)
            run.answer(proposal, chance.choice(list(Decision)))
        run.give(proposal)
        layers = tuple(
            LayerOutcome(
                layer=n,
                name=f"layer-{n}",
                result=chance.choice(list(LayerResult)),
                evidence=chance.choice(WORDS),
            )
            for n in range(1, chance.randrange(2, 15))
        )
        action = run.start(proposal, layers=layers)
        finished = run.finish(action)
        receipts.append(run.receipt(action, finished))
        _trouble(story, run, proposal)
    if chance.random() < 0.9:
        run.complete(*receipts)


def _trouble(story: Repeating, run: RunStory, proposal: Said) -> None:
    """Now and then what no honest ledger has, or seldom."""
    chance = story.random
    for trouble in (n for n in range(7) if chance.random() < 0.05):
        match trouble:
            case 0:
                field = ContentField(run=run.run, event=proposal.event.id, name="arguments")
                story.say("ada", ContentErased(fields=(field,), reason=chance.choice(WORDS)))
            case 1:
                story.put(f"ws.{ACME}.run.{run.run}.action", chance.randbytes(40))
            case 2:
                run.say(
                    "sidecar",
                    ReceiptIssued(receipt=b"none", mac=bytes(32), signature=bytes(64)),
                )
            case 3:
                vast = RunRequested(
                    **{n: getattr(REQUEST, n) for n in ("rep", "agent", "intent", "tools")},
                    ttl_s=1,
                    max_actions=2**64 - 1,
                )
                story.say("ann", vast, run=f"vast-{len(story.entries)}")
            case 4:
                story.again = proposal.event.id
                run.propose()
                story.again = ""
            case 5:
                halt = HaltEngaged(scope=HaltScope.AGENT, target="a", reason=chance.choice(WORDS))
                story.say("ada", halt)
                if chance.random() < 0.5:
                    story.say("ada", HaltReleased(scope=HaltScope.AGENT, target="a", reason="over"))
            case _:
                story.say(
                    "root",
                    EpochOpened(epoch=2, size=len(story.entries), head=bytes(32), root=bytes(32)),
                )


def poisoned(recorded: Recorded) -> Iterator[Row]:
    """Every fold, and now and then a row that no database takes, or a bug of ours."""
    yield from rows_of(recorded)
    if recorded.index % 331 == 5:
        yield Row("runs", {"run": "r-1", "requested_at": 2**70})
    if recorded.index % 331 == 7:
        raise KeyError("a bug of ours")


async def found(ledger: SignedLedger) -> AsyncIterator[ExportedEntry]:
    for entry in ledger.entries:
        yield entry


async def test_a_rebuilt_projection_is_the_one_that_followed(
    database: Database, stores: Open, enter: Enter
) -> None:
    ledger, chance = tell(seed=1), random.Random(1)
    entries = entries_of(ledger)
    following = stores(fold=poisoned)
    while entries:
        size = chance.choice((1, 7, 200))
        following.apply(entries[:size])
        entries = entries[size:]
    followed = everything(enter)
    assert min(len(followed[t]) for t in ("set_aside", "rejected_entries", "erasures")) > 0
    with psycopg.connect(database.superuser().conninfo()) as connection:
        empty(connection)
    filling = stores(fold=poisoned, direct=True)
    await rebuild(ACME, ledger.root_public, found(ledger), filling, cores=2)
    assert everything(enter) == followed
