from datetime import timedelta

import numpy as np
import pytest

from alerts.anomaly.faults.clock import grid_from, local_time
from alerts.anomaly.faults.daily_costs import COST_FAMILIES, CostFault, draw_costs
from alerts.anomaly.faults.families import FAMILIES
from alerts.anomaly.faults.generating import BEFORE_WINTER, DAYS, ZONE, draw, quiet_steps, with_deployments
from alerts.anomaly.faults.injecting import inject
from alerts.anomaly.faults.judging import runs
from alerts.anomaly.faults.model import Family, Fault
from alerts.anomaly.model import Values

STEP = timedelta(minutes=15)


def _family(name: str) -> Family:
    return next(each for each in FAMILIES if each.name == name)


def test_the_same_seed_draws_the_same_series_and_another_one_others() -> None:
    first, again, other = (
        draw(np.random.default_rng(seed), FAMILIES[0], Fault.SPIKE, 2, STEP).values for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other, equal_nan=True)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_each_series_has_one_fault_after_four_quiet_weeks_and_values_that_can_be(family: Family) -> None:
    drawn = draw(np.random.default_rng(3), family, Fault.DROP, 3, STEP)
    assert drawn.values.shape == (3, DAYS * 96)
    assert not drawn.faulty[:, : quiet_steps(drawn.grid)].any()
    assert [len(runs(row)) for row in drawn.faulty] == [1, 1, 1]
    known = drawn.values[np.isfinite(drawn.values)]
    assert 0.95 < known.size / drawn.values.size < 1
    assert known.min() >= 0
    assert known.max() <= family.ceiling
    if family.terms.values is Values.COUNT:
        np.testing.assert_array_equal(known, np.round(known))


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.value)
def test_a_fault_changes_what_is_expected_where_it_is_labelled_and_nowhere_before(fault: Fault) -> None:
    family, grid = _family("request rate"), grid_from(BEFORE_WINTER, DAYS, STEP)
    course = family.planned(np.random.default_rng(4), local_time(grid, ZONE), 3)
    injected = inject(np.random.default_rng(4), course, family, fault, grid)
    changed = (injected.course.mean != course.mean) | (injected.unrest != 1)
    for row, (start, stop) in enumerate(runs(each)[0] for each in injected.faulty):
        assert not changed[row, :start].any()
        assert changed[row, start:stop].mean() > 0.5
        assert changed[row, stop:].any() == (fault is Fault.LEVEL_SHIFT)


def test_people_go_by_the_clock_on_the_wall() -> None:
    drawn = draw(np.random.default_rng(5), _family("office hours"), None, 4, STEP, begin=BEFORE_WINTER)
    summer, winter = (np.nanmedian(drawn.values[:, day * 96 : (day + 1) * 96], axis=0) for day in (25, 32))
    opens = [int(np.argmax(day > 0.5 * day.max())) for day in (summer, winter)]
    assert opens[1] - opens[0] == pytest.approx(4, abs=1)


def test_a_holiday_is_a_sunday_to_people() -> None:
    grid = grid_from(BEFORE_WINTER, 35, STEP)
    holiday = (BEFORE_WINTER + timedelta(days=10)).date()
    time = local_time(grid, "Europe/Berlin", (holiday,))
    assert time.weekday[10 * 96 + 48] == 6
    assert time.weekday[9 * 96 + 48] == 1


def test_deployments_dip_on_working_days_only() -> None:
    drawn = draw(np.random.default_rng(6), _family("latency"), None, 1, STEP)
    dipped = with_deployments(np.random.default_rng(6), drawn)
    days = {start // 96 for start, _ in runs(dipped.faulty[0])}
    assert days
    assert all(day % 7 < 5 and day >= 3 for day in days)


@pytest.mark.parametrize("fault", CostFault, ids=lambda fault: fault.value)
def test_a_bill_has_its_fault_late_and_none_without_one(fault: CostFault) -> None:
    family = next(each for each in COST_FAMILIES if each.weekends)
    costs = draw_costs(np.random.default_rng(7), family, fault, 3, 60)
    assert costs.values.shape == (3, 60)
    assert costs.faulty.any(axis=1).all()
    assert not costs.faulty[:, :25].any()
    assert not draw_costs(np.random.default_rng(7), family, None, 3, 60).faulty.any()
