"""What people do in PagerDuty and Slack, over HTTP: at the real desk, on a real store."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from alerts.adapters.slack import SlackNotifier
from alerts.adapters.slack_api import SlackApi
from alerts.delivery.showing import Showing
from alerts.inbound.answering import Answering
from alerts.incidents.desk import Desk
from alerts.incidents.snapshots import IncidentSnapshots
from alerts.model import AlertsDeclared
from alerts.slack.message import ACKNOWLEDGE, RESOLVE
from alerts.telling import message_of
from controlplane.model.incident import Incident, IncidentState, OutsideObject, TimelineKind
from controlplane.ports import Transient
from flyball.secret import Secret
from flyball.telemetry import Tracing, own_metrics
from flyball.web import pagerduty_hook, slack_hook
from flyball.web.pagerduty_hook import PagerDutyHook
from flyball.web.slack_hook import SlackHook
from tests.alerts.adapters.telling import Book, a_book, an_empty_database
from tests.alerts.inbound.test_pagerduty import KEY, SECRET, event, signature
from tests.alerts.messages.samples import INCIDENT, NOW
from tests.outside.slack import CHANNEL, SIGNING_SECRET, TOKEN, SlackRequest, SlackServer, signed

LANE = "slack:critical"
CLOCK: Any = SimpleNamespace(now=lambda: NOW)
AT = int(NOW.timestamp())


class Site:
    """The endpoints, the store, and Slack with the incident's message in it."""

    def __init__(self, book: Book, slack: SlackServer, *, secrets: bool = True) -> None:
        self.book, self.slack = book, slack
        numbers = count(1)
        self.desk = Desk(book.store, AlertsDeclared, lambda: f"n{next(numbers)}", read_time=lambda _, now: now)
        self.answering = Answering(book.store, self.desk)
        around: Any = {"clock": CLOCK, "metrics": own_metrics(), "tracing": Tracing(endpoint="", instance="test")}
        pagerduty = PagerDutyHook(self.answering, secrets=[Secret(SECRET)] if secrets else [], **around)
        pressed = SlackHook(self.answering, secret=Secret(SIGNING_SECRET) if secrets else None, **around)
        routes = [
            Route(pagerduty_hook.PATH, pagerduty.answer, methods=["POST"]),
            Route(slack_hook.PATH, pressed.answer, methods=["POST"]),
        ]
        self.client = TestClient(Starlette(routes=routes))

    def page(self, body: bytes, header: str | None = None) -> Any:
        given = signature(body) if header is None else header
        return self.client.post(pagerduty_hook.PATH, content=body, headers={"X-PagerDuty-Signature": given})

    def slacks(self, request: SlackRequest) -> Any:
        return self.client.post(slack_hook.PATH, content=request.body, headers=request.headers)

    @property
    def incident(self) -> Incident:
        with self.book.store.transaction(read_only=True) as transaction:
            found = transaction.incidents.incident(INCIDENT.id)
        assert found is not None
        return found

    def show(self) -> None:
        """Bring Slack's message up to date, as the outbox does."""
        snapshots = IncidentSnapshots(self.book.store, AlertsDeclared, read_time=lambda _: NOW)
        showing = Showing(self.book.store, snapshots, now=lambda: NOW)
        api = SlackApi(lambda: TOKEN, self.book.rate(), now=lambda: NOW, url=self.slack.base_url)
        SlackNotifier(LANE, CHANNEL, api, showing, with_buttons=True).notify(message_of(self.incident, LANE))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return an_empty_database(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def book(tmp_path: Path, empty: Path) -> Iterator[Book]:
    with a_book(tmp_path, empty) as book:
        book.keep(replace(INCIDENT, version=1, policy="", suspects=(), price=None))
        with book.store.transaction() as transaction:
            transaction.telling.put_object(OutsideObject(INCIDENT.id, "pagerduty:sre", KEY, NOW, NOW))
        yield book


@pytest.fixture
def site(book: Book) -> Iterator[Site]:
    with SlackServer() as slack:
        slack.at(AT)
        yield Site(book, slack)


def test_whoever_presses_the_button_has_it_and_slack_says_so(site: Site) -> None:
    site.show()
    (message,) = site.slack.top()
    answer = site.slacks(site.slack.press(message, ACKNOWLEDGE, user="ann"))
    assert (answer.status_code, answer.content) == (200, b"")
    assert (site.incident.state, site.incident.acknowledged_by) == (IncidentState.ACKNOWLEDGED, "ann")
    site.show()
    (message,) = site.slack.top()
    assert "Acknowledged by ann" in json.dumps(message.blocks)
    assert site.slacks(site.slack.press(message, RESOLVE, user="ben")).status_code == 200
    assert (site.incident.state, site.incident.resolved_by) == (IncidentState.RESOLVED, "ben")


def test_words_in_the_thread_become_lines_of_the_timeline_and_are_not_told_back(site: Site) -> None:
    site.show()
    (message,) = site.slack.top()
    assert site.slacks(site.slack.say(message, "rolling back")).status_code == 200
    with site.book.store.transaction(read_only=True) as transaction:
        (line,) = transaction.incidents.timeline(INCIDENT.id)
    assert (line.kind, line.text) == (TimelineKind.MESSAGE, "rolling back")
    site.desk.note(INCIDENT.id, text="a note", by="ben", via="cli", now=NOW)
    site.show()
    assert "rolling back" not in json.dumps([each.blocks for each in site.slack.messages])


def test_who_acknowledges_in_pagerduty_has_it_here(site: Site) -> None:
    answer = site.page(event())
    assert (answer.status_code, answer.json()["changed"], answer.json()["incident"]) == (200, True, "INC-1")
    assert (site.incident.state, site.incident.acknowledged_by) == (IncidentState.ACKNOWLEDGED, "Ann Example")
    assert site.page(event()).json() == {"changed": False, "incident": "", "why": "it came before"}
    assert site.page(event("incident.resolved", id="2")).json()["changed"]
    assert site.incident.state is IncidentState.RESOLVED


def test_what_is_genuine_but_not_for_us_is_welcome(site: Site) -> None:
    assert site.page(event("service.updated")).status_code == 200
    assert site.page(event(data={"incident_key": "somebody else's"})).status_code == 200
    assert site.incident.state is IncidentState.OPEN
    verification = signed(json.dumps({"type": "url_verification", "challenge": "abc"}).encode(), AT)
    assert site.slacks(verification).json() == {"challenge": "abc"}


def test_what_pagerduty_did_not_sign_changes_nothing(site: Site) -> None:
    for header in ("", "v1=00", signature(event(), "guess"), signature(b"another body")):
        assert site.page(event(), header).status_code == 401
    assert site.incident.state is IncidentState.OPEN


def test_what_slack_did_not_sign_just_now_changes_nothing(site: Site) -> None:
    site.show()
    pressed = site.slack.press(site.slack.top()[0], ACKNOWLEDGE)
    for secret, age, extra in (("guess", 0, b""), (SIGNING_SECRET, 301, b""), (SIGNING_SECRET, 0, b"&")):
        forged = signed(pressed.body, AT - age, secret=secret, content_type=pressed.headers["Content-Type"])
        assert site.slacks(SlackRequest(forged.body + extra, forged.headers)).status_code == 401
    assert site.client.post(slack_hook.PATH, content=pressed.body).status_code == 401
    assert site.incident.state is IncidentState.OPEN


def test_a_press_that_is_replayed_within_five_minutes_does_nothing_again(site: Site) -> None:
    site.show()
    pressed = site.slack.press(site.slack.top()[0], ACKNOWLEDGE)
    site.slacks(pressed)
    with site.book.store.transaction() as transaction:
        again = replace(site.incident, state=IncidentState.OPEN, acknowledged_at=None, version=9)
        transaction.incidents.put(again)
    assert site.slacks(pressed).status_code == 200
    assert site.incident.state is IncidentState.OPEN


def test_bodies_have_bounds_and_must_be_understood(site: Site) -> None:
    large = b"x" * (pagerduty_hook.MAX_BODY_BYTES + 1)
    assert site.page(large).status_code == 413
    assert site.slacks(signed(large, AT)).status_code == 413
    assert site.page(b"[]").json() == {"error": "the body must be a JSON object"}
    assert site.slacks(signed(b"payload=[]", AT, content_type="application/x-www-form-urlencoded")).status_code == 400


def test_what_cannot_be_stored_now_is_asked_for_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise Transient("the database is locked")

    site.show()
    pressed = site.slack.press(site.slack.top()[0], ACKNOWLEDGE)
    with monkeypatch.context() as patched:
        patched.setattr(site.desk, "acknowledge", fail)
        again = site.page(event())
        assert (again.status_code, again.headers["Retry-After"]) == (503, "5")
        assert site.slacks(pressed).status_code == 503
    assert site.page(event()).json()["changed"]


def test_slack_gets_an_answer_in_time_though_the_database_is_slow(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.show()
    pressed = site.slack.press(site.slack.top()[0], ACKNOWLEDGE)
    goes_on = threading.Event()
    acknowledge = site.desk.acknowledge

    def slowly(*args: Any, **named: Any) -> Any:
        goes_on.wait(20)
        return acknowledge(*args, **named)

    monkeypatch.setattr(site.desk, "acknowledge", slowly)
    assert site.slacks(pressed).status_code == 503  # and not after twenty seconds
    goes_on.set()
    assert slack_hook.ANSWER_SECONDS + slack_hook.BODY_SECONDS < 3


def test_without_a_secret_nothing_is_taken(book: Book) -> None:
    with SlackServer() as slack:
        site = Site(book, slack, secrets=False)
        assert "FLYBALL_PAGERDUTY_WEBHOOK_SECRETS" in site.page(event()).json()["error"]
        assert "FLYBALL_SLACK_SIGNING_SECRET" in site.slacks(signed(b"{}", AT)).json()["error"]
