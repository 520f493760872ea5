"""The pages about incidents: what they say, who may do what from there, and how they look in Debian's Chromium."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from markupsafe import Markup
from playwright.sync_api import Browser
from starlette.applications import Starlette
from starlette.middleware import Middleware

from alerts.incidents.desk import Desk
from alerts.model import AlertsDeclared
from alerts.routing.model import Channel, ChannelKind, Receiver
from alerts.runbooks.model import Runbook
from alerts.schedules.model import Every, Rotation, Schedule
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.model.follow_up import AccessToken, Role
from controlplane.model.incident import Priority
from flyball.demo import servers
from flyball.settings import Secret
from flyball.web.access import Access, digest_of
from flyball.web.console import console_routes, exception_handlers
from flyball.web.guards import Admission, Guards
from flyball.web.incident_gathering import DeclaredIncidents
from flyball.web.on_call_pages import reading_below
from flyball.web.pages import environment
from tests.flyball.web import world
from tests.flyball.web.test_console_browser import AXE, PHONE

CONSOLE_TOKEN = "the-console-token"
TOKENS = {"vera": Role.VIEWER, "rob": Role.RESPONDER, "ada": Role.ADMIN}
NAUGHTY = f"checkout burns {world.NASTY}"
RUNBOOK = "# Outage\n\nRead [spike](traffic-spike.md).\n\n<script>alert(1)</script>\n\n1. Roll back\n"


@dataclass(frozen=True)
class Console:
    """A console with one incident, and its parts."""

    url: str
    desk: Desk
    incident: str
    state: world.State


def declared() -> AlertsDeclared:
    week = Rotation("weekly", ("ann", "ben"), world.NOW.replace(tzinfo=None), Every.WEEK, 1)
    people = tuple(Receiver(name, (Channel("console", ChannelKind.CONSOLE),)) for name in ("ann", "ben"))
    return AlertsDeclared(
        receivers=people,
        schedules=(Schedule("sre", "UTC", (week,)),),
        runbooks=(Runbook("outage", "Outage", file="runbooks/outage.md"), Runbook("gone", file="runbooks/gone.md")),
    )


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    folder = tmp_path_factory.mktemp("incidents")
    (folder / "runbooks").mkdir()
    (folder / "runbooks" / "outage.md").write_text(RUNBOOK)
    away = PrometheusBackend(f"http://{servers.LOOPBACK}:{servers.free_port()}")
    state = world.State(away, world.a_store(folder / "store", []), [])
    ids = iter(f"id{number}" for number in range(1000))
    desk = Desk(state.store, declared, lambda: next(ids))
    made = desk.declare(
        NAUGHTY, priority=Priority.P0, service="checkout", summary="half of it fails", receivers=["ann"],
        policy="", by="ann", now=world.NOW,
    )  # fmt: skip
    with state.store.transaction() as transaction:
        for name, role in TOKENS.items():
            transaction.access.put_token(AccessToken(name, role, digest_of(f"token-of-{name}"), world.NOW))
        old = AccessToken("old", Role.ADMIN, digest_of("token-of-old"), world.NOW, expires_at=world.NOW)
        gone = AccessToken("gone", Role.ADMIN, digest_of("token-of-gone"), world.NOW, revoked_at=world.NOW)
        for token in (old, gone):
            transaction.access.put_token(token)
    access = Access(state.store, Secret(CONSOLE_TOKEN), state.clock, b"k" * 32)
    app = Starlette(
        routes=console_routes(
            state, incidents=DeclaredIncidents(declared), desk=desk, read_runbook=reading_below(folder)
        ),
        middleware=[Middleware(Guards, admission=Admission(frozenset()), access=access)],
        exception_handlers=dict(exception_handlers()),
    )
    with world.serving(app) as url:
        yield Console(url, desk, made.incident.id, state)
    away.close()


def basic(secret: str, user: str = "me") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()}


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def shown(console: Console, path: str, headers: dict[str, str] | None = None) -> str:
    answer = httpx.get(f"{console.url}{path}", headers=headers or basic("token-of-rob"), timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.text


def csrf_of(text: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', text)
    assert found
    return found[1]


def test_the_list_and_the_page_say_what_goes_on_and_nothing_of_it_is_html(console: Console) -> None:
    for text in (shown(console, "/incidents"), shown(console, f"/incidents/{console.incident}")):
        assert "checkout burns &lt;script&gt;" in text
        assert "<script>alert" not in text
    assert shown(console, "/incidents/INC-1") == shown(console, "/incidents/INC-1")
    assert httpx.get(f"{console.url}/incidents/INC-99", headers=basic("token-of-rob")).status_code == 404


@pytest.mark.parametrize("secret", ["", "wrong", "token-of-old", "token-of-gone", CONSOLE_TOKEN[:-1]])
def test_without_a_token_that_is_good_nobody_comes_in(console: Console, secret: str) -> None:
    for headers in (basic(secret), bearer(secret or "?")):
        answer = httpx.get(f"{console.url}/incidents", headers=headers)
        assert (answer.status_code, "Basic" in answer.headers["www-authenticate"]) == (401, True)


def test_viewers_read_and_may_do_nothing(console: Console) -> None:
    text = shown(console, f"/incidents/{console.incident}", basic("token-of-vera"))
    assert "vera may read" in text
    assert "Acknowledge</button>" not in text
    url = f"{console.url}/api/v1/incidents/{console.incident}/note"
    answer = httpx.post(url, json={"text": "I was here"}, headers=bearer("token-of-vera"))
    assert (answer.status_code, answer.json()["error"]) == (403, "vera is a viewer; this needs a responder")


def test_a_form_of_the_page_acknowledges_under_the_name_of_the_token(console: Console) -> None:
    made = console.desk.declare(
        "to be taken", priority=Priority.P2, service="", summary="", receivers=[], policy="", by="x", now=world.NOW
    ).incident  # fmt: skip
    headers = basic("token-of-rob", user="somebody else")
    form = {"csrf": csrf_of(shown(console, f"/incidents/{made.id}", headers))}
    answer = httpx.post(f"{console.url}/incidents/{made.id}/acknowledge", data=form, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/incidents/{made.id}")
    assert "acknowledged by rob" in shown(console, f"/incidents/{made.id}")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"csrf": ""}, "without its token"),
        ({"csrf": "0" * 64}, "with another token"),
        ({"sec-fetch-site": "cross-site"}, "from another site"),
        ({"origin": "https://evil.example"}, "from another origin"),
        ({"origin": "null"}, "from nowhere"),
    ],
)
def test_a_forged_form_changes_nothing(console: Console, change: dict[str, str], why: str) -> None:
    headers = basic("token-of-rob")
    form = {"text": "forged", "csrf": csrf_of(shown(console, f"/incidents/{console.incident}", headers))}
    form |= {key: value for key, value in change.items() if key == "csrf"}
    headers |= {key: value for key, value in change.items() if key != "csrf"}
    answer = httpx.post(f"{console.url}/incidents/{console.incident}/note", data=form, headers=headers)
    assert answer.status_code == 403, why
    assert "forged" not in shown(console, f"/incidents/{console.incident}")


def test_what_one_token_may_send_another_ones_form_may_not(console: Console) -> None:
    stolen = csrf_of(shown(console, f"/incidents/{console.incident}", basic("token-of-rob")))
    url = f"{console.url}/incidents/{console.incident}/note"
    answer = httpx.post(url, data={"text": "x", "csrf": stolen}, headers=basic("token-of-ada"))
    assert answer.status_code == 403


def test_programs_with_a_bearer_token_need_no_form(console: Console) -> None:
    url = f"{console.url}/api/v1/incidents/{console.incident}"
    changed = httpx.post(f"{url}/note", json={"text": "from a program"}, headers=bearer("token-of-rob")).json()
    assert (changed["changed"], changed["state"]) == (True, "open")
    found = httpx.get(url, headers=bearer("token-of-rob")).json()
    assert [line["text"] for line in found["timeline"]][-1] == "from a program"
    ranked = httpx.post(f"{url}/priority", json={"priority": "P1", "why": "better"}, headers=bearer("token-of-rob"))
    assert ranked.json()["priority"] == "P1"
    for what, fields, code in (
        ("priority", {"priority": "P9"}, 422),
        ("assign", {"role": "", "who": "ann"}, 422),
        ("explode", {}, 404),
        ("note", {"text": 3}, 400),
    ):
        answer = httpx.post(f"{url}/{what}", json=fields, headers=bearer("token-of-rob"))
        assert answer.status_code == code, (what, answer.text)


def test_the_console_token_may_all_under_the_users_own_name(console: Console) -> None:
    headers = basic(CONSOLE_TOKEN, user="chris")
    form = {"role": "commander", "who": "ann", "csrf": csrf_of(shown(console, "/incidents/INC-1", headers))}
    answer = httpx.post(f"{console.url}/incidents/INC-1/assign", data=form, headers=headers)
    assert answer.status_code == 303
    assert "says chris" in shown(console, "/incidents/INC-1")


def test_who_is_on_call_and_what_to_do(console: Console) -> None:
    assert "<strong>ann</strong> has it" in shown(console, "/on-call")
    (sre,) = httpx.get(f"{console.url}/api/v1/on-call", headers=bearer("token-of-vera")).json()["schedules"]
    assert (sre["on_call"], sre["next"]) == ("ann", "ben")
    text = shown(console, "/runbooks/outage")
    assert '<a href="traffic-spike" rel="noreferrer">spike</a>' in text
    assert "<script>alert" not in text
    assert "runbooks/gone.md cannot be read" in shown(console, "/runbooks/gone")


def test_files_outside_of_the_workspace_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "secret.md").write_text("secret")
    read = reading_below(tmp_path / "inside")
    for path in ("../secret.md", str(tmp_path / "secret.md")):
        with pytest.raises(OSError, match="secret"):
            read(path)


def test_a_token_that_was_good_lately_opens_the_door_while_the_database_is_away(tmp_path: Path) -> None:
    store = world.a_store(tmp_path / "store", [])
    with store.transaction() as transaction:
        transaction.access.put_token(AccessToken("ann", Role.RESPONDER, digest_of("hers"), world.NOW))
    clock = Ticking()
    access = Access(store, None, clock, b"k" * 32)
    assert access.principal("Bearer hers").name == "ann"  # type: ignore[union-attr]
    assert access.principal("") is None  # once there are tokens, one is needed
    (tmp_path / "store").rename(tmp_path / "away")
    store.close()  # type: ignore[attr-defined]
    clock.at += timedelta(minutes=9)
    assert access.principal("Bearer hers").name == "ann"  # type: ignore[union-attr]


@dataclass
class Ticking:
    """A clock that tests move."""

    at = world.NOW

    def now(self):  # type: ignore[no-untyped-def]
        return self.at


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_about_incidents_have_nothing_that_axe_finds(console: Console, browser: Browser, theme: str) -> None:
    context = browser.new_context(
        viewport=PHONE, color_scheme=theme, extra_http_headers=basic("token-of-rob"), bypass_csp=True  # type: ignore[arg-type]
    )  # fmt: skip
    page = context.new_page()
    for path in ("/incidents", "/incidents/INC-1", "/on-call", "/runbooks/outage"):
        page.goto(f"{console.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        page.add_script_tag(path=AXE)
        found = page.evaluate("axe.run({resultTypes: ['violations']}).then(it => it.violations.map(v => v.id))")
        assert found == [], (path, found)
    context.close()


def test_what_alerts_say_cannot_turn_around_what_stands_beside_it() -> None:
    template = environment().from_string("<td title='{{ said }}'>{{ said }}</td>{{ made }}")
    shown = template.render(said="\u202egpj.exe\u2066 <b> مرحبا", made=Markup("<i>\u202e&lt;</i>"))
    assert shown == "<td title='gpj.exe &lt;b&gt; مرحبا'>gpj.exe &lt;b&gt; مرحبا</td><i>&lt;</i>"
