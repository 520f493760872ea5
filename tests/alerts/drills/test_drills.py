"""Drills on a real store: whom they reach, what they measure, and that they end whatever becomes of who began them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from alerts.drills.collector import DrillCollector
from alerts.drills.contacts import Contact, Refused, contacts_of
from alerts.drills.holding import Answer, DrillDaemon, answers, answers_text, begin, end
from alerts.incidents.desk import Desk
from controlplane.model.incident import AttemptOutcome, DeliveryAttempt, IncidentState, Priority
from controlplane.model.outbox import EVERY_CHANNEL
from controlplane.store import SqlStore
from tests.alerts.explaining.replays import a_receiver, declared
from tests.alerts.kept_store import NOW, SetClock, kept_store

DECLARED = declared()  # ann and ben take turns; on 2026-12-01 at 03:00 it is ben's
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def reached(**options: object) -> dict[str, str]:
    found = contacts_of(DECLARED, priority=Priority.P1, at=NOW, **options)  # type: ignore[arg-type]
    return {each.receiver: each.why for each in found}


def test_a_drill_reaches_whom_it_names_once_each() -> None:
    assert reached() == {"ben": "p0, step 1, on call by sre", "lead": "p0, step 2", "exec": "p0, step 3"}
    assert reached(schedules=["sre"]) == {"ben": "on call by sre"}
    assert reached(schedules=["sre"], everyone=True) == {"ann": "takes turns in sre", "ben": "takes turns in sre"}
    assert reached(receivers=["lead", "chat"], policies=["p0"]) == {
        "lead": "named", "chat": "named", "ben": "p0, step 1, on call by sre", "exec": "p0, step 3"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"receivers": ["leed"]}, "there is no Receiver leed: there is chat, sre"),
        ({"policies": ["p9"]}, "there is no EscalationPolicy p9: there is p0"),
        ({"schedules": ["x"]}, "there is no Schedule x: there is sre"),
    ],
)
def test_names_that_nothing_has_are_refused(options: dict[str, list[str]], why: str) -> None:
    with pytest.raises(Refused, match=why):
        reached(**options)


def test_channels_that_do_not_take_the_priority_are_left_out() -> None:
    quiet = replace(DECLARED, receivers=(a_receiver("exec", critical_only=True),))
    (contact,) = contacts_of(quiet, receivers=["exec"], priority=Priority.P3, at=NOW)
    assert contact == Contact("exec", "named", ())


class Bench:
    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.clock = SetClock()
        ids = iter(f"i{number}" for number in range(100))
        self.desk = Desk(store, lambda: DECLARED, lambda: next(ids), read_time=lambda _, now: now)

    def begin(self, *receivers: str) -> list[str]:
        contacts = contacts_of(DECLARED, receivers=receivers, priority=Priority.P1, at=NOW)
        return begin(
            self.desk, self.store, contacts, drill="d1", priority=Priority.P1, wait=5 * MINUTE, by="ann", why="June",
            now=NOW,
        )  # fmt: skip

    def told(self, incident: str, after: timedelta, outcome: AttemptOutcome, detail: str = "") -> None:
        attempt = DeliveryAttempt("m", "slack:#lead", incident, NOW + after, outcome, detail)
        with self.store.transaction() as transaction:
            transaction.telling.attempted([attempt])

    def answers(self, *incidents: str) -> list[Answer]:
        with self.store.transaction(read_only=True) as transaction:
            return answers(transaction, incidents)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with kept_store(tmp_path) as store:
        yield Bench(store)


def test_each_contact_is_paged_by_the_real_way_under_a_mark(bench: Bench) -> None:
    bench.begin("lead", "exec")
    with bench.store.transaction() as transaction:
        incidents = transaction.incidents.open()
        due = transaction.outbox.claim(10, NOW, channels=EVERY_CHANNEL)
    assert [incident.title for incident in incidents] == [
        "[DRILL] lead: please acknowledge", "[DRILL] exec: please acknowledge"
    ]  # fmt: skip
    assert all(incident.is_drill for incident in incidents)
    assert "This is an exercise that ann began: June. Nothing is broken." in incidents[0].summary
    assert [(each.message.channel, each.message.urgency) for each in due] == [("slack:#lead", 1), ("slack:#exec", 1)]


def test_how_long_each_took_to_be_told_and_to_acknowledge_is_measured(bench: Bench) -> None:
    lead, boss = bench.begin("lead", "exec")
    bench.told(lead, 2 * SECOND, AttemptOutcome.RETRIED, "503")
    bench.told(lead, 3 * SECOND, AttemptOutcome.OTHER_WAY, "by email:lead@example.com")
    assert bench.answers(lead)[0].fault == "slack:#lead: 503"
    bench.told(lead, 4 * SECOND, AttemptOutcome.DELIVERED)
    bench.desk.acknowledge(lead, by="leo", via="slack", now=NOW + 42 * SECOND)
    found = end(bench.desk, bench.store, [lead, boss], NOW + 5 * MINUTE)
    assert answers_text(found) == (
        "lead  told by slack:#lead after 4 s; acknowledged after 42 s by leo\nexec  not told; not acknowledged"
    )
    with bench.store.transaction(read_only=True) as transaction:
        assert transaction.incidents.open() == []
        (ended,) = transaction.events.after(0, 10, ["drill.ended"])
    assert (ended.event.subject, ended.event.data["contacts"], ended.event.data["acknowledged"]) == ("d1", 2, 1)
    assert end(bench.desk, bench.store, [lead, boss], NOW + 6 * MINUTE) == found
    with bench.store.transaction(read_only=True) as transaction:
        assert len(transaction.events.after(0, 10, ["drill.ended"])) == 1


def test_a_drill_that_nobody_watches_ends_when_its_time_is_up_or_all_have_answered(bench: Bench) -> None:
    lead, boss = bench.begin("lead", "exec")
    daemon = DrillDaemon(bench.store, bench.desk)
    assert daemon.run_once(NOW + 4 * MINUTE) == 0
    bench.desk.acknowledge(lead, by="leo", via="cli", now=NOW + MINUTE)
    assert daemon.run_once(NOW + 4 * MINUTE) == 0
    assert daemon.run_once(NOW + 5 * MINUTE) == 1
    with bench.store.transaction(read_only=True) as transaction:
        found = transaction.incidents.incident(boss)
    assert found is not None
    assert (found.state, found.resolved_by) == (IncidentState.RESOLVED, "drill")
    (again,) = bench.begin("chat")
    bench.desk.acknowledge(again, by="cat", via="cli", now=NOW + MINUTE)
    assert daemon.run_once(NOW + 2 * MINUTE) == 1


def test_real_incidents_are_none_of_a_drills_business(bench: Bench) -> None:
    made = bench.desk.declare(
        "it burns", priority=Priority.P1, service="", summary="", receivers=["lead"], policy="", by="ann", now=NOW
    )
    assert DrillDaemon(bench.store, bench.desk).run_once(NOW + timedelta(days=1)) == 0
    assert made.incident.is_open


def test_the_last_drill_of_each_receiver_is_scraped(bench: Bench) -> None:
    for drill, seconds in (("d1", 30), ("d2", 12)):
        contacts = contacts_of(DECLARED, receivers=["lead", "exec"], priority=Priority.P1, at=NOW)
        lead, boss = begin(
            bench.desk, bench.store, contacts, drill=drill, priority=Priority.P1, wait=MINUTE, by="a", why="", now=NOW
        )
        bench.desk.acknowledge(lead, by="leo", via="cli", now=NOW + seconds * SECOND)
        if drill == "d1":
            bench.desk.acknowledge(boss, by="eva", via="cli", now=NOW + 7 * SECOND)
        end(bench.desk, bench.store, [lead, boss], bench.clock.pass_(MINUTE))
    registry = CollectorRegistry()
    registry.register(DrillCollector(bench.store, bench.clock))
    shown = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    assert shown == ['flyball_drill_acknowledged_seconds{receiver="lead"} 12.0']
