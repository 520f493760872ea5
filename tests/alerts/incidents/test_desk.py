"""What people do to incidents: once each, the same from everywhere, in every record of it."""

from typing import Any

import pytest

from alerts.incidents.desk import Desk, Refused, UnknownIncident
from alerts.model import AlertsDeclared
from controlplane import incident_names as names
from controlplane.model.incident import IncidentState, Origin, Priority, TimelineKind
from tests.alerts.incidents.bench import MINUTE, T0, Bench, alert


def audited(bench: Bench) -> list[tuple[str, str, str]]:
    entries = bench.read(lambda transaction: transaction.audit.entries())
    return [(each.actor, each.action, each.subject) for each in entries]


def events(bench: Bench, *kinds: str) -> list[Any]:
    return [each.event for each in bench.read(lambda transaction: transaction.events.after(0, 100, kinds))]


def test_who_acknowledges_first_has_it_and_nobody_else_is_woken_up(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    bench.due()
    bench.now += MINUTE
    changed = bench.desk.acknowledge("INC-1", by="ann", via="slack", now=bench.now)
    assert (changed.is_new, changed.incident.state) == (True, IncidentState.ACKNOWLEDGED)
    assert (changed.incident.acknowledged_by, changed.incident.acknowledged_at) == ("ann", T0 + MINUTE)
    again = bench.desk.acknowledge("inc-1", by="ben", via="pagerduty", now=bench.now)
    assert (again.is_new, again.incident) == (False, changed.incident)
    assert bench.read(lambda transaction: transaction.incidents.due_steps(T0 + 99 * MINUTE)) == []
    assert bench.texts(changed.incident.id)[-1] == "ann acknowledged it through Slack"
    assert bench.told() == ["pagerduty:sre", "slack:#ops"]
    assert audited(bench) == [("ann", "incident.acknowledged", "INC-1")]
    (event,) = events(bench, names.EVENT_INCIDENT_ACKNOWLEDGED)
    assert (event.subject, event.data["by"], event.data["via"]) == (changed.incident.id, "ann", "slack")


def test_a_resolved_incident_is_neither_acknowledged_nor_resolved_again(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    done = bench.desk.resolve("INC-1", by="ann", via="cli", why="rolled back", now=bench.now)
    assert (done.incident.state, done.incident.resolution) == (IncidentState.RESOLVED, "rolled back")
    text = bench.texts(done.incident.id)[-1]
    assert text == "ann resolved it through the command line; 1 of its alerts still fires: rolled back"
    assert not bench.desk.acknowledge("INC-1", by="ben", via="cli", now=bench.now).is_new
    assert not bench.desk.resolve("INC-1", by="ben", via="cli", why="", now=bench.now).is_new
    assert audited(bench) == [("ann", "incident.resolved", "INC-1")]


def test_a_note_is_told_and_a_message_of_a_chat_is_kept_once_and_not_told_there_again(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    bench.due()
    bench.desk.note("INC-1", text=" rolled\x07 back\n", by="ann", via="cli", now=bench.now)
    assert bench.told() == ["pagerduty:sre", "slack:#ops"]
    for is_new in (True, False):
        said = bench.desk.note("INC-1", text="on it", by="ben", via="slack", now=bench.now, entry_id="slack:C1:17.5")
        assert said.is_new == is_new
    assert bench.told() == []
    written = [(line.kind, line.text, line.actor) for line in bench.timeline(bench.one().id)[-2:]]
    assert written == [(TimelineKind.NOTE, "rolled back", "ann"), (TimelineKind.MESSAGE, "on it", "ben")]
    with pytest.raises(Refused, match="the note is empty"):
        bench.desk.note("INC-1", text=" \n", by="ann", via="cli", now=bench.now)


def test_roles_are_given_and_taken_back(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    assert bench.desk.assign("INC-1", role="Commander", who="ann", by="ben", now=bench.now).is_new
    assert not bench.desk.assign("INC-1", role="commander", who="ann", by="ben", now=bench.now).is_new
    assert bench.one().roles == {"commander": "ann"}
    bench.desk.assign("INC-1", role="commander", who="", by="ann", now=bench.now)
    assert bench.one().roles == {}
    assert bench.texts(bench.one().id)[-2:] == [
        "ann is commander, says ben", "nobody is commander any more, says ann",
    ]  # fmt: skip
    for number in range(20):
        bench.desk.assign("INC-1", role=f"r{number}", who="ann", by="ben", now=bench.now)
    with pytest.raises(Refused, match="at most 20 roles"):
        bench.desk.assign("INC-1", role="one more", who="ann", by="ben", now=bench.now)


def test_an_incident_that_a_person_declares_is_told_and_escalated_as_they_say(bench: Bench) -> None:
    declared = bench.desk.declare(
        "Exports hang", priority=Priority.P0, service="exports", summary="since 14:00", receivers=["sre", "boss"],
        policy="p0", by="ann", now=bench.now,
    ).incident  # fmt: skip
    assert (declared.name, declared.origin, declared.version) == ("INC-1", Origin.DECLARED, 1)
    assert bench.told() == ["email:boss", "pagerduty:sre", "slack:#ops"]
    assert len(bench.read(lambda transaction: transaction.incidents.steps_of(declared.id))) == 4
    assert [each.data["by"] for each in events(bench, names.EVENT_INCIDENT_OPENED)] == ["ann"]
    second = bench.desk.declare(
        "Exports hang", priority=Priority.P2, service="", summary="", receivers=["boss"], policy="", by="ann",
        now=bench.now, origin=Origin.DRILL,
    ).incident  # fmt: skip
    assert (second.is_drill, second.id != declared.id) == (True, True)


def test_an_incident_that_names_nobody_is_told_by_the_routes_of_such_an_alert(bench: Bench) -> None:
    incident = bench.desk.declare(
        "Exports hang", priority=Priority.P1, service="exports", summary="", receivers=[], policy="", by="ann",
        now=bench.now,
    ).incident  # fmt: skip
    assert (incident.routes, incident.receivers) == (("default",), ("chat",))
    bench.declared = AlertsDeclared()
    incident = bench.desk.declare(
        "Nobody hears", priority=Priority.P1, service="", summary="", receivers=[], policy="", by="ann", now=bench.now
    ).incident
    assert (incident.routes, incident.receivers) == ((), ())


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"receivers": ["sre", "ops"]}, "there is no Receiver ops; there are: boss, chat, sre"),
        ({"policy": "p9"}, "there is no EscalationPolicy p9; there are: p0"),
        ({"title": "\n "}, "say its title"),
        ({"by": ""}, "say who declares it"),
    ],
)
def test_what_cannot_be_declared_is_refused_and_nothing_is_kept(bench: Bench, change: Any, what: str) -> None:
    said: dict[str, Any] = {
        "title": "x", "priority": Priority.P1, "service": "", "summary": "", "receivers": [], "policy": "", "by": "ann",
    } | change  # fmt: skip
    with pytest.raises(Refused, match=what):
        bench.desk.declare(said.pop("title"), now=bench.now, **said)
    assert (bench.incidents(), audited(bench)) == ([], [])


def test_an_incident_that_there_is_not_is_said_to_be_unknown(bench: Bench) -> None:
    with pytest.raises(UnknownIncident, match="there is no incident 'INC-9': flyball incidents list"):
        bench.desk.acknowledge("INC-9", by="ann", via="cli", now=bench.now)


def test_by_default_times_are_those_of_the_database(bench: Bench) -> None:
    bench.receive(alert(), receiver="pages")
    desk = Desk(bench.store, lambda: bench.declared, lambda: "id")
    changed = desk.acknowledge("INC-1", by="ann", via="cli", now=T0)
    assert changed.incident.acknowledged_at != T0
