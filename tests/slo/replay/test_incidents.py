"""Lists of incidents, and alerts judged by them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.burn_rate import STANDARD_TIERS, Urgency
from controlplane.specfile import SourceFile
from slo.replay.incident_file import IncidentFile, read_incidents
from slo.replay.incidents import LAG, LEAD, Incident, Told, Verdict, verdict_on
from slo.replay.notifications import Notification
from tests.slo.replay.histories import START

YAML = """
- {name: bad deploy, start: 2026-03-02T10:00:00Z, end: 2026-03-02T11:00:00Z, service: shop}
- start: 2026-03-02T08:00:00+01:00
  end: 2026-03-02T09:00:00+01:00
  slo: checkout
  severity: ticket
"""
CSV = """start,end,slo,service,severity,name
2026-03-02T10:00:00Z,2026-03-02T11:00:00Z,,shop,,bad deploy
"2026-03-02T07:00:00Z", 2026-03-02T08:00:00Z,checkout,,ticket,
"""
JSON = """{"incidents": [
  {"name": "bad deploy", "start": "2026-03-02T10:00:00Z", "end": "2026-03-02T11:00:00Z", "service": "shop"},
  {"start": "2026-03-02T07:00:00Z", "end": "2026-03-02T08:00:00Z", "slo": "checkout", "severity": "Ticket"}]}
