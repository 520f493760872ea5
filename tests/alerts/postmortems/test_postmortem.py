"""A postmortem that is half written the next morning."""

import itertools
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from alerts.postmortems import sentences
from alerts.postmortems.as_json import postmortem_data
from alerts.postmortems.gathering import gathered
from alerts.postmortems.markdown import as_markdown
from alerts.postmortems.model import Moments, Postmortem
from controlplane.model.alert import Alert, AlertStatus
from controlplane.model.incident import Incident, IncidentAlert, IncidentState, Origin, TimelineEntry, TimelineKind
from controlplane.store import SqlStore
from tests.alerts.postmortems.stories import BASE, BEGAN, MINUTE, NOW, happened, line

GOLDEN = Path(__file__).parent / "postmortem.golden.md"


def read(store: SqlStore, incident: str = "INC-2") -> Postmortem:
    with store.transaction(read_only=True) as transaction:
        found = gathered(transaction, incident, NOW + 10 * MINUTE, console_url="https://flyball.example")
    assert found
    return found


def of(incident: Incident, timeline: Sequence[TimelineEntry] = ()) -> Postmortem:
    """One that is not in a store."""
    at = Moments(incident.started_at, incident.opened_at, None, incident.acknowledged_at, None, incident.resolved_at)
    return Postmortem(incident, at, tuple(timeline), (), 0, (), (), (), 0, (), (), "", NOW)


