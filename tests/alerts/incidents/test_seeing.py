"""What people see of incidents: snapshots, text, JSON, metrics, lines on the console."""

import io
import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from prometheus_client import CollectorRegistry, generate_latest

from alerts.adapters.console import ConsoleNotifier
from alerts.incidents.collector import IncidentCollector
from alerts.incidents.own import OpeningNotifier
from alerts.incidents.page import read_page
from alerts.incidents.views import incident_text, incidents_text, page_data, timeline_text
from alerts.reconciler import GRACE, LOOKS, Reconciler
from alerts.told import to_payload
from controlplane import conventions
from controlplane.model.incident import OutsideObject, PriceTag, Priority, Suspect
from controlplane.model.outbox import OutboxMessage
from tests.alerts.incidents.bench import MINUTE, T0, Bench, alert, ended


class Clock:
    def now(self) -> datetime:
        return T0 + MINUTE


def test_a_snapshot_holds_all_that_a_message_needs(bench: Bench) -> None:
    bench.receive(*(alert(pod=str(number)) for number in range(30)), receiver="pages")
    bench.receive(ended(alert(pod="3")), receiver="pages")
    incident = bench.one()
    with bench.store.transaction() as transaction:
        first = transaction.incidents.steps_of(incident.id)[0]
        transaction.incidents.put_steps([replace(first, fired_at=T0, told=("boss", "gone"))])
    seen = bench.snapshots.of("INC-1")
    assert seen is not None
    assert (seen.alert_count, seen.firing_count, len(seen.alerts)) == (30, 29, 20)
    assert [link.url for link in seen.runbooks] == ["https://runbooks.example/burn"]
    assert [(link.text, link.url) for link in seen.links] == [("Query", "http://prometheus.example/graph?g0.expr=up")]
    assert seen.page_url == f"https://flyball.example/incidents/{incident.id}"
    assert (seen.on_call, seen.taken_at) == (("The boss", "gone"), T0)
    assert bench.snapshots.of("INC-2") is None


def dressed(bench: Bench) -> None:
    """An incident with everything."""
    bench.receive(alert(), receiver="pages")
    bench.now += MINUTE
    bench.desk.assign("INC-1", role="commander", who="ann", by="ann", now=bench.now)
    bench.desk.acknowledge("INC-1", by="ann", via="slack", now=bench.now)
    suspect = Suspect(
        T0 - 4 * MINUTE, conventions.EVENT_DEPLOYED, "checkout", "checkout 2 was deployed", Decimal("0.91"),
        ("same service",),
    )  # fmt: skip
    price = PriceTag(T0, (("pay", Decimal("0.12")),), (("llm", Decimal("20.25"), "USD"),), Decimal(120))
    with bench.store.transaction() as transaction:
        incident = transaction.incidents.incident("INC-1")
        assert incident is not None
        transaction.incidents.put(replace(incident, price=price, suspects=(suspect,)))
        page = OutsideObject(incident.id, "pagerduty:sre", "key", T0, T0, url="https://pd.example/1")
        transaction.telling.put_object(page)


def test_an_incident_as_text_says_how_it_stands_what_it_costs_and_what_may_have_caused_it(bench: Bench) -> None:
    dressed(bench)
    with bench.store.transaction(read_only=True) as transaction:
        page = read_page(transaction, bench.one(), bench.declared, "", bench.now + MINUTE)
    text = incident_text(page)
    assert text.splitlines()[:2] == ["P1 INC-1: checkout burns its budget", "Acknowledged by ann, firing for 2 min"]
    for line in (
        "service:    checkout",
        "commander:  ann",
        "runbook:    https://runbooks.example/burn",
        "  12 % of the error budget of pay",
        "  20.2 USD more than expected on llm",
        "  4 min before: checkout 2 was deployed (same service)",
        "  pagerduty:sre https://pd.example/1",
        "  2026-12-01 03:01:00 acknowledged ann acknowledged it through Slack",
    ):
        assert line in text.splitlines(), text
    assert json.loads(json.dumps(page_data(page)))["price"]["budget_burned"] == {"pay": "0.12"}
    assert len(timeline_text(bench.timeline(bench.one().id)).splitlines()) == 4