"""
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def read(text: str, name: str = "incidents.yaml") -> IncidentFile:
    return read_incidents(SourceFile(name, text.encode("utf-8", "surrogatepass")))


@pytest.mark.parametrize(("text", "name"), [(YAML, "a.yaml"), (CSV, "a.csv"), (JSON, "a.json")])
def test_a_list_says_the_same_in_every_format(text: str, name: str) -> None:
    found = read(text, name)
    assert found.problems == ()
    ticket, page = found.incidents
    assert (page.name, page.service, page.slo, page.urgency) == ("bad deploy", "shop", "", Urgency.PAGE)
    assert page.end - page.start == HOUR
    assert (ticket.slo, ticket.urgency) == ("checkout", Urgency.TICKET)
    assert ticket.start == START + 7 * HOUR


@pytest.mark.parametrize(
    ("text", "name", "line", "field", "words"),
    [
        ("- {start: 2026-03-02T10:00:00Z}", "a.yaml", 1, "end", "missing"),
        ("- start: yesterday\n  end: 2026-03-02T10:00:00Z", "a.yaml", 1, "start", "not a time"),
        ("- start: 2026-03-02T10:00:00\n  end: 2026-03-02T10:00:00Z", "a.yaml", 1, "start", "without a time zone"),
        ("- start: 2026-03-02T10:00:00Z\n  end: 2026-03-02T10:00:00Z", "a.yaml", 2, "end", "after it started"),
        ("- {start: 2026-03-02T10:00:00Z, end: 2026-03-02T11:00:00Z, slos: x}", "a.yaml", 1, "slos", "`slo`"),
        ("- {start: 2026-03-02T10:00:00Z, end: 2026-03-02T11:00:00Z, slo: [x]}", "a.yaml", 1, "slo", "text"),
        ("- {start: 2026-03-02T10:00:00Z, end: 2026-03-02T11:00:00Z, severity: red}", "a.yaml", 1, "severity", "red"),
        ("- just text", "a.yaml", 1, "[0]", "mapping"),
        ("a: b", "a.yaml", 1, "", "list"),
        ("- {start: [", "a.yaml", 1, "", ""),
        ("", "a.csv", 1, "", "nothing"),
        ("start,end\n1,2,3", "a.csv", 2, "", "3 values under 2 columns"),
        ("start,start\n1,2", "a.csv", 1, "", "same name"),
        ('start,end\n"1,2', "a.csv", 2, "", "not CSV"),
        ("start,end\n\n2026-03-02T10:00:00Z,soon", "a.csv", 3, "end", "not a time"),
    ],
)
def test_every_mistake_is_told_at_its_place(text: str, name: str, line: int, field: str, words: str) -> None:
    problems = read(text, name).problems
    assert problems
    first = problems[0]
    assert (first.path, first.line, first.field) == (name, line, field)
    assert words in first.message


@given(st.text(), st.sampled_from(["a.yaml", "a.csv", "a.json"]))
def test_nothing_in_a_file_makes_it_fail(text: str, name: str) -> None:
    found = read(text, name)
    assert all(problem.line >= 1 and problem.message for problem in found.problems)


def told(at: timedelta, lasted: timedelta, urgency: Urgency = Urgency.PAGE, slo: str = "checkout") -> Told:
    notification = Notification(urgency, STANDARD_TIERS[0], START + at, START + at + lasted, 20, 0.02, 0.9, None, False)
    return Told(slo, "shop", notification)


def verdict(incidents: list[Incident], sent: list[Told]) -> Verdict:
    return verdict_on(incidents, sent, {"checkout": "shop", "search": "find"}, START, START + DAY)


INCIDENT = Incident(START + 2 * HOUR, START + 3 * HOUR, slo="checkout")


@pytest.mark.parametrize(
    ("at", "lasted", "fits"),
    [
        (2 * HOUR, HOUR, True),
        (HOUR, HOUR - LEAD, False),
        (HOUR, HOUR - LEAD + timedelta(minutes=1), True),
        (3 * HOUR + LAG, HOUR, False),
        (3 * HOUR + LAG - timedelta(minutes=1), HOUR, True),
    ],
)
def test_an_alert_belongs_to_an_incident_with_some_lead_and_lag(at: timedelta, lasted: timedelta, fits: bool) -> None:
    found = verdict([INCIDENT], [told(at, lasted)])
    assert found.pages.precision == found.pages.recall == (1 if fits else 0)


def test_pages_and_tickets_are_judged_apart() -> None:
    slight = Incident(START + 10 * HOUR, START + 11 * HOUR, urgency=Urgency.TICKET)
    sent = [told(2 * HOUR, HOUR), told(10 * HOUR, HOUR, Urgency.TICKET), told(20 * HOUR, HOUR, Urgency.TICKET)]
    found = verdict([INCIDENT, slight], sent)
    assert (found.pages.precision, found.pages.recall) == (1, 1)
    assert (found.tickets.precision, found.tickets.recall) == (0.5, 1)
    assert (found.alerts.right, found.alerts.sent, found.alerts.found, found.alerts.incidents) == (2, 3, 2, 2)


def test_a_ticket_does_not_find_an_incident_that_asks_for_a_page() -> None:
    found = verdict([INCIDENT], [told(2 * HOUR, HOUR, Urgency.TICKET)])
    assert found.pages.recall == 0
    assert found.pages.precision is None
    assert found.tickets.precision == 1
    assert found.tickets.recall is None


def test_an_incident_of_another_slo_is_not_told_by_this_one() -> None:
    other = Incident(START + 2 * HOUR, START + 3 * HOUR, service="find")
    found = verdict([other], [told(2 * HOUR, HOUR)])
    assert (found.pages.right, found.pages.found) == (0, 0)
    assert found.told[0].by is None


def test_how_an_incident_was_told_is_said_by_the_most_urgent_alert() -> None:
    sent = [told(2 * HOUR, HOUR, Urgency.TICKET), told(2.5 * HOUR, HOUR)]
    (one,) = verdict([INCIDENT], sent).told
    assert (one.by, one.slo, one.after) == (Urgency.PAGE, "checkout", HOUR / 2)


def test_incidents_of_other_times_and_slos_are_left_out_and_counted() -> None:
    early = Incident(START - 2 * HOUR, START - HOUR)
    strange = Incident(START + 2 * HOUR, START + 3 * HOUR, slo="unheard-of")
    found = verdict([early, strange, INCIDENT], [])
    assert found.left_out == 2
    assert found.pages.incidents == 1
