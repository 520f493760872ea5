"""Why somebody was told, or not: on a real store, after alerts came in and were delivered."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerts.delivery.lanes import give_up
from alerts.explaining.decisions import Decider
from alerts.explaining.why import AtAlertmanager, Unknown, Why, why
from alerts.explaining.why_views import why_data, why_text
from alerts.incidents.keeping import Keeper
from alerts.intake import Intake
from alerts.ports import HeldAlert, Silence
from alerts.routing.matchers import parse
from controlplane import conventions as names
from controlplane.model.alert import Alert, AlertNotification, AlertStatus
from controlplane.model.event import Event
from controlplane.model.incident import AttemptOutcome, DeliveryAttempt
from controlplane.model.inhibition import Inhibition
from controlplane.store import SqlStore
from tests.alerts.explaining.replays import SECOND, a_receiver, a_route, declared, night
from tests.alerts.kept_store import NOW, kept_store

MINUTE = timedelta(minutes=1)
INHIBITS = (Inhibition(('severity="page"',), ('severity="ticket"',), ("service",)),)


class Bench:
    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.declared = declared(
            a_route("pages", 'severity="page"', to="sre", escalation="p0"),
            a_route("nights", 'team="night"', to="chat", muted_during=("night",)),
            a_route("record", 'severity="info"'),
            windows=(night(),),
        )
        self.there = AtAlertmanager()

    def receive(self, *alerts: Alert, receiver: str = "default", at: datetime = NOW + 31 * SECOND) -> None:
        keeper = Keeper(lambda: self.declared, read_time=lambda _, now: now)
        notification = AlertNotification("{}:{}", receiver, AlertStatus.FIRING, alerts)
        Intake(self.store, keeper).receive(notification, at)

    def why(self, asked: str, now: datetime = NOW + 10 * MINUTE) -> Why:
        with self.store.transaction(read_only=True) as transaction:
            return why(transaction, asked, decider=Decider(self.declared, INHIBITS), there=self.there, now=now)

    def attempted(self, channel: str, outcome: AttemptOutcome, at: datetime, detail: str = "") -> None:
        with self.store.transaction() as transaction:
            incident = transaction.incidents.incident("INC-1")
            assert incident is not None
            attempt = DeliveryAttempt(f"{channel}:{at}", channel, incident.id, at, outcome, detail)
            transaction.telling.attempted([attempt])


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with kept_store(tmp_path) as store:
        yield Bench(store)


def an_alert(fingerprint: str, severity: str = "page", start: datetime = NOW, **labels: str) -> Alert:
    known = {"alertname": "Down", "service": "gateway", "severity": severity, **labels}
    return Alert(fingerprint, start, AlertStatus.FIRING, known, {"summary": "it is down"})


def test_an_incident_tells_how_it_came_about_and_who_was_told(bench: Bench) -> None:
    bench.receive(an_alert("f1"), receiver="pages")
    bench.receive(an_alert("f1"), receiver="pages", at=NOW + 2 * MINUTE)
    bench.attempted("slack:#sre", AttemptOutcome.RETRIED, NOW + 32 * SECOND, "503")
    bench.attempted("slack:#sre", AttemptOutcome.DELIVERED, NOW + 35 * SECOND)
    found = bench.why("INC-1")
    assert found.verdict == (
        "Told: slack:#sre took it at 2026-12-01 03:00:35 UTC, 35 s after its first alert began"
    )  # fmt: skip
    assert why_text(found).splitlines() == [
        found.verdict,
        "",
        "Incident",
        "  INC-1  P1  open  it is down",
        "  opened 2026-12-01 03:00:31, its first alert began 2026-12-01 03:00:00",
        "  routes pages; receivers sre",
        "",
        "Alerts",
        '  Down{service="gateway", severity="page"} (f1)',
        "    began 2026-12-01 03:00:00, reached us 31 s later",
        "    Alertmanager delivered it to pages 2 times, first 2026-12-01 03:00:31",
        "    route pages → sre, escalation p0, after 10s, news after 1m, the same again after 4h",
        "      default takes every alert",
        '      pages matches: severity="page"',
        "      priority P1: the label severity is page",
        "",
        "Told",
        "  2026-12-01 03:00:32  slack:#sre  retried: 503",
        "  2026-12-01 03:00:35  slack:#sre  delivered",
        "",
        "Waiting",
        "  messages for slack:#sre, since 2026-12-01 03:00:31",
        "",
        "Escalation",
        "  2026-12-01 03:00:31  p0, step 1: schedule sre: to come",
        "  2026-12-01 03:05:31  p0, step 2: receiver lead: to come",
        "  2026-12-01 03:10:31  p0, step 3: receiver exec: to come",
    ]
    assert bench.why("f1").verdict == found.verdict
    assert found.incident is not None
    assert bench.why(found.incident.id).verdict == found.verdict


def test_what_is_said_as_text_stands_in_json_as_well(bench: Bench) -> None:
    bench.receive(an_alert("f1"), receiver="pages")
    data = json.loads(json.dumps(why_data(bench.why("INC-1"))))
    assert data["incident"]["receivers"] == ["sre"]
    assert data["alerts"][0]["routes"][0]["reasons"][-1] == "priority P1: the label severity is page"
    assert data["alerts"][0]["delivered"] == [{"route": "pages", "times": 1, "first_at": "2026-12-01T03:00:31+00:00"}]
    assert [step["step"] for step in data["escalation"]] == [1, 2, 3]
    assert data["waiting"] == ["slack:#sre"]


def test_who_was_not_told_and_why_not(bench: Bench) -> None:
    bench.receive(an_alert("f1"), receiver="pages")
    assert bench.why("INC-1").verdict == "Nobody was told yet: 1 message waits: nobody delivers now"
    bench.attempted("slack:#sre", AttemptOutcome.RETRIED, NOW + MINUTE, "it answered 503")
    assert bench.why("INC-1").verdict.endswith("the last attempt, at slack:#sre, was retried: it answered 503")
    bench.declared = replace(bench.declared, receivers=())
    assert bench.why("INC-1").untold == ("sre: no such Receiver is declared any more",)


def test_what_was_given_up_does_not_wait(bench: Bench) -> None:
    bench.receive(an_alert("f1"), receiver="pages")
    (due,) = bench.why("INC-1").waiting
    with bench.store.transaction() as transaction:
        give_up(transaction, due, "it answered 401", bench.declared, NOW + MINUTE)
    found = bench.why("INC-1")
    assert found.waiting == ()
    assert found.verdict.endswith("the last attempt, at slack:#sre, was given up: it answered 401")


def test_receivers_that_take_only_what_is_critical_are_not_told_of_less(bench: Bench) -> None:
    others = tuple(each for each in bench.declared.receivers if each.name != "chat")
    bench.declared = replace(bench.declared, receivers=(*others, a_receiver("chat", critical_only=True)))
    bench.receive(an_alert("f1", "ticket"))
    found = bench.why("INC-1")
    assert found.verdict == "Nobody was told: no channel of chat takes incidents of P3"
    assert found.untold == ("slack:#chat of chat takes P0, P1, and this is P3",)


def test_an_alert_that_tells_nobody_says_why(bench: Bench) -> None:
    bench.receive(an_alert("f1", "info"), receiver="record")
    assert bench.why("f1").verdict == "Nobody was told: route record: alerts of severity info tell nobody"
    at_night = NOW.replace(hour=23)
    bench.receive(an_alert("f2", "ticket", at_night, team="night"), receiver="elsewhere", at=at_night)
    assert bench.why("f2").verdict == "Nobody was told: muted by window night"


def test_an_alert_that_another_keeps_quiet_names_it(bench: Bench) -> None:
    bench.receive(an_alert("f1"), receiver="pages")
    bench.receive(an_alert("f2", "ticket", NOW + MINUTE), receiver="elsewhere", at=NOW + MINUTE)
    (explained,) = [each for each in bench.why("f2").alerts if each.fingerprint == "f2"]
    assert explained.decision is not None
    assert explained.decision.inhibitor == (
        'Down{service="gateway", severity="page"} by the rule severity="page" → severity="ticket", equal in service'
    )


def test_what_alertmanager_keeps_quiet_now_is_named_by_silence_and_inhibitor(bench: Bench) -> None:
    bench.receive(an_alert("f1"), receiver="pages")
    silence = Silence("s1", (parse('team="x"'),), NOW, NOW + 60 * MINUTE, "ann", "maintenance")
    held = (
        HeldAlert("f8", NOW, ("s1",), (), (), ("pages",)), HeldAlert("f9", NOW, (), ("f1",), (), ("pages",)),
        HeldAlert("f7", NOW, (), (), (), ("pages",)),
        HeldAlert("f5", NOW, (), (), (), ("record",), {"alertname": "Up", "severity": "info"}),
    )  # fmt: skip
    bench.there = AtAlertmanager(held, (silence,), asked=True)
    assert bench.why("f8").verdict == (
        'Nobody was told: Alertmanager silences it: silence s1 of ann for team="x" until 2026-12-01 04:00 UTC: '
        "maintenance"
    )  # fmt: skip
    assert bench.why("f9").verdict == (
        'Nobody was told: Alertmanager inhibits it: Down{service="gateway", severity="page"} fires'
    )
    assert "has not told us of it yet" in bench.why("f7").verdict
    assert bench.why("f5").verdict == "Nobody was told: route record: alerts of severity info tell nobody"
    assert 'Up{severity="info"} (f5)' in why_text(bench.why("f5"))
    with pytest.raises(Unknown, match="nor at Alertmanager"):
        bench.why("f6")


def test_a_tier_that_was_in_force_then_is_named(bench: Bench) -> None:
    def moved(to: int, at: datetime) -> Event:
        return Event(f"t{to}{at}", names.EVENT_TIER_CHANGED, "shop", at, {"from": 0, "to": to, "reason": "spend"})

    with bench.store.transaction() as transaction:
        transaction.events.append(moved(2, NOW - 60 * MINUTE), NOW)
        transaction.events.append(moved(0, NOW + 60 * MINUTE), NOW)
    bench.receive(an_alert("f1"), receiver="pages")
    assert bench.why("INC-1").tiers == ("ladder shop was at tier 2 since 2026-12-01 02:00 UTC: spend",)
    bench.receive(an_alert("f2", start=NOW + 90 * MINUTE, service="other"), receiver="pages", at=NOW + 90 * MINUTE)
    assert bench.why("INC-2").tiers == ()
