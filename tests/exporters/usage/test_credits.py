"""Service credits: the table, the cap, our own downshifts, and what is done without data."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from controlplane.conventions import EVENT_TIER_CHANGED
from controlplane.model.event import Event, RecordedEvent
from controlplane.model.series import Sample, Series
from controlplane.model.usage import LineKind
from controlplane.ports import Transient
from controlplane.store import SqlStore
from exporters.usage.closing import Closed, Closer
from exporters.usage.crediting import Crediting
from exporters.usage.credits import Evidence, Verdict, decide
from exporters.usage.daemon import run_once
from exporters.usage.downshifts import downshifts, minutes
from exporters.usage.ports import Achieved
from exporters.usage.rating import usage_line
from exporters.usage.recorded_slo import RecordedSLO
from exporters.usage.terms import Contract, CreditStep, Fee, UsageTerms
from tests.exporters.usage.metering import CLOSING, TERMS, TOKENS

START, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
STEPS = (CreditStep(Decimal("0.999"), Decimal(10)), CreditStep(Decimal("0.99"), Decimal(25)))
CONTRACT = Contract("standard", ("alpha",), "gateway", "tenant", STEPS, Fee(Decimal("1000.10"), "USD"))
PROMISED = UsageTerms(TERMS.meters, (), (CONTRACT,))


def achieved(bad: str, events: str = "10000", coverage: str = "1") -> Achieved:
    return Achieved(Decimal(events), Decimal(bad), Decimal(coverage))


def verdict(bad: str, **contract: object) -> tuple[Verdict, str]:
    from dataclasses import replace

    decision = decide(
        replace(CONTRACT, **contract), "alpha", "2026-11", Evidence(achieved(bad)), (), booked="2026-11"  # type: ignore[arg-type]
    )  # fmt: skip
    return decision.verdict, "" if decision.line is None else str(decision.line.amount)


@pytest.mark.parametrize(
    ("bad", "amount"),
    [("0", ""), ("9", ""), ("10", ""), ("10.001", "-100.01"), ("100", "-100.01"), ("101", "-250.03"),
     ("10000", "-250.03")],
)  # fmt: skip
def test_the_lowest_threshold_that_was_broken_counts_and_reaching_one_is_keeping_it(bad: str, amount: str) -> None:
    assert verdict(bad) == (Verdict.CREDIT if amount else Verdict.KEPT, amount)


def test_no_credit_is_more_than_the_cap() -> None:
    assert verdict("500", cap=Decimal(20)) == (Verdict.CREDIT, "-200.02")


def test_the_fee_may_include_the_months_usage_in_its_currency() -> None:
    lines = [usage_line(TOKENS, "alpha", "2026-11", Decimal(1100))]
    assert verdict("20", fee=Fee(Decimal(0), "USD", usage=True)) == (Verdict.CREDIT, "0.00")
    contract = Contract("c", ("alpha",), "gateway", "tenant", STEPS, Fee(Decimal(1), "USD", usage=True))
    decision = decide(contract, "alpha", "2026-11", Evidence(achieved("20")), lines, booked="2026-11")
    assert decision.line is not None
    assert (str(decision.line.amount), decision.line.terms["of"]) == ("-0.50", "5")


@pytest.mark.parametrize(
    ("whole", "reason"),
    [(None, "nothing was recorded of gateway"),
     (achieved("0", coverage="0.9499"), "only 94.9 % of the month was measured, 95 % are needed")],
)  # fmt: skip
def test_without_data_nothing_is_decided(whole: Achieved | None, reason: str) -> None:
    decision = decide(CONTRACT, "alpha", "2026-11", Evidence(whole), (), booked="2026-11")
    assert (decision.verdict, decision.reason, decision.line, decision.ratio) == (Verdict.NO_DATA, reason, None, None)


def test_a_month_without_events_kept_its_promise() -> None:
    decision = decide(CONTRACT, "alpha", "2026-11", Evidence(achieved("0", "0")), (), booked="2026-11")
    assert (decision.verdict, decision.ratio) == (Verdict.KEPT, None)


@pytest.mark.parametrize(
    ("during", "own"), [(achieved("11", "500"), True), (achieved("9", "500"), False), (None, False)]
)
def test_a_breach_is_our_own_when_the_rest_of_the_month_would_have_kept_the_promise(
    during: Achieved | None, own: bool
) -> None:
    decision = decide(CONTRACT, "alpha", "2026-11", Evidence(achieved("20"), during, 42), (), booked="2026-11")
    assert (decision.verdict, decision.own_downshift, decision.downshift_minutes) == (Verdict.CREDIT, own, 42)
    expected = "caused by our own downshift of 42 min" if own else "downshifted for 42 min, which did not cause it"
    assert expected in decision.reason
    assert decision.line is not None
    assert decision.line.note == decision.reason


def tier(at: datetime, to: object, sequence: int = 1) -> RecordedEvent:
    event = Event(f"t{at}", EVENT_TIER_CHANGED, "ladder", at, {"from": "0", "to": to})  # type: ignore[dict-item]
    return RecordedEvent(sequence, at, event)


def test_downshifts_are_the_time_in_which_a_tier_above_0_held() -> None:
    hour = timedelta(hours=1)
    changes = [
        tier(START - hour, "2"), tier(START + hour, 0), tier(START + 2 * hour, 1), tier(START + 3 * hour, "3"),
        tier(START + 4 * hour, "0"), tier(START + 5 * hour, "nonsense"), tier(END - hour, 1), tier(END, 0),
    ]  # fmt: skip
    found = downshifts(changes, START, END)
    assert found == ((START, START + hour), (START + 2 * hour, START + 4 * hour), (END - hour, END))
    assert minutes(found) == 240
    assert downshifts([], START, END) == ()
    assert downshifts([tier(END, 1)], START, END) == ()
    assert minutes(((START, START + timedelta(seconds=61)),)) == 2


class Recorded:
    """What was achieved, by the hour in which it was asked for."""

    def __init__(self, whole: Achieved | None, during: Achieved | None = None) -> None:
        self.whole, self.during = whole, during
        self.asked: list[tuple[str, dict[str, str], datetime, datetime]] = []

    def achieved(
        self, slo: str, labels: Mapping[str, str], start: datetime, end: datetime, *, maintenance_counts: bool = False
    ) -> Achieved | None:
        self.asked.append((slo, dict(labels), start, end))
        return self.whole if (start, end) == (START, END) else self.during


def close(store: SqlStore, source: object, period: str = "2026-11", now: datetime = CLOSING) -> Closed:
    return Closer(store, PROMISED, source=source).close(period, now)  # type: ignore[arg-type]


def test_a_breach_becomes_a_credit_line_of_the_month_marked_when_it_was_our_downshift(store: SqlStore) -> None:
    at = START + timedelta(days=3, minutes=7)
    with store.transaction() as transaction:
        for recorded in (tier(at, "3"), tier(at + timedelta(minutes=30), "0")):
            transaction.events.append(recorded.event, recorded.recorded_at)
    source = Recorded(achieved("20"), achieved("15", "300"))
    closed = close(store, source)
    (line,) = closed.lines
    assert (line.kind, line.tenant, line.item, str(line.amount)) == (LineKind.CREDIT, "alpha", "standard", "-100.01")
    assert "caused by our own downshift of 30 min" in line.note
    (decision,) = closed.credits
    assert decision["own_downshift"] is True  # type: ignore[index,call-overload]
    assert source.asked == [
        ("gateway", {"tenant": "alpha"}, START, END),
        ("gateway", {"tenant": "alpha"}, START + timedelta(days=3, minutes=5), START + timedelta(days=3, minutes=40)),
    ]


class Silent:
    """A Prometheus that cannot be reached."""

    def achieved(self, *_: object, **__: object) -> Achieved | None:
        raise Transient("unreachable")


@pytest.mark.parametrize("source", [None, Silent(), Recorded(None)])
def test_a_credit_without_data_is_decided_when_a_later_month_is_closed(store: SqlStore, source: object) -> None:
    first = close(store, source)
    assert first.lines == ()
    assert [each["verdict"] for each in first.credits] == ["no_data"]  # type: ignore[index,call-overload]
    january, february = datetime(2027, 1, 4, tzinfo=UTC), datetime(2027, 2, 4, tzinfo=UTC)
    december = close(store, Recorded(achieved("20"), achieved("0")), "2026-12", january)
    assert [(line.booked, line.period, str(line.amount)) for line in december.lines] == [
        ("2026-12", "2026-11", "-100.01")
    ]
    later = close(store, Recorded(achieved("20"), achieved("0")), "2027-01", february)
    assert later.lines == ()  # it was given once


def test_a_month_of_outage_without_usage_is_credited_too(store: SqlStore) -> None:
    run_once(store, PROMISED, START)
    turn = run_once(store, PROMISED, CLOSING, source=Recorded(achieved("10000")))
    assert [(line.kind, str(line.amount)) for line in turn.closed[0].lines] == [(LineKind.CREDIT, "-250.03")]


def test_credits_can_be_looked_at_before_the_month_is_closed(store: SqlStore) -> None:
    decisions = Crediting(store, PROMISED, Recorded(achieved("20"))).decisions("2026-11", (), booked="2026-11")
    assert [(each.tenant, each.ratio) for each in decisions] == [("alpha", Fraction(998, 1000))]
    with store.transaction(read_only=True) as transaction:
        assert transaction.usage.periods() == []


class Prometheus:
    """Answers instant queries from a table, and keeps what was asked."""

    def __init__(self, **values: float) -> None:
        self.values, self.queries = values, list[tuple[str, datetime]]()

    def query(self, expr: str, at: datetime) -> list[Sample]:
        self.queries.append((expr, at))
        name = "count" if "count_over_time" in expr else "excluded" if "excluded" in expr else "sum"
        found = [("all", self.values.get(name)), ("bad", self.values.get(f"{name}_bad"))]
        return [Sample({"event": event}, at, value) for event, value in found if value is not None]

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        raise NotImplementedError


def test_what_was_recorded_is_asked_day_by_day_over_whole_entries() -> None:
    backend = Prometheus(sum=100.5, sum_bad=0.1, count=288)
    found = RecordedSLO(backend).achieved("gateway", {"tenant": 'a"b'}, START, START + timedelta(days=2))
    assert found == Achieved(Decimal(201), Decimal("0.2"), Decimal(1))
    assert backend.queries[0] == (
        'sum by (event) (sum_over_time(slo:sli_events:ledger5m{slo="gateway",tenant="a\\"b"}[86400s]))',
        START + timedelta(days=1),
    )
    assert len(backend.queries) == 4


def test_gaps_are_coverage_and_nothing_recorded_is_none() -> None:
    day = timedelta(days=1)
    partly = RecordedSLO(Prometheus(sum=1, count=144)).achieved("g", {}, START, START + day)
    assert partly == Achieved(Decimal(1), Decimal(0), Decimal("0.5"))
    assert RecordedSLO(Prometheus()).achieved("g", {}, START, START + day) is None
    nan = RecordedSLO(Prometheus(sum=float("nan"), count=float("nan"))).achieved("g", {}, START, START + day)
    assert nan is None


def test_maintenance_may_count_all_the_same() -> None:
    backend = Prometheus(sum=90, sum_bad=1, excluded=10, excluded_bad=9, count=288)
    found = RecordedSLO(backend).achieved("g", {}, START, START + timedelta(days=1), maintenance_counts=True)
    assert found == Achieved(Decimal(100), Decimal(10), Decimal(1))
