"""Measure a detector on generated faults: what is found, how soon, and what is told of nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from alerts.anomaly.detector.history import score_history
from alerts.anomaly.detector.model import Booleans, Floats, Grid, Panel, Phases
from alerts.anomaly.detector.phases import phases
from alerts.anomaly.detector.utc import plain_phases
from alerts.anomaly.faults.clock import local_time
from alerts.anomaly.faults.families import FAMILIES
from alerts.anomaly.faults.generating import BEFORE_WINTER, ZONE, draw, quiet_steps, with_deployments
from alerts.anomaly.faults.judging import MONTH, Verdict, added, best_threshold, candidates, judged, runs
from alerts.anomaly.faults.model import Drawn, Family, Fault, Harmless
from alerts.anomaly.faults.peers import Z_WINDOWS, grafana_adaptive, rolling_z

OURS: Final = ("point", "sustained")
GRACE: Final = timedelta(minutes=15)
"""An alarm so soon after a fault still belongs to it."""
MERGE: Final = timedelta(hours=1)
AFTERMATH: Final = timedelta(days=2)
"""How long a fault can echo: a band that it poisoned, a return to normal that looks odd."""
WARM_UP: Final = timedelta(days=7)
"""False alarms are counted after it."""
HOLIDAY: Final = date(2026, 6, 4)  # a Thursday of the fifth week, and one indeed
_CLOCKS_TURNED: Final = date(2026, 10, 25)

Advance = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Found:
    """One fault by one detector. Delays are of those found; `after` are alarms a series in the two days after it."""

    share: float
    median: timedelta | None
    nine_of_ten: timedelta | None
    after: float


@dataclass(frozen=True, slots=True)
class Quiet:
    """What one detector does where nothing is wrong, and on all faults together."""

    false_a_month: float  # alarms a series and 30 days, outside faults and their two days after
    f1: float
    precision: float
    recall: float
    threshold: float  # that of a peer is the best on these series


@dataclass(frozen=True, slots=True)
class Calm:
    """Something harmless: shares of stretches that have an alarm of `point`, knowing of it or not.

    `usual`: the share of stretches as long, a week earlier, that have one.
    """

    unaware: float
    aware: float
    usual: float


@dataclass(frozen=True, slots=True)
class Measured:
    """The whole table: by fault and detector, by detector, by what is harmless, and by family (of `point`)."""

    series: int
    seed: int
    step: timedelta
    faults: Mapping[Fault, Mapping[str, Found]]
    quiet: Mapping[str, Quiet]
    harmless: Mapping[Harmless, Calm]
    families: Mapping[str, Quiet]


@dataclass(frozen=True, slots=True)
class _Row:
    """One series with its fault, and scores of it by detector; over 1, or over the peer's threshold, is an alarm."""

    fault: Fault
    family: str
    faulty: Booleans
    scores: Mapping[str, Floats]


def measure(
    series: int,
    seed: int,
    step: timedelta,
    advance: Advance = lambda _: None,
    *,
    faults: Sequence[Fault] = tuple(Fault),
    harmless: Sequence[Harmless] = tuple(Harmless),
) -> Measured:
    """So many series of each fault, over all families that know it. The same seed draws the same series."""
    random = np.random.default_rng(seed)
    rows = [row for fault in faults for row in _of_fault(random, fault, series, step, advance)]
    thresholds = _thresholds(rows, step)
    by_fault = {fault: [row for row in rows if row.fault is fault] for fault in faults}
    found = {
        fault: {name: _found(those, name, at, step) for name, at in thresholds.items()}
        for fault, those in by_fault.items()
        if those
    }
    quiet = {name: _quiet(rows, name, at, step) for name, at in thresholds.items()}
    families = {
        each.name: _quiet([row for row in rows if row.family == each.name], OURS[0], 1, step) for each in FAMILIES
    }
    calm = {each: _calm(random, each, series, step, advance) for each in harmless}
    return Measured(series, seed, step, found, quiet, calm, families)


def labels(
    series: int, faults: Sequence[Fault] = tuple(Fault), harmless: Sequence[Harmless] = tuple(Harmless)
) -> Iterator[str]:
    """What `measure` tells its progress of, in order."""
    for fault in faults:
        yield from (f"{fault.value}: {family.name}" for family, _ in _shared(series, fault))
    yield from (f"{each.value}: {family.name}" for each in harmless for family, _ in _shared(series, None))


