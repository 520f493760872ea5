"""The store of incidents, on both databases."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from controlplane.incident_ports import IncidentLog
from controlplane.model.incident import (
    DueStep,
    Incident,
    IncidentAlert,
    IncidentState,
    Origin,
    PriceTag,
    Priority,
    Suspect,
    TimelineEntry,
    TimelineKind,
)
from controlplane.ports import Permanent
from controlplane.store import SqlStore
from tests.contracts.storing import MINUTE, NOW, SECOND, firing

RESOLVED = {"state": IncidentState.RESOLVED, "resolved_at": NOW + MINUTE}


@contextmanager
def incidents(store: SqlStore) -> Iterator[IncidentLog]:
    with store.transaction() as transaction:
        yield transaction.incidents


def an_incident(name: str = "i1", key: str = "k", **changes: Any) -> Incident:
    about = Incident(
        id=name, key=key, title=f"{key} burns", priority=Priority.P1, state=IncidentState.OPEN, origin=Origin.ALERTS,
        started_at=NOW - MINUTE, opened_at=NOW, updated_at=NOW,
    )  # fmt: skip
    return replace(about, **changes)


def member(fingerprint: str, incident: str = "i1", starts_at: datetime = NOW, **changes: Any) -> IncidentAlert:
    return replace(IncidentAlert(incident, fingerprint, starts_at, NOW), **changes)


def line(name: str, at: datetime = NOW, incident: str = "i1", **changes: Any) -> TimelineEntry:
    return replace(TimelineEntry(name, incident, at, TimelineKind.NOTE, f"{name} ✓"), **changes)


def a_step(step: int, due_at: datetime, incident: str = "i1", **changes: Any) -> DueStep:
    return replace(DueStep(incident, "p0", 0, step, due_at, (f"receiver:r{step}", "schedule:sre")), **changes)


def names(found: Sequence[Incident]) -> list[str]:
    return [each.id for each in found]


def test_an_incident_gets_its_number_once_and_is_found_by_id_and_name(store: SqlStore) -> None:
    with incidents(store) as log:
        first, second = log.put(an_incident()), log.put(an_incident("i2", "other", number=99))
        assert (first, second) == (an_incident(number=1), an_incident("i2", "other", number=2))
        assert log.put(replace(first, number=0, version=2, title="worse")).number == 1
        assert (
            log.incident("INC-1")
            == log.incident("inc-1")
            == log.incident("i1")
            == replace(first, version=2, title="worse")
        )
        for unknown in ("INC-3", "INC-0", "INC-01", "INC-", "7", "INC-" + "9" * 40, ""):
            assert log.incident(unknown) is None


def test_one_incident_of_a_key_is_open_at_a_time(store: SqlStore) -> None:
    later = an_incident("i2", opened_at=NOW + MINUTE)
    with incidents(store) as log:
        assert log.open_of_key("k") is log.last_of_key("k") is None
        log.put(an_incident())
        with pytest.raises(Permanent, match="INC-1 of the same key is open"):
            log.put(later)
        log.put(an_incident(**RESOLVED))
        assert log.open_of_key("k") is None
        assert names([log.last_of_key("k") or later]) == ["i1"]
        log.put(later)
        with pytest.raises(Permanent, match="INC-2"):  # nor is a former one opened again beside it
            log.put(an_incident())
        assert names(log.of_key("k")) == ["i2", "i1"]
        assert names(log.of_key("k", 1)) == ["i2"]
        assert log.of_key("another") == []
    reopen = text("UPDATE incidents SET state = 'open' WHERE id = 'i1'")  # the database itself refuses
    with pytest.raises(Permanent, match=r"(?i)unique"), store.transaction() as transaction:
        transaction.incidents._connection.execute(reopen)


def test_open_incidents_come_most_urgent_first_then_oldest(store: SqlStore) -> None:
    acknowledged = {"state": IncidentState.ACKNOWLEDGED, "acknowledged_at": NOW, "acknowledged_by": "ann"}
    with incidents(store) as log:
        log.put(an_incident("late", "1", opened_at=NOW + SECOND))
        log.put(an_incident("early", "2", **acknowledged))
        log.put(an_incident("worst", "3", priority=Priority.P0, opened_at=NOW + MINUTE))
        log.put(an_incident("over", "4", priority=Priority.P0, **RESOLVED))
        assert names(log.open()) == ["worst", "early", "late"]
        assert names(log.open(1)) == ["worst"]


def test_incidents_that_are_quiet_long_enough_come_the_longest_quiet_first(store: SqlStore) -> None:
    with incidents(store) as log:
        for number, since in enumerate([NOW, NOW - MINUTE, NOW + SECOND, None]):
            log.put(an_incident(f"i{number}", f"k{number}", quiet_since=since))
        log.put(an_incident("over", "k9", quiet_since=NOW - MINUTE, **RESOLVED))
        assert [each.id for each in log.quiet(NOW)] == ["i1", "i0"]
        assert [each.id for each in log.quiet(NOW, 1)] == ["i1"]


def test_incidents_between_two_times_are_those_that_went_on_then(store: SqlStore) -> None:
    start, end = NOW, NOW + MINUTE
    spans: dict[str, tuple[datetime, datetime | None]] = {
        "before": (start - MINUTE, start),
        "into": (start - MINUTE, start + SECOND),
        "through": (start - MINUTE, None),
        "within": (start + SECOND, start + 2 * SECOND),
        "at once": (start, start),
        "after": (end, None),
    }
    with incidents(store) as log:
        for name, (opened_at, resolved_at) in spans.items():
            state = IncidentState.RESOLVED if resolved_at else IncidentState.OPEN
            log.put(an_incident(name, name, opened_at=opened_at, resolved_at=resolved_at, state=state))
        assert names(log.between(start, end)) == ["within", "at once", "through", "into"]
        assert names(log.between(start, end, 2)) == ["within", "at once"]
        assert log.between(start - 2 * MINUTE, start - MINUTE) == []


def test_an_alert_belongs_to_the_incident_that_it_joined_first(store: SqlStore) -> None:
    with incidents(store) as log:
        assert log.join([member("f1"), member("f2"), member("f1")]) == 2
        assert log.join([member("f1", "i2"), member("f1", "i2", NOW + SECOND)]) == 1
        assert log.join([]) == 0
        assert log.incident_of("f1", NOW) == "i1"
        assert log.incident_of("f1", NOW + SECOND) == "i2"
        assert log.incident_of("f2", NOW + SECOND) is None
        asked = [("f1", NOW), ("f2", NOW), ("f2", NOW + SECOND), ("f1", NOW)]
        assert log.incidents_of(asked) == {("f1", NOW): "i1", ("f2", NOW): "i1"}
        assert log.incidents_of([]) == {}
        assert (log.count_alerts("i1"), log.count_alerts("i2"), log.count_alerts("i3")) == ((2, 2), (1, 1), (0, 0))


def test_an_alert_ends_once_and_names_its_incident_each_time(store: SqlStore) -> None:
    with incidents(store) as log:
        log.join([member("f1"), member("f2", "i2"), member("f3")])
        assert log.end_alerts([("f1", NOW, NOW + SECOND), ("none", NOW, NOW), ("f2", NOW, NOW + MINUTE)]) == [
            "i1",
            "i2",
        ]
        assert log.end_alerts([("f3", NOW, NOW + SECOND), ("f1", NOW, NOW + MINUTE)]) == ["i1"]
        assert log.end_alerts([]) == []
        ends = {each.fingerprint: each.ended_at for each, _ in log.alerts_of("i1")}
        assert ends == {"f1": NOW + SECOND, "f3": NOW + SECOND}
        assert (log.count_alerts("i1"), log.count_alerts("i2")) == ((2, 0), (1, 0))


def test_alerts_of_an_incident_come_firing_first_then_latest_with_what_is_known_of_them(store: SqlStore) -> None:
    with store.transaction() as transaction:
        transaction.alerts.record_all([firing("old"), firing("new", NOW + MINUTE), firing("over")], NOW)
        members = [member("over", starts_at=NOW, ended_at=NOW + MINUTE), member("old"), member("forgotten")]
        transaction.incidents.join([*members, member("new", starts_at=NOW + MINUTE), member("elsewhere", "i2")])
        found = transaction.incidents.alerts_of("i1")
        assert [each.fingerprint for each, _ in found] == ["new", "forgotten", "old", "over"]
        assert [stored and stored.alert for _, stored in found] == [
            firing("new", NOW + MINUTE), None, firing("old"), firing("over"),
        ]  # fmt: skip
        assert found[3][0] == members[0]
        assert found[0][1] == transaction.alerts.recent(1)[0]
        assert [each.fingerprint for each, _ in transaction.incidents.alerts_of("i1", 2)] == ["new", "forgotten"]


def test_a_line_of_a_timeline_is_written_once_and_lines_come_in_order_of_time(store: SqlStore) -> None:
    entry = line("a", kind=TimelineKind.TIER, actor="ladder", data={"tier": 2, "none": None, "flags": ["x"]})
    with incidents(store) as log:
        assert log.note([line("late", NOW + MINUTE), entry, entry], NOW) == 2
        assert log.note([line("a", text="changed"), line("b"), line("a", incident="i2")], NOW) == 2
        assert log.note([], NOW) == 0
        assert log.timeline("i1") == [entry, line("b"), line("late", NOW + MINUTE)]
        assert [each.id for each in log.timeline("i1", 2)] == ["b", "late"]
        assert [each.text for each in log.timeline("i2")] == ["a ✓"]
        assert log.timeline("i3") == []


def test_steps_are_due_while_their_incident_is_open_and_nobody_has_it(store: SqlStore) -> None:
    five = 5 * MINUTE
    with incidents(store) as log:
        log.put(an_incident())
        log.put(an_incident("i0", "2"))
        log.put(an_incident("had", "3", state=IncidentState.ACKNOWLEDGED))
        log.put(an_incident("over", "4", **RESOLVED))
        log.put_steps([a_step(2, NOW + 2 * five), a_step(1, NOW + five), a_step(0, NOW)])
        log.put_steps([a_step(0, NOW, name) for name in ("had", "over", "i0", "unknown")])
        assert log.due_steps(NOW - SECOND) == []
        assert log.due_steps(NOW) == [a_step(0, NOW, "i0"), a_step(0, NOW)]
        fired = a_step(0, NOW, fired_at=NOW, told=("pages", "sre-chat"))
        log.put_steps([fired, a_step(0, NOW, "i0", cancelled_at=NOW)])
        assert log.due_steps(NOW + five) == [a_step(1, NOW + five)]
        assert log.due_steps(NOW + 2 * five, 1) == [a_step(1, NOW + five)]
        assert log.steps_of("i1") == [fired, a_step(1, NOW + five), a_step(2, NOW + 2 * five)]
        again = a_step(0, NOW + five, round=1)
        log.put_steps([again])
        log.put_steps([])
        assert log.steps_of("i1")[1:3] == [a_step(1, NOW + five), again]


def test_a_reader_of_events_finds_its_place_again(store: SqlStore) -> None:
    with incidents(store) as log:
        assert log.cursor("timeline") == 0
        for sequence in (7, 2**40):
            log.put_cursor("timeline", sequence)
            assert log.cursor("timeline") == sequence
        assert log.cursor("other") == 0


def test_whoever_locks_reads_what_the_one_before_wrote(store: SqlStore, other: SqlStore) -> None:
    with incidents(store) as log:
        log.lock()
        log.put(an_incident())
    with incidents(other) as log:
        log.lock()
        assert log.put(an_incident("i2", "other")).number == 2


def test_the_database_tells_the_time(store: SqlStore) -> None:
    with store.transaction(read_only=True) as transaction:
        first, second = transaction.database_time(), transaction.database_time()
    assert first.tzinfo is UTC
    assert timedelta(0) <= second - first < MINUTE


TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)
NAMES = st.lists(TEXTS, max_size=3).map(tuple)
TIMES = st.datetimes(timezones=st.just(UTC))
MAPS = st.dictionaries(TEXTS, TEXTS, max_size=2)
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12)
PRICES = st.builds(
    PriceTag, TIMES, st.lists(st.tuples(TEXTS, AMOUNTS), max_size=2).map(tuple),
    st.lists(st.tuples(TEXTS, AMOUNTS, TEXTS), max_size=2).map(tuple), st.none() | AMOUNTS, TEXTS,
)  # fmt: skip
INCIDENTS = st.builds(
    Incident, TEXTS, TEXTS, TEXTS, st.sampled_from(Priority), st.sampled_from(IncidentState), st.sampled_from(Origin),
    TIMES, TIMES, TIMES, st.just(1), st.integers(1, 2**40), TEXTS, TEXTS, TEXTS, NAMES, NAMES, MAPS, MAPS,
    st.none() | TIMES, TEXTS, st.none() | TIMES, TEXTS, TEXTS, st.none() | TIMES, TEXTS, st.none() | PRICES,
    st.lists(st.builds(Suspect, TIMES, TEXTS, TEXTS, TEXTS, AMOUNTS, NAMES), max_size=2).map(tuple),
)  # fmt: skip
LINES = st.builds(
    TimelineEntry, TEXTS, TEXTS, TIMES, st.sampled_from(TimelineKind), TEXTS, TEXTS,
    st.dictionaries(TEXTS, st.none() | st.booleans() | TEXTS | st.lists(TEXTS, max_size=2), max_size=2),
)  # fmt: skip


class _LeaveNothing(Exception):
    """The next example finds an empty database."""


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(INCIDENTS, LINES)
def test_whatever_is_put_comes_back_exactly(store: SqlStore, incident: Incident, entry: TimelineEntry) -> None:
    with suppress(_LeaveNothing), incidents(store) as log:
        assert log.put(incident) == log.incident(incident.id) == incident
        log.note([entry], NOW)
        assert log.timeline(entry.incident) == [entry]
        raise _LeaveNothing


def test_a_price_that_is_no_number_is_refused(store: SqlStore) -> None:
    unknown = an_incident(price=PriceTag(NOW, (("reads", Decimal("NaN")),)))
    with pytest.raises(ValueError, match="is no number"), incidents(store) as log:
        log.put(unknown)
