"""Detectors of daily costs at work, over a ledger in memory and a real database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np

from alerts.anomaly.model import CostQuery, Grouping, Opening
from controlplane import anomaly_names as names
from controlplane.model.spend import DAY, Ledger, SpendQuestion, SpendRow, SpendTable
from controlplane.store import SqlStore
from tests.alerts.anomaly.scoring.running import Running, kept
from tests.alerts.anomaly.scoring.worlds import detector, seasonal

FIRST = date(2026, 3, 2)
DAYS = 240
A_DAY = timedelta(days=1)


@dataclass
class Bills:
    """`spent` by service and day number; days from `until` on are not known yet."""

    spent: Mapping[str, np.ndarray]
    until: int = DAYS
    asked: list[SpendQuestion] = field(default_factory=list)

    def spend(self, question: SpendQuestion) -> SpendTable:
        self.asked.append(question)
        rows = []
        for number in range(self.until):
            day = FIRST + number * A_DAY
            if question.start.date() <= day < question.end.date():
                rows += [self._row(day, service, values[number]) for service, values in sorted(self.spent.items())]
        complete = datetime.combine(FIRST + self.until * A_DAY, datetime.min.time(), UTC)
        return SpendTable(question.by, tuple(rows), complete)

    def _row(self, day: date, service: str, value: float) -> SpendRow:
        amount = Decimal(f"{value:.6f}")
        return SpendRow((f"{day.isoformat()}T00:00:00Z", service), "USD", amount, amount)


def bills() -> Bills:
    random = np.random.default_rng(3)
    week = np.where(np.arange(DAYS) % 7 < 5, 1.0, 0.7)
    return Bills({name: 500 * week * (1 + 0.02 * random.standard_normal(DAYS)) for name in ("api", "web")})


def costly(**others: object) -> object:
    query = CostQuery(Ledger.ESTIMATED, ("service",), None, "USD")
    return detector(
        "costs", query="", cost=query, step=A_DAY, least_absolute=None, least_relative=None,
        opening=Opening(), **others,
    )  # fmt: skip


def running(store: SqlStore, ledger: Bills | None, **others: object) -> Running:
    return Running(store, seasonal(days=1), [costly(**others)], ledgers=lambda kind: ledger)  # type: ignore[list-item]


def at(them: Running, day: int) -> tuple[int, int, int]:
    """A turn on the morning after a day: steps, opened, closed."""
    them.time.at = datetime.combine(FIRST + (day + 1) * A_DAY, datetime.min.time(), UTC) + timedelta(hours=6)
    turn = them.daemon.run_once(them.time.at)
    assert turn.failed == {}
    return turn.steps, turn.opened, turn.closed


def test_a_dear_day_is_told_the_next_morning_and_each_day_is_scored_once(store: SqlStore) -> None:
    ledger = bills()
    ledger.spent["api"][232] *= 2
    them = running(store, ledger)
    found = []
    for day in range(231, 236):
        ledger.until = day + 1
        found.append(at(them, day))
    assert at(them, 235)[0] == 0
    assert [steps for steps, _, _ in found] == [1] * 5
    assert [opened for _, opened, _ in found] == [0, 1, 0, 0, 0]
    (episode,), events = kept(store)
    assert episode.series == '{currency="USD",service="api"}'
    assert episode.started_at.date() == FIRST + 232 * A_DAY
    assert episode.ended_at is not None
    assert [event.kind for event in events] == [names.EVENT_ENDED, names.EVENT_STARTED]
    assert events[1].data["baseline"] == "cost"


def test_metrics_say_what_a_day_should_have_cost(store: SqlStore) -> None:
    them = running(store, bills())
    at(them, 239)
    own = 'detector="costs",currency="USD",service="api"'
    assert f'anomaly_baseline{{{own},baseline="cost"}} 1' in them.lines("anomaly_baseline")
    assert f"anomaly_maturity{{{own}}} 3" in them.lines("anomaly_maturity")
    assert len(them.lines("yhat_upper{")) == 2
    assert not them.lines("anomaly_sustained_score{")


def test_days_without_a_turn_are_caught_up_and_a_crash_changes_nothing(
    store: SqlStore, other_store: SqlStore
) -> None:  # fmt: skip
    ledger = bills()
    ledger.spent["web"][234] *= 0.3
    for day in range(233, 236):
        ledger.until = day + 1
        at(running(other_store, ledger), day)
    ledger.until = 234
    at(running(store, ledger), 233)
    ledger.until = 236
    assert at(running(store, ledger), 235)[0] == 2
    assert kept(store) == kept(other_store)
    assert kept(store)[0]


def test_groups_of_costs_are_scored_too(store: SqlStore) -> None:
    them = running(store, bills(), grouping=Grouping())
    at(them, 239)
    assert [line.split(" ")[0] for line in them.lines("y{")][-1] == 'y{detector="costs",group="1"}'


def test_a_ledger_that_is_not_there_fails_in_words(store: SqlStore) -> None:
    them = running(store, None)
    them.time.at = datetime(2026, 11, 1, tzinfo=UTC)
    assert them.daemon.run_once(them.time.at).failed == {
        "costs": "detector costs asks the estimated ledger, and there is none"
    }


def test_a_ledger_without_data_is_no_cause_for_anything(store: SqlStore) -> None:
    ledger = bills()
    ledger.until = 0
    assert at(running(store, ledger), 239) == (0, 0, 0)
    assert kept(store) == ([], [])
    assert DAY in ledger.asked[0].by