def _shared(series: int, fault: Fault | None) -> list[tuple[Family, int]]:
    """Families that know the fault, and how many series of each."""
    able = [each for each in FAMILIES if fault is None or fault in each.faults]
    return [
        (family, number)
        for place, family in enumerate(able)
        if (number := series // len(able) + (place < series % len(able)))
    ]


def _of_fault(
    random: np.random.Generator, fault: Fault, series: int, step: timedelta, advance: Advance
) -> Iterator[_Row]:  # fmt: skip
    for family, number in _shared(series, fault):
        advance(f"{fault.value}: {family.name}")
        drawn = draw(random, family, fault, number, step)
        scores = _scores(drawn, plain_phases(drawn.grid))
        for row in range(number):
            yield _Row(fault, family.name, drawn.faulty[row], {name: each[row] for name, each in scores.items()})


def _scores(drawn: Drawn, lags: Phases) -> dict[str, Floats]:
    found = score_history(Panel(drawn.values, drawn.grid, lags), drawn.family.terms)
    alarms = grafana_adaptive(drawn.values, drawn.grid.step)
    return {
        OURS[0]: found.score,
        OURS[1]: found.sustained_score,
        **{f"z-score, {_hours(each)}": rolling_z(drawn.values, each // drawn.grid.step) for each in Z_WINDOWS},
        "Grafana, adaptive": np.where(alarms, 2, 0).astype(np.float32),
    }


def _hours(length: timedelta) -> str:
    return f"{length // timedelta(hours=1)} h"


def _thresholds(rows: Sequence[_Row], step: timedelta) -> dict[str, float]:
    """1 of ours and of bands; of the z-scores the best on these series, which is kind to them."""
    found = {}
    for name in rows[0].scores:
        found[name] = 1.0
        if name.startswith("z-score"):
            begin = WARM_UP // step
            scores, faulty = [row.scores[name][begin:] for row in rows], [row.faulty[begin:] for row in rows]
            found[name] = best_threshold(
                scores, faulty, grace=GRACE // step, merge=MERGE // step, thresholds=candidates(scores, 40)
            )[0]  # fmt: skip
    return found


def _found(rows: Sequence[_Row], name: str, threshold: float, step: timedelta) -> Found:
    verdict = added(_judged(row, name, threshold, step) for row in rows)
    after = [len(runs(_aftermath(row, step) & (row.scores[name] > threshold), MERGE // step)) for row in rows]
    middle, late = (_delay(verdict, share, step) for share in (0.5, 0.9))
    return Found(verdict.recall, middle, late, float(np.mean(after)))


def _judged(row: _Row, name: str, threshold: float, step: timedelta) -> Verdict:
    """What happens in the two days after a fault is told apart: it counts neither way."""
    alarms = (row.scores[name] > threshold) & ~_aftermath(row, step)
    begin = WARM_UP // step
    return judged(alarms[begin:], row.faulty[begin:], grace=GRACE // step, merge=MERGE // step)


def _aftermath(row: _Row, step: timedelta) -> Booleans:
    found = np.zeros_like(row.faulty)
    for _, stop in runs(row.faulty):
        begin = stop + GRACE // step
        found[begin:] = True  # a level shift stays: nothing after it is as before
        if row.fault is not Fault.LEVEL_SHIFT:
            found[begin + AFTERMATH // step :] = False
    return found


def _delay(verdict: Verdict, share: float, step: timedelta) -> timedelta | None:
    return float(np.quantile(verdict.delays, share, method="higher")) * step if verdict.delays else None


def _quiet(rows: Sequence[_Row], name: str, threshold: float, step: timedelta) -> Quiet:
    verdict = added(_judged(row, name, threshold, step) for row in rows)
    begin = WARM_UP // step
    free = sum(int((~row.faulty & ~_aftermath(row, step))[begin:].sum()) for row in rows) * step
    false = verdict.false / (free / MONTH) if free else float("nan")
    return Quiet(false, verdict.f1, verdict.precision, verdict.recall, threshold)


def _calm(random: np.random.Generator, kind: Harmless, series: int, step: timedelta, advance: Advance) -> Calm:
    shares: list[tuple[float, float, float, int]] = []
    for family, number in _shared(series, None):
        advance(f"{kind.value}: {family.name}")
        shares.append((*_calm_shares(*_harmless(random, kind, family, number, step)), number))
    weights = [each[-1] for each in shares]
    return Calm(*(float(np.average([each[part] for each in shares], weights=weights)) for part in range(3)))


def _harmless(
    random: np.random.Generator, kind: Harmless, family: Family, number: int, step: timedelta
) -> tuple[Drawn, Booleans, Panel]:
    """Series, the harmless stretches (S, T) of them, and the panel of a detector that knows of these."""
    zone = ZoneInfo(ZONE)
    if kind is Harmless.DEPLOYMENT:
        drawn = with_deployments(random, draw(random, family, None, number, step))
        return drawn, drawn.faulty, Panel(drawn.values, drawn.grid, plain_phases(drawn.grid), ~drawn.faulty)
    if kind is Harmless.DST_DAY:
        drawn = draw(random, family, None, number, step, begin=BEFORE_WINTER)
        there = _days(drawn.grid, _CLOCKS_TURNED, 2)
        return drawn, np.repeat(there[None], number, axis=0), Panel(drawn.values, drawn.grid, phases(drawn.grid, zone))
    drawn = draw(random, family, None, number, step, holidays=(HOLIDAY,))
    there = _days(drawn.grid, HOLIDAY, 1)
    lags = phases(drawn.grid, zone, {HOLIDAY: 6})
    return drawn, np.repeat(there[None], number, axis=0), Panel(drawn.values, drawn.grid, lags, ~there[None])


def _days(grid: Grid, first: date, number: int) -> Booleans:
    """Steps of so many local days."""
    day = local_time(grid, ZONE).day - (first - date(1970, 1, 1)).days
    return np.asarray((day >= 0) & (day < number))


def _calm_shares(drawn: Drawn, there: Booleans, knowing: Panel) -> tuple[float, float, float]:
    unaware = score_history(Panel(drawn.values, drawn.grid, plain_phases(drawn.grid)), drawn.family.terms).score > 1
    aware = score_history(knowing, drawn.family.terms).score > 1
    week = drawn.grid.per_day * 7
    before = np.roll(there, -week, axis=1)
    before[:, -week:] = False
    before &= ~there
    late = np.arange(drawn.grid.count) >= quiet_steps(drawn.grid) // 2
    return _hit(unaware, there & late), _hit(aware, there & late), _hit(aware, before & late)


def _hit(alarms: Booleans, where: Booleans) -> float:
    """The share of stretches with an alarm in them."""
    hits = [
        bool(row[start:stop].any()) for row, spots in zip(alarms, where, strict=True) for start, stop in runs(spots)
    ]
    return float(np.mean(hits)) if hits else float("nan")