def test_the_golden_postmortem_holds_all_that_is_known_and_asks_for_the_rest(store: SqlStore) -> None:
    happened(store)
    text = as_markdown(read(store))
    if os.environ.get("FLYBALL_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_times_are_those_of_detection_telling_acknowledgement_and_recovery(store: SqlStore) -> None:
    happened(store)
    assert sentences.response_seconds(read(store).moments) == {
        "time_to_detect_seconds": 40,
        "time_to_tell_seconds": 120,
        "time_to_acknowledge_seconds": 240,
        "time_to_recover_seconds": 58 * 60,
    }


def test_it_recovered_when_its_last_alert_ended_not_when_we_heard_of_that(store: SqlStore) -> None:
    happened(store)
    with store.transaction() as transaction:
        incident = transaction.incidents.incident("INC-2")
        assert incident is not None
        transaction.incidents.put(replace(incident, quiet_since=BEGAN + 62 * MINUTE))
        found = gathered(transaction, "INC-2", NOW + 10 * MINUTE)
        assert found is not None
        assert found.moments.recovered == BEGAN + 58 * MINUTE
        another = Alert("f99", BEGAN, AlertStatus.FIRING, {"alertname": "Forgotten"}, {})
        transaction.incidents.join([IncidentAlert("i2", another.fingerprint, BEGAN, BEGAN + MINUTE)])
        found = gathered(transaction, "INC-2", NOW + 10 * MINUTE)
        assert found is not None
        assert found.moments.recovered == BEGAN + 62 * MINUTE  # one of its alerts is not kept any more


def test_when_attempts_are_forgotten_what_was_opened_outside_says_when_people_were_told(store: SqlStore) -> None:
    happened(store)
    with store.transaction() as transaction:
        transaction.telling.purge(NOW)
    assert read(store).moments.told == BEGAN + 2 * MINUTE


def test_the_incidents_that_it_repeats_are_linked_with_what_was_left_undone(store: SqlStore) -> None:
    happened(store)
    it = read(store)
    assert [(each.incident.name, each.url, each.open_actions) for each in it.earlier] == [
        ("INC-1", "https://flyball.example/incidents/i1", 1)
    ]
    assert [(each.action.title, each.incident.name, each.is_overdue) for each in it.left_over] == [
        ("Add a canary", "INC-1", True)
    ]
    assert read(store, "INC-1").earlier == ()


def test_there_is_no_postmortem_of_an_incident_that_is_not_there(store: SqlStore) -> None:
    with store.transaction(read_only=True) as transaction:
        assert gathered(transaction, "INC-9", NOW) is None


def test_an_incident_that_goes_on_has_one_so_far() -> None:
    going_on = replace(
        BASE, state=IncidentState.OPEN, resolved_at=None, resolved_by="", acknowledged_at=None, price=None
    )
    text = as_markdown(of(going_on))
    assert "- The incident goes on: this is how it stands.\n" in text
    assert "| Acknowledged | not known |" in text
    assert "What it cost is not known" in text
    assert "It goes on." in text


def test_nobody_having_acknowledged_it_is_said() -> None:
    assert "Nobody acknowledged it." in as_markdown(of(replace(BASE, acknowledged_at=None, acknowledged_by="")))


def test_a_declared_incident_began_when_somebody_declared_it() -> None:
    declared = replace(BASE, origin=Origin.DECLARED, started_at=BASE.opened_at)
    assert "Somebody declared it at 2026-12-01 03:00 UTC" in as_markdown(of(declared))


def test_of_many_alerts_in_a_row_the_first_are_shown_and_the_rest_are_counted() -> None:
    alerts = [line(number, TimelineKind.ALERT, f"alert {number}") for number in range(10)]
    notes = [line(20 + number, TimelineKind.NOTE, f"note {number}") for number in range(10)]
    shown = sentences.condensed([*alerts, *notes, *alerts[:2]])
    assert [(entry.text, more) for entry, more in shown[:4]] == [
        ("alert 0", 0), ("alert 1", 0), ("alert 2", 0), ("alert 3", 6)
    ]  # fmt: skip
    assert [entry.text for entry, _ in shown[4:]] == [*(f"note {n}" for n in range(10)), "alert 0", "alert 1"]


@given(st.lists(st.sampled_from([TimelineKind.ALERT, TimelineKind.TOLD, TimelineKind.NOTE]), max_size=60))
def test_condensing_loses_no_line(kinds: list[TimelineKind]) -> None:
    timeline = [line(number, kind, str(number)) for number, kind in enumerate(kinds)]
    shown = sentences.condensed(timeline)
    assert len(shown) + sum(more for _, more in shown) == len(timeline)
    assert [entry.at for entry, _ in shown] == sorted(entry.at for entry, _ in shown)


@given(text=st.text("ab1 @#/*_[]()<>|`~\\!{}$&-+=.:'\"\n\t\u202eé", max_size=100))
def test_whatever_people_and_alerts_say_it_stays_one_document_with_the_same_sections(text: str) -> None:
    said = line(1, TimelineKind.NOTE, text or "x", text)
    incident = replace(BASE, title=text, summary=text, service=text, resolved_by=text, resolution=text)
    tokens = MarkdownIt("commonmark").enable("table").parse(as_markdown(of(incident, [said])))
    headings = [after.content for each, after in itertools.pairwise(tokens) if each.type == "heading_open"]
    assert headings[1:] == [
        "In short", "Impact", "Detection, response, recovery", "What may have caused it", "Timeline", "Actions",
        "Still to be written", *(name for name, _ in sentences.QUESTIONS),
    ]  # fmt: skip
    assert sum(each.type == "table_open" for each in tokens) == 2
    assert sum(each.type == "tr_open" for each in tokens) == 2 + len(sentences.times(of(incident))) + 1
    assert not any(each.type.startswith("html") for token in tokens for each in (token, *(token.children or [])))


def test_for_machines_what_is_not_known_is_null_and_money_is_text(store: SqlStore) -> None:
    happened(store)
    data = postmortem_data(read(store))
    assert data["incident"]["price"]["budget_burned"] == {"gateway-availability": "0.184"}  # type: ignore[index,call-overload]
    assert [each["ticket"] and each["ticket"]["url"] for each in data["actions"]] == [None, "https://tickets.example/7"]  # type: ignore[index,call-overload,union-attr]
    assert postmortem_data(of(replace(BASE, acknowledged_at=None)))["moments"]["acknowledged_at"] is None  # type: ignore[index,call-overload]


@pytest.mark.parametrize("lines", [499, 501, 3000])
def test_a_long_timeline_is_cut_and_says_where_the_rest_is(lines: int) -> None:
    text = as_markdown(of(BASE, [line(n / 100, TimelineKind.NOTE, f"note {n}") for n in range(lines)]))
    assert ("more lines: flyball incidents timeline INC-0" in text) is (lines > 500)
    assert len(text) < 60_000
