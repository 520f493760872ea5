"""A backtest tells what the daemon has told."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from alerts.anomaly.backtesting.as_json import as_json
from alerts.anomaly.backtesting.as_text import as_text
from alerts.anomaly.backtesting.model import Backtest
from alerts.anomaly.backtesting.past import read_past, warm_up
from alerts.anomaly.backtesting.replaying import backtest, panel_of
from alerts.anomaly.calendars.model import Calendars
from alerts.anomaly.detector.model import Grid
from alerts.anomaly.explaining.asking import explain
from alerts.anomaly.feedback.saying import feedback_of
from alerts.anomaly.model import AnomalyDetector, Grouping
from alerts.anomaly.scoring.past import Rulings
from alerts.anomaly.scoring.phase_table import phase_table
from controlplane.calendar.zones import zone
from controlplane.model.anomaly import Verdict
from controlplane.store import migrate, open_store
from tests.alerts.anomaly.scoring import test_costs
from tests.alerts.anomaly.scoring.running import Running, kept
from tests.alerts.anomaly.scoring.worlds import DELAY, EPOCH, PER_DAY, STEP, World, detector, moment, seasonal

NOW = 42 * PER_DAY
UTC_ALONE = Rulings(zone("UTC"), Calendars(zone("UTC")))


def troubled() -> World:
    """One service is six times as busy for four hours, another is silent for eight."""
    world = seasonal(days=44)
    world.values[1, NOW + 4 : NOW + 8] *= 6
    world.values[2, NOW + 10 : NOW + 18] = np.nan
    return world


def a_backtest(world: World, of: AnomalyDetector, rulings: Rulings = UTC_ALONE, end: int = NOW + 24) -> Backtest:
    start = moment(NOW) - DELAY
    past = read_past(world, of, start - warm_up(of), moment(end) - DELAY)
    return backtest(of, past, start, rulings)


@pytest.mark.parametrize("grouping", [None, Grouping((), "sum", Decimal("0.05"))], ids=["alone", "grouped"])
def test_it_tells_the_episodes_that_the_daemon_tells(grouping: Grouping | None, tmp_path: Path) -> None:
    url, of = f"sqlite:///{tmp_path}/state.db", detector(grouping=grouping)
    migrate(url)
    store = open_store(url)
    Running(store, troubled(), [of]).reach(NOW, NOW + 23)
    told, _ = kept(store)
    store.close()
    found = a_backtest(troubled(), of).episodes
    assert {each.kind for each in found} == {"point", "gap"}
    assert [_facts(each) for each in sorted(found, key=lambda it: it.id)] == [_facts(each) for each in told]


@pytest.mark.parametrize(("query", "told"), [("sum(rate(traffic[3h]))", False), ("traffic", True)])
def test_a_range_that_is_not_full_after_a_gap_is_no_anomaly_of_the_past(query: str, told: bool) -> None:
    world = seasonal(days=44)
    world.values[:, NOW + 2 : NOW + 8] = np.nan
    world.values[:, NOW + 8 : NOW + 11] *= np.array([0.02, 0.05, 0.1])
    assert bool(a_backtest(world, detector(query=query)).episodes) is told


def _facts(each: object) -> tuple[object, ...]:
    return tuple(getattr(each, name) for name in ("id", "series", "kind", "started_at", "ended_at", "worst_at"))


def test_figures_are_of_alarms_and_of_scored_time() -> None:
    found = a_backtest(troubled(), detector())
    assert (found.series, found.groups, len(found.alarms)) == (4, 0, 1)
    assert found.scored == timedelta(hours=4 * 24 - 8)
    assert found.alarms_per_series_month == pytest.approx(30.4375 * 24 / 88)
    assert found.open_time == timedelta(hours=4)
    text = as_text([found])
    assert "no samples" in text
    assert text.endswith("traffic: 1 alarm of 1 series, 8.3 a series and month; 4 h open in all.\n")
    assert as_json([found]).count('"kind": "gap"') == 1


def test_what_somebody_announced_is_not_told() -> None:
    said = feedback_of(
        detector="traffic", start=moment(NOW) - DELAY, end=moment(NOW + 9) - DELAY, verdict=Verdict.EXPECTED,
        actor="ada", said_at=moment(NOW - 1),
    )  # fmt: skip
    rulings = Rulings(UTC_ALONE.zone, UTC_ALONE.calendars, (said,))
    assert [each.kind for each in a_backtest(troubled(), detector(), rulings).episodes] == ["gap"]


def test_what_somebody_called_real_is_not_learnt_from() -> None:
    start = moment(NOW - 48) - DELAY
    said = feedback_of(
        detector="traffic",
        start=start,
        end=start + timedelta(hours=2),
        verdict=Verdict.REAL,
        actor="ada",
        said_at=start,
    )
    grid = Grid((start - EPOCH) // STEP - 2, STEP, 6)
    table = phase_table(grid, UTC_ALONE.zone, {})
    rulings = Rulings(UTC_ALONE.zone, UTC_ALONE.calendars, (said,))
    panel = panel_of(grid, np.zeros((1, 6), dtype=np.float32), ["{}"], [{}], rulings, table)
    assert panel.fitted is not None
    assert panel.fitted.tolist() == [[True, True, False, False, True, True]]


def test_nothing_to_score_is_told_as_that() -> None:
    world = World([{"service": "new"}], np.full((1, 44 * PER_DAY), np.nan))
    found = a_backtest(world, detector())
    assert (found.series, found.episodes, found.alarms_per_series_month) == (0, (), None)
    assert "nothing could be scored" in as_text([found])


def test_daily_costs_are_replayed_from_their_ledger() -> None:
    bills = test_costs.bills()
    bills.spent["web"][230] *= 3
    of = test_costs.costly()
    assert isinstance(of, AnomalyDetector)
    at = datetime.combine(test_costs.FIRST + timedelta(days=230), datetime.min.time(), UTC)
    labels = {"currency": "USD", "service": "web"}
    told = explain(troubled(), of, labels, at, lambda *_: UTC_ALONE, lambda kind: bills)
    assert told is not None
    assert (told.would_alert, told.open_since, told.facts.baseline, len(told.earlier)) == (True, at, "cost", 4)
    assert explain(troubled(), of, labels, at, lambda *_: UTC_ALONE) is None
