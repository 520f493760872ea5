"""Timelines fill by themselves, and what was changed before is suspected, the likeliest first."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from alerts.incidents.collecting import Collected, CollectingDaemon
from controlplane import conventions as names
from controlplane.check_names import EVENT_VERDICT_CHANGED
from controlplane.delivery_names import EVENT_ATTRIBUTED
from controlplane.incident_names import EVENT_ON_CALL_CHANGED, EVENT_RUNBOOK_RAN
from controlplane.model.event import JSON, Event
from controlplane.model.incident import TimelineKind
from controlplane.model.series import Series
from controlplane.ports import Transient
from tests.alerts.incidents.bench import MINUTE, T0, Bench, alert, ended


class Versions:
    """A backend that knows which versions ran when."""

    def __init__(self, *series: Series) -> None:
        self.series = list(series)
        self.fails = False

    def query(self, expr: str, at: datetime) -> list[Any]:
        return []

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        if self.fails:
            raise Transient("it is away")
        return self.series


def collect(bench: Bench, backend: Versions | None = None) -> Collected:
    daemon = CollectingDaemon(
        bench.store, lambda: bench.declared, backend, read_time=lambda transaction, now: bench.now
    )
    return daemon.run_once(bench.now)


def happen(bench: Bench, *events: Event) -> None:
    with bench.store.transaction() as transaction:
        transaction.events.append_all(events, bench.now)


def event(kind: str, subject: str, ago: timedelta, **data: JSON) -> Event:
    return Event(f"{kind}:{subject}:{ago}", kind, subject, T0 - ago, data)


def deployed(service: str, ago: timedelta, version: str = "1.4.2") -> Event:
    return event(names.EVENT_DEPLOYED, service, ago, version=version)


def of_kind(bench: Bench, kind: TimelineKind) -> Sequence[str]:
    return [line.text for line in bench.timeline(bench.one().id) if line.kind is kind]


def test_what_was_changed_before_is_suspected_the_nearest_in_time_and_place_first(bench: Bench) -> None:
    happen(
        bench,
        deployed("checkout", 4 * MINUTE),
        deployed("search", 2 * MINUTE),
        deployed("checkout", 400 * MINUTE, "1.4.0"),
        event(
            names.EVENT_TIER_CHANGED, "main", 10 * MINUTE, **{"from": 0, "to": 3, "reason": "spend", "ladder": "main"}
        ),
        event(names.EVENT_FLAG_CHANGED, "new-cart", 3 * MINUTE, **{"from": False, "to": True}),
    )
    bench.receive(alert(), receiver="pages")
    collect(bench)
    suspects = bench.one().suspects
    assert [(each.subject, each.text) for each in suspects] == [
        ("checkout", "checkout 1.4.2 was deployed"),
        ("main", "ladder main went from tier 0 to 3: spend"),
        ("new-cart", "flag new-cart went from false to true"),
        ("search", "search 1.4.2 was deployed"),
    ]
    assert suspects[0].score == Decimal("0.91")
    assert suspects[0].reasons == ("4 min before the first alert", "same service")
    assert suspects[1].reasons == ("10 min before the first alert", "our own downshift")
    assert suspects[3].reasons[1] == "another service"


def test_what_happens_meanwhile_stands_in_the_timeline_once_and_is_told(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    collect(bench)
    version = bench.one().version
    bench.due()
    bench.now += 5 * MINUTE
    happen(
        bench,
        deployed("checkout", -2 * MINUTE, "1.4.3"),
        event(EVENT_VERDICT_CHANGED, "probe/home", -3 * MINUTE, **{"from": "up", "to": "down"}),
        event(EVENT_ON_CALL_CHANGED, "sre", -4 * MINUTE, **{"from": "ann", "to": "ben"}),
        event("anomaly.detected", "latency of checkout", -4 * MINUTE, detail="3 sigma"),
        event(names.EVENT_COST_ISSUE, "MC-COST llm", -4 * MINUTE, service="search"),
    )
    collected = collect(bench)
    assert collected.incidents == (bench.one().id,)
    assert of_kind(bench, TimelineKind.DEPLOYMENT) == ["checkout 1.4.3 was deployed"]
    assert of_kind(bench, TimelineKind.PROBE) == ["check home went from up to down"]
    assert of_kind(bench, TimelineKind.ROLE) == ["ben is on call in sre now"]
    assert of_kind(bench, TimelineKind.ANOMALY) == ["anomaly detected latency of checkout: detail 3 sigma"]
    assert of_kind(bench, TimelineKind.COST) == []  # of another service
    assert (bench.one().version, bench.told()) == (version + 1, ["pagerduty:sre", "slack:#ops"])
    assert bench.one().suspects == ()  # a change after the first alert is no cause of it
    assert collect(bench) == Collected(0, ())


def test_what_was_over_when_it_happened_is_left_as_it_is(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    bench.now += MINUTE
    bench.desk.resolve("INC-1", by="ann", via="cli", why="", now=bench.now)
    before = bench.one().version
    bench.now += MINUTE
    happen(bench, deployed("checkout", -2 * MINUTE))
    collect(bench)
    assert (of_kind(bench, TimelineKind.DEPLOYMENT), bench.one().version) == ([], before)


def test_a_change_that_is_told_late_is_suspected_all_the_same(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    collect(bench)
    happen(bench, deployed("checkout", 3 * MINUTE))
    collect(bench)
    assert [each.subject for each in bench.one().suspects] == ["checkout"]


def test_rules_that_were_refused_are_told_with_the_reason(bench: Bench) -> None:
    happen(bench, event(names.EVENT_RULES_REJECTED, "rules", 3 * MINUTE, reason="no such folder"))
    bench.receive(alert(), receiver="pages")
    collect(bench)
    assert of_kind(bench, TimelineKind.RULES) == ["new rules were refused: no such folder"]


def test_a_dry_run_of_a_runbook_changed_nothing_and_is_no_suspect(bench: Bench) -> None:
    happen(
        bench,
        event(EVENT_RUNBOOK_RAN, "rehearsed", 3 * MINUTE, dry=True),
        event(EVENT_RUNBOOK_RAN, "done", 4 * MINUTE, dry=False),
    )
    bench.receive(alert(), receiver="pages")
    collect(bench)
    assert [each.subject for each in bench.one().suspects] == ["done"]


def ran(service: str, version: str, *minutes: int) -> Series:
    """A version that was seen at these minutes after T0."""
    return Series({"service": service, "version": version}, tuple((T0 + each * MINUTE, 1.0) for each in minutes))


def test_a_deployment_that_nobody_told_is_seen_in_the_versions_that_run(bench: Bench) -> None:
    happen(bench, deployed("search", 12 * MINUTE, "8"))
    bench.receive(alert(), receiver="pages")
    old, new = ran("checkout", "1", *range(-20, -9)), ran("checkout", "2", *range(-10, 1))
    collect(bench, Versions(old, new, ran("cart", "7", -10), ran("search", "7", -20), ran("search", "8", -10)))
    assert [each.text for each in bench.one().suspects] == [
        "checkout 2 was deployed, it was 1", "search 8 was deployed",
    ]  # fmt: skip
    assert of_kind(bench, TimelineKind.DEPLOYMENT) == ["search 8 was deployed", "checkout 2 was deployed, it was 1"]


def test_a_way_back_while_the_incident_goes_on_stands_in_the_timeline_once(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    backend = Versions(ran("checkout", "1", *range(-20, -9)), ran("checkout", "2", *range(-10, 1)))
    daemon = CollectingDaemon(
        bench.store, lambda: bench.declared, backend, read_time=lambda transaction, now: bench.now
    )
    daemon.run_once(bench.now)
    version = bench.one().version
    bench.now += 9 * MINUTE
    happen(bench, deployed("checkout", -5 * MINUTE, "3"))
    daemon.run_once(bench.now)
    backend.series = [ran("checkout", "1", -9, 8, 9), ran("checkout", "2", *range(-10, 5)), ran("checkout", "3", 5, 6)]
    for _ in range(3):
        bench.now += MINUTE
        daemon.run_once(bench.now)
    assert of_kind(bench, TimelineKind.DEPLOYMENT) == [
        "checkout 2 was deployed, it was 1", "checkout 3 was deployed", "checkout 1 was deployed, it was 3",
    ]  # fmt: skip
    assert bench.one().version == version + 2


def test_without_an_answer_about_versions_the_log_is_enough(bench: Bench) -> None:
    backend = Versions()
    backend.fails = True
    happen(bench, deployed("checkout", 12 * MINUTE))
    bench.receive(alert(), receiver="pages")
    collect(bench, backend)
    assert len(bench.one().suspects) == 1


def test_the_timeline_of_a_new_incident_looks_back_an_hour_and_at_suspects_before_that(bench: Bench) -> None:
    happen(
        bench,
        event(EVENT_VERDICT_CHANGED, "probe/home", 30 * MINUTE, **{"from": "up", "to": "down"}),
        event(EVENT_VERDICT_CHANGED, "probe/home", 90 * MINUTE, **{"from": "down", "to": "up"}),
        deployed("checkout", 100 * MINUTE),
    )
    bench.receive(alert(), receiver="pages")
    collect(bench)
    assert of_kind(bench, TimelineKind.PROBE) == ["check home went from up to down"]
    assert of_kind(bench, TimelineKind.DEPLOYMENT) == ["checkout 1.4.2 was deployed"]


def test_a_long_log_is_read_in_steps_and_a_second_reader_adds_nothing(bench: Bench) -> None:
    happen(bench, *(event("odd.kind", str(number), MINUTE) for number in range(1200)))
    bench.receive(alert(), ended(alert(pod="2")), receiver="pages")
    assert collect(bench).events > 1200
    assert collect(bench) == Collected(0, ())


def test_what_an_incident_is_held_against_stands_in_its_own_timeline_only(bench: Bench) -> None:
    bench.receive(alert("GatewayDown", service="gateway"))
    own = bench.one().id
    told: dict[str, JSON] = {"deployment": "ci#7", "text": "2.17.0 was the last deployment before it, 3 min earlier"}
    happen(
        bench,
        Event("a1", EVENT_ATTRIBUTED, own, T0 + MINUTE, told),
        Event("a2", EVENT_ATTRIBUTED, "another", T0 + MINUTE, told),
        Event("a3", EVENT_ATTRIBUTED, own, T0 + 2 * MINUTE, {"deployment": "", "text": "ann says so"}),
    )
    bench.now = T0 + 3 * MINUTE
    collect(bench)
    assert of_kind(bench, TimelineKind.NOTE) == [
        "held against a deployment: 2.17.0 was the last deployment before it, 3 min earlier",
        "no deployment is held to have caused it: ann says so",
    ]


def test_a_rollback_is_told_as_one(bench: Bench) -> None:
    bench.receive(alert("GatewayDown", service="gateway"))
    back: dict[str, JSON] = {"version": "2.16.1", "from": "2.17.0", "kind": "rolledback"}
    happen(bench, Event("r1", names.EVENT_DEPLOYED, "gateway", T0 + MINUTE, back))
    bench.now = T0 + 3 * MINUTE
    collect(bench)
    assert of_kind(bench, TimelineKind.DEPLOYMENT) == ["gateway was rolled back to 2.16.1, it was 2.17.0"]
