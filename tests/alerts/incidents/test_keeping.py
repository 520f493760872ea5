"""What is received becomes incidents: opened, joined, more urgent, quiet, over; each once."""

from dataclasses import replace
from datetime import timedelta

from alerts.incidents.choosing import Choice
from alerts.incidents.daemon import QuietDaemon
from alerts.incidents.grouping import by_key, draft
from alerts.model import AlertsDeclared
from controlplane import incident_names as names
from controlplane.conventions import EVENT_ALERT_FIRED
from controlplane.model.incident import Incident, IncidentState, OutsideObject, Priority, TimelineKind
from controlplane.ports import Transaction
from tests.alerts.incidents.bench import DECLARED, MINUTE, PAGER, T0, Bench, alert, ended


def quiet(bench: Bench) -> tuple[str, ...]:
    daemon = QuietDaemon(bench.store, lambda: bench.declared, read_time=lambda transaction, now: bench.now)
    return daemon.run_once(bench.now).incidents


def test_an_alert_opens_an_incident_with_escalation_and_news_for_every_channel(bench: Bench) -> None:
    received = bench.receive(alert(), receiver="pages")
    incident = bench.one()
    assert received.opened == (incident.id,)
    assert (incident.name, incident.priority, incident.state) == ("INC-1", Priority.P1, IncidentState.OPEN)
    assert (incident.title, incident.service) == ("checkout burns its budget", "checkout")
    assert (incident.routes, incident.receivers, incident.policy) == (("pages",), ("sre",), "p0")
    steps = bench.read(lambda transaction: transaction.incidents.steps_of(incident.id))
    assert [(each.round, each.due_at - T0) for each in steps] == [
        (0, 0 * MINUTE), (0, 5 * MINUTE), (1, 10 * MINUTE), (1, 15 * MINUTE),
    ]  # fmt: skip
    due = bench.due()
    assert sorted(each.message.channel for each in due) == ["pagerduty:sre", "slack:#ops"]
    assert {(each.message.key, each.message.urgency) for each in due} == {(incident.id, 1)}
    events = bench.read(lambda transaction: transaction.events.after(0, 10, [names.EVENT_INCIDENT_OPENED]))
    assert [(each.event.subject, each.event.data["number"]) for each in events] == [(incident.id, 1)]
    receipts = bench.read(lambda transaction: transaction.telling.receipts_of(alert().fingerprint, T0))
    assert [(each.route, each.group_key, each.deliveries) for each in receipts] == [("pages", "g", 1)]