def test_a_list_fits_eighty_columns(bench: Bench) -> None:
    bench.receive(alert(service="a service with quite a long name that does not fit"), receiver="pages")
    lines = incidents_text(bench.incidents(), bench.now + MINUTE).splitlines()
    assert lines[0].split() == ["NAME", "PRIO", "STATE", "SINCE", "FOR", "TITLE"]
    assert max(map(len, lines)) == 80
    assert lines[1].endswith("…")


def test_open_incidents_are_on_metrics(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    bench.receive(alert(severity="ticket", slo="search"), receiver="default")
    bench.desk.acknowledge("INC-2", by="ann", via="cli", now=bench.now)
    registry = CollectorRegistry()
    registry.register(IncidentCollector(bench.store, Clock()))
    lines = generate_latest(registry).decode().splitlines()
    opened = "1.796094e+09"
    for line in (
        'flyball_incidents{priority="P1",state="open"} 1.0',
        'flyball_incidents{priority="P3",state="acknowledged"} 1.0',
        'flyball_incidents{priority="P0",state="open"} 0.0',
        f'flyball_incident_opened_timestamp_seconds{{incident="INC-1",priority="P1",service="checkout"}} {opened}',
        'flyball_incidents_opened{priority="P3"} 1.0',
    ):
        assert line in lines, "\n".join(lines)


def ladder_page(is_over: bool = False) -> OutboxMessage:
    page = alert("LadderStepFailed", service="", slo="", ladder="main", starts_at=T0)
    payload = to_payload(ended(page) if is_over else page)
    return OutboxMessage(f"console:{is_over}", "console", "console:x", payload)


def test_what_a_ladder_tells_of_itself_opens_an_incident_and_is_written_as_well(bench: Bench) -> None:
    stream = io.StringIO()
    notifier = OpeningNotifier(
        ConsoleNotifier(stream, bench.snapshots), lambda own: bench.intake.take_own(own, bench.now)
    )
    for _ in range(2):  # a crash after the first, before it counted as delivered
        notifier.notify(ladder_page())
    assert (bench.one().routes, bench.one().labels["ladder"]) == (("pages",), "main")
    assert stream.getvalue().count("FIRING") == 2
    notifier.notify(OutboxMessage("m", "console", "k", {"incident": bench.one().id, "version": 1, "reason": ""}))
    assert "P1 INC-1: checkout" not in stream.getvalue()
    assert "2026-12-01 03:00:00Z P1 INC-1: " in stream.getvalue()
    notifier.notify(ladder_page(is_over=True))
    assert bench.one().quiet_since == bench.now


def test_the_rule_of_a_ladder_joins_the_incident_of_its_page_and_ends_both(bench: Bench) -> None:
    bench.intake.take_own(alert("LadderStepFailed", service="", slo="", ladder="main"), bench.now)
    rule = alert("LadderStepFailed", service="", slo="", ladder="main", cluster="eu", starts_at=T0 + MINUTE)
    bench.receive(rule, receiver="pages")
    assert bench.read(lambda transaction: transaction.incidents.count_alerts(bench.one().id)) == (2, 2)
    bench.now += 5 * MINUTE
    bench.receive(ended(rule), receiver="pages")
    assert bench.one().quiet_since == bench.now
    assert bench.read(lambda transaction: transaction.alerts.firing()) == []


class Source:
    """An Alertmanager that holds nothing."""

    def held(self) -> dict[str, datetime]:
        return {}


def test_an_alert_that_alertmanager_never_ends_leaves_its_incident_and_ours_stay(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    bench.intake.take_own(alert("LadderStepFailed", service="", slo="", ladder="main"), bench.now)
    reconciler = Reconciler(bench.store, Source(), bench.keeper)
    for _ in range(LOOKS):
        bench.now += GRACE / 4
        reconciler.run_once(bench.now)
    own, lost = sorted(bench.incidents(), key=lambda each: "ladder" not in each.labels)
    assert (own.quiet_since, lost.quiet_since) == (None, bench.now)
    assert bench.texts(lost.id)[-1] == "SLOErrorBudgetBurn ended"
    assert Priority.P1 is lost.priority
