"""Webhook endpoints in the console: what is behind, what is dead, and no address that opens."""

from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from bus.folder import DataFolder
from console.api.hooks import webhook_shape
from console.web.here import templates
from console.web.hooks import Hook, hooks_of
from projections.webhooks.endpoint import Endpoint, Step
from projections.webhooks.progress import Progress, Trouble
from projections.webhooks.store import Store
from schemas.settings import PolicySettings, Settings, WebhookSettings
from tests.unit.projections.webhooks.test_store import ENDPOINT, LETTER, attempt

SETTINGS = Settings(
    workspace="acme",
    reps=("ann",),
    admins=("ada",),
    policy=PolicySettings(tools=()),
    webhooks=WebhookSettings(),
)
SECRET_URL = "https://hooks.example.com/T0/<b>B0</b>?token=opens"
TROUBLE = Trouble(
    since=1, failures=3, refusals=0, refused_at=0, next_at=2 * 10**18, reason="answered <i>503</i>"
)


def told(home: Path) -> tuple[Hook, ...]:
    folder = DataFolder(home)
    store = Store(folder.webhook_file, "acme")
    endpoint = Endpoint(name="crm", url=SECRET_URL, filter=ENDPOINT.filter, made_at=5)
    store.add(endpoint, Progress(after=8), b"sealed")
    step = Step(
        name="crm",
        generation=store.get("crm").generation,
        progress=Progress(after=9, trouble=TROUBLE),
        attempts=(attempt(8), attempt(9)),
        dead=(LETTER,),
    )
    store.keep([step])
    store.close()
    return hooks_of(folder, SETTINGS)


def page(hooks: tuple[Hook, ...], *, switched_on: bool = True) -> str:
    return (
        templates("acme")
        .get_template("webhooks.html")
        .render(path="/webhooks", visitor=None, size=12, hooks=hooks, switched_on=switched_on)
    )


def test_an_endpoint_is_told_with_how_far_it_is_and_what_it_would_not_take(tmp_path: Path) -> None:
    (hook,) = told(tmp_path)
    assert (hook.after, hook.dead, hook.failures) == (9, 1, 3)
    assert [one.index for one in hook.attempts] == [9, 8]
    text = LexborHTMLParser(page((hook,))).text(separator=" ")
    assert "up to entry 9, 3 behind" in text
    assert "1 dead letter" in text
    assert "answered <i>503</i>" in text


def test_of_an_address_only_the_host_leaves_the_machine(tmp_path: Path) -> None:
    hooks = told(tmp_path)
    for said in (page(hooks), str(webhook_shape(hooks[0]))):
        assert "hooks.example.com" in said
        assert "opens" not in said


def test_where_there_are_none_the_page_says_whether_they_are_switched_on(tmp_path: Path) -> None:
    assert hooks_of(DataFolder(tmp_path), SETTINGS) == ()
    assert "anyteam webhook add" in page(())
    assert "[webhooks]" in page((), switched_on=False)
    assert not DataFolder(tmp_path).webhook_file.exists(), "looking makes no database"