def test_the_same_delivery_again_changes_nothing_and_is_counted(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    before, lines = bench.one(), bench.texts(bench.one().id)
    bench.due()
    bench.now += MINUTE
    received = bench.receive(alert(), receiver="pages")
    assert (received.opened, received.changed, received.repeated) == ((), (), 1)
    assert (bench.one(), bench.texts(before.id), bench.due()) == (before, lines, [])
    receipts = bench.read(lambda transaction: transaction.telling.receipts_of(alert().fingerprint, T0))
    assert [(each.first_at, each.last_at, each.deliveries) for each in receipts] == [(T0, T0 + MINUTE, 2)]


def test_alerts_of_one_key_are_one_incident_and_others_are_others(bench: Bench) -> None:
    bench.receive(alert(), alert(pod="2"), receiver="pages")
    bench.receive(alert(pod="3", starts_at=T0 + MINUTE), receiver="pages")
    bench.receive(alert(slo="search"), receiver="pages")
    first, second = sorted(bench.incidents(), key=lambda each: each.number)
    count = bench.read(lambda transaction: transaction.incidents.count_alerts(first.id))
    assert (count, first.labels.get("pod"), second.labels["slo"]) == ((3, 3), None, "search")


def test_alerts_that_share_none_of_the_labels_are_grouped_by_their_name(bench: Bench) -> None:
    bench.receive(alert("DiskFull", service="", slo=""), alert("CertExpires", service="", slo=""), receiver="pages")
    bench.receive(alert("DiskFull", service="", slo="", node="b"), receiver="pages")
    assert sorted(each.labels["alertname"] for each in bench.incidents()) == ["CertExpires", "DiskFull"]


def test_an_incident_is_told_by_every_route_that_delivers_its_alerts_and_opens_once(bench: Bench) -> None:
    both = alert(team="payments")
    bench.receive(both, receiver="audit")
    first = bench.one()
    assert (first.routes, first.receivers, first.policy) == (("audit",), ("boss",), "")
    assert bench.told() == ["email:boss"]
    bench.receive(both, receiver="pages")
    widened = bench.one()
    assert widened.id == first.id
    assert (widened.routes, widened.receivers, widened.policy) == (("audit", "pages"), ("boss", "sre"), "p0")
    assert bench.told() == ["email:boss", "pagerduty:sre", "slack:#ops"]
    assert len(bench.read(lambda transaction: transaction.incidents.steps_of(first.id))) == 4
    bench.receive(both, receiver="audit")
    assert bench.one() == widened


def test_a_foreign_alertmanager_is_routed_by_our_tree(bench: Bench) -> None:
    bench.receive(alert(team="payments"), receiver="their-webhook")
    assert bench.one().routes == ("pages", "audit")


def test_the_route_that_alertmanager_chose_holds_even_where_our_tree_says_another(bench: Bench) -> None:
    bench.receive(alert(severity="ticket"), receiver="pages")
    assert (bench.one().routes, bench.one().priority) == (("pages",), Priority.P3)


def test_the_watchdog_opens_no_incident_and_its_arrival_is_written_down(bench: Bench) -> None:
    dog = alert(names.ALERT_WATCHDOG, severity="none", service="", slo="")
    for receiver in ("watchdog", "their-webhook", "watchdog"):
        bench.receive(dog, receiver=receiver)
    assert (bench.incidents(), bench.due()) == ([], [])
    receipts = bench.read(lambda transaction: transaction.telling.receipts_of(dog.fingerprint, T0))
    assert {each.route: each.deliveries for each in receipts} == {"watchdog": 2, "their-webhook": 1}


def test_without_routes_alerts_are_told_on_the_console_and_open_nothing(bench: Bench) -> None:
    bench.declared = AlertsDeclared()
    bench.receive(alert(), receiver="pages")
    assert bench.incidents() == []
    assert [each.message.payload["fingerprint"] for each in bench.due()] == [alert().fingerprint]


def test_with_routes_the_event_log_hears_of_alerts_and_the_console_does_not(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    assert "console" not in bench.told()
    fired = bench.read(lambda transaction: transaction.events.after(0, 10, [EVENT_ALERT_FIRED]))
    assert len(fired) == 1


def test_an_alert_that_fired_before_there_were_routes_opens_its_incident_when_it_is_delivered_again(
    bench: Bench,
) -> None:
    bench.declared = AlertsDeclared()
    bench.receive(alert(), alert(slo="over"), receiver="pages")
    bench.receive(ended(alert(slo="over")), receiver="pages")
    bench.declared = DECLARED
    bench.receive(alert(), alert(slo="over"), receiver="pages")  # the second one overtook its end
    assert bench.one().labels["slo"] == "pay"


def test_an_alert_that_was_over_before_we_heard_of_it_wakes_nobody_but_is_part_of_what_goes_on(bench: Bench) -> None:
    assert bench.receive(alert(ended_after=MINUTE), receiver="pages").opened == ()
    assert (bench.incidents(), bench.due()) == ([], [])
    bench.receive(alert(pod="1"), receiver="pages")
    bench.receive(alert(pod="2", ended_after=MINUTE), receiver="pages")
    assert bench.read(lambda transaction: transaction.incidents.count_alerts(bench.one().id)) == (2, 1)


def test_an_alert_that_fires_and_ends_within_one_delivery_is_an_incident_that_is_quiet(bench: Bench) -> None:
    bench.receive(alert(), ended(alert()), receiver="pages")
    assert bench.one().quiet_since == T0
    assert bench.read(lambda transaction: transaction.incidents.count_alerts(bench.one().id)) == (1, 0)


def test_an_incident_ends_once_all_alerts_have_ended_for_long_enough(bench: Bench) -> None:
    bench.receive(alert(), alert(pod="2"), receiver="pages")
    bench.receive(ended(alert()), receiver="pages")
    assert bench.one().quiet_since is None
    bench.now += MINUTE
    bench.receive(ended(alert(pod="2")), receiver="pages")
    assert bench.one().quiet_since == T0 + MINUTE
    bench.now += 2 * MINUTE - timedelta(seconds=1)
    assert quiet(bench) == ()
    bench.due()
    bench.now += timedelta(seconds=1)
    assert quiet(bench) == (bench.one().id,)
    assert quiet(bench) == ()
    over = bench.one()
    assert (over.state, over.resolved_at, over.resolved_by) == (IncidentState.RESOLVED, bench.now, "")
    assert over.resolution == "all 2 alerts ended, and it was quiet for 2 min"
    steps = bench.read(lambda transaction: transaction.incidents.steps_of(over.id))
    assert all(step.cancelled_at == bench.now for step in steps)
    assert bench.told() == ["pagerduty:sre", "slack:#ops"]
    assert "resolved by itself" in bench.texts(over.id)[-1]


def test_an_alert_that_comes_back_in_time_keeps_its_incident_open(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    bench.receive(ended(alert()), receiver="pages")
    bench.now += MINUTE
    bench.receive(alert(starts_at=bench.now), receiver="pages")
    bench.now += 10 * MINUTE
    assert (quiet(bench), bench.one().quiet_since) == ((), None)


def test_what_comes_back_after_the_end_is_a_new_incident_that_repeats_the_last(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    bench.receive(ended(alert()), receiver="pages")
    bench.now += 3 * MINUTE
    quiet(bench)
    bench.receive(alert(starts_at=bench.now), receiver="pages")
    second, first = bench.incidents()
    assert (second.repeats, second.key, second.name) == (first.id, first.key, "INC-2")


def test_alerts_of_an_incident_that_a_person_resolved_stay_its_own(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    bench.desk.resolve("INC-1", by="ann", via="cli", why="known", now=bench.now)
    bench.due()
    bench.receive(alert(), receiver="pages")
    assert (bench.one().state, bench.due()) == (IncidentState.RESOLVED, [])
    bench.receive(alert(), alert(pod="2"), receiver="pages")
    second, first = bench.incidents()
    assert second.repeats == first.id
    assert bench.read(lambda transaction: transaction.incidents.count_alerts(second.id)) == (1, 1)
    bench.receive(ended(alert()), receiver="pages")
    assert bench.incident(first.id).version == first.version
    assert bench.texts(first.id)[-1] == "SLOErrorBudgetBurn ended"


def test_an_incident_becomes_as_urgent_as_its_most_urgent_alert(bench: Bench) -> None:
    bench.receive(alert(severity="ticket"), receiver="default")
    bench.receive(alert(severity="ticket", pod="2", priority="P0"), receiver="default")
    incident = bench.one()
    assert (incident.priority, incident.state) == (Priority.P0, IncidentState.OPEN)
    assert "raised it from P3 to P0" in " ".join(bench.texts(incident.id))
    bench.receive(ended(alert(severity="ticket", pod="2", priority="P0")), receiver="default")
    assert bench.one().priority is Priority.P0


def test_an_acknowledgement_of_something_small_does_not_hold_for_a_page(bench: Bench) -> None:
    bench.declared = replace(DECLARED, root=replace(DECLARED.root, escalation="p0", receivers=("sre",)))
    bench.receive(alert(severity="ticket"), receiver="default")
    bench.desk.acknowledge("INC-1", by="ann", via="slack", now=bench.now)
    bench.now += MINUTE
    bench.receive(alert(severity="ticket", priority="P1", pod="2"), receiver="default")
    incident = bench.one()
    assert (incident.state, incident.acknowledged_by) == (IncidentState.OPEN, "")
    due = bench.read(lambda transaction: transaction.incidents.due_steps(T0 + MINUTE))
    assert [(each.round, each.due_at) for each in due] == [(2, T0 + MINUTE)]
    bench.desk.acknowledge("INC-1", by="ann", via="slack", now=bench.now)
    bench.receive(alert(severity="ticket", priority="P0", pod="3"), receiver="default")
    assert bench.one().state is IncidentState.ACKNOWLEDGED


def test_what_a_person_ranked_lower_is_raised_only_by_something_worse(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    bench.desk.set_priority("INC-1", priority=Priority.P3, by="ann", why="one tenant", now=bench.now)
    bench.receive(alert(pod="2"), receiver="pages")
    assert bench.one().priority is Priority.P3
    bench.receive(alert(pod="3", priority="P0"), receiver="pages")
    assert bench.one().priority is Priority.P0


def test_a_page_that_was_opened_is_told_the_end_though_its_priority_was_lowered(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    incident = bench.one()

    def open_page(transaction: Transaction) -> None:
        transaction.telling.put_object(OutsideObject(incident.id, PAGER.name, "key", T0, T0))

    with bench.store.transaction() as transaction:
        open_page(transaction)
    bench.due()
    bench.desk.set_priority("INC-1", priority=Priority.P3, by="ann", why="", now=bench.now)
    assert bench.told() == ["pagerduty:sre", "slack:#ops"]
    bench.declared = replace(DECLARED, receivers=tuple(each for each in DECLARED.receivers if each.name != "chat"))
    bench.desk.resolve("INC-1", by="ann", via="cli", why="", now=bench.now)
    assert bench.told() == ["pagerduty:sre", "slack:#ops"]


def test_a_storm_is_one_message_a_channel_and_few_lines(bench: Bench) -> None:
    for number in range(10):
        bench.receive(*(alert(pod=f"{number}-{each}") for each in range(50)), receiver="pages")
    incident = bench.one()
    assert bench.told() == ["pagerduty:sre", "slack:#ops"]
    lines = [line for line in bench.timeline(incident.id) if line.kind is TimelineKind.ALERT]
    assert (len(lines), lines[-1].text) == (10, "50 alerts fire: SLOErrorBudgetBurn × 50")
    assert bench.read(lambda transaction: transaction.incidents.count_alerts(incident.id)) == (500, 500)


def test_the_id_of_an_incident_follows_from_its_alerts_alone(bench: Bench) -> None:
    late = alert(pod="2", starts_at=T0 + MINUTE)
    bench.receive(late, alert(), receiver="pages")
    assert DECLARED.root is not None
    placed = [Choice(DECLARED, DECLARED.root).placed(each, "pages", T0) for each in (alert(), late)]
    (group,) = by_key(each for each in placed if each is not None).values()
    drafted: Incident = draft(group, T0)
    assert (drafted.id, drafted.key) == (bench.one().id, bench.one().key)
