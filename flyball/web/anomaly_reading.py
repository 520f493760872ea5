"""What Prometheus knows of detectors and their series: questions, and their answers as figures. Pure but for asking."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from controlplane import anomaly_names as names
from controlplane.model.series import Sample, Series
from controlplane.ports import MetricsBackend
from flyball.web.anomaly_charts import Course
from flyball.web.anomaly_series import labels_of, selector, series_text

POINTS: Final = 300  # of a chart, about
_MISSING, _WARMING = -2.0, -1.0  # in the place of a score
_OF_SCRAPE: Final = "instance, job"
_HEALTH: Final = (names.SCORED_AT, names.FITTED_AT, names.SERIES, names.FAILING)
_COURSE: Final = (names.VALUE, names.EXPECTED, names.LOWER, names.UPPER, names.SCORE)
_FIGURES: Final = (*_COURSE, names.SUSTAINED_SCORE, names.MATURITY, names.HISTORY, names.COVERAGE, names.GAP)
_ROW: Final = (names.VALUE, names.EXPECTED, names.LOWER, names.UPPER)
_DAYS, _WEEKS = 7, 4
_HOUR: Final = timedelta(hours=1)
_ONE_OF: Final = "__name__=~"


@dataclass(frozen=True, slots=True)
class Health:
    """One detector. `series` by state; times None where nothing was told."""

    scored_at: datetime | None = None
    fitted_at: datetime | None = None
    series: Mapping[str, int] = field(default_factory=dict)
    is_failing: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """One series of a detector, without its figures. `score` is None while it is not scored."""

    text: str
    labels: Mapping[str, str]
    score: float | None
    is_missing: bool = False


@dataclass(frozen=True, slots=True)
class Earlier:
    """The same time of an earlier day, by the clock on the wall."""

    at: datetime
    value: float | None
    is_weekly: bool


def fetch_health(backend: MetricsBackend, now: datetime) -> dict[str, Health]:
    """Every detector that told of itself in the last five minutes."""
    found: dict[str, dict[str, float]] = {}
    series: dict[str, dict[str, int]] = {}
    for sample in backend.query(f'{{{_ONE_OF}"{"|".join(_HEALTH)}"}}', now):
        detector, metric = sample.labels.get(names.DETECTOR, ""), sample.labels.get("__name__", "")
        if metric == names.SERIES:
            of = series.setdefault(detector, {})
            state = sample.labels.get(names.STATE, "")
            of[state] = max(of.get(state, 0), int(sample.value) if math.isfinite(sample.value) else 0)
        else:
            known = found.setdefault(detector, {})
            known[metric] = max(known.get(metric, 0.0), sample.value)
    return {name: _health(found.get(name, {}), series.get(name, {})) for name in found.keys() | series.keys()}


def _health(known: Mapping[str, float], series: Mapping[str, int]) -> Health:
    return Health(
        _time(known.get(names.SCORED_AT)), _time(known.get(names.FITTED_AT)), series, known.get(names.FAILING, 0) > 0
    )


def fetch_listed(backend: MetricsBackend, detector: str, now: datetime) -> list[Listed]:
    """Every series of a detector, the most unusual first; in one question, 10,000 samples at most."""
    of = selector(detector, {})
    score = f"max without ({_OF_SCRAPE}) ({names.SCORE}{{{of}}})"
    unscored = f"({_WARMING:g} - max without ({_OF_SCRAPE}) ({names.GAP}{{{of}}}))"
    found = [_listed(sample) for sample in backend.query(f"{score} or {unscored}", now)]
    return sorted(found, key=lambda each: (-(each.score if each.score is not None else -1.0), each.text))


def _listed(sample: Sample) -> Listed:
    labels = labels_of(sample.labels)
    score = sample.value if math.isfinite(sample.value) and sample.value >= 0 else None
    return Listed(series_text(labels), labels, score, sample.value <= _MISSING)


def fetch_figures(
    backend: MetricsBackend, detector: str, rows: Sequence[Listed], others: Iterable[str], now: datetime
) -> dict[str, dict[str, float]]:
    """Value, expected value and edges of some series, by the series' text and the metric's name."""
    asked = "|".join(_ROW)
    every = tuple(others)
    expr = " or ".join(f'{{{_ONE_OF}"{asked}",{selector(detector, row.labels, every)}}}' for row in rows)
    return _by_series(backend.query(expr, now)) if rows else {}


def fetch_all_figures(
    backend: MetricsBackend, detector: str, labels: Mapping[str, str], others: Iterable[str], now: datetime
) -> tuple[dict[str, float], str]:
    """Everything about one series by the metric's name, and the word of its baseline."""
    of = selector(detector, labels, others)
    asked = "|".join((*_FIGURES, names.CHOSEN_BASELINE))
    answer = backend.query(f'{{{_ONE_OF}"{asked}",{of}}}', now)
    told = [each for each in answer if each.labels.get("__name__") == names.CHOSEN_BASELINE]
    rest = [each for each in answer if each.labels.get("__name__") != names.CHOSEN_BASELINE]
    baseline = next((each.labels.get(names.BASELINE, "") for each in told if each.value > 0), "")
    return _by_series(rest).get(series_text(labels), {}), baseline


def _by_series(samples: Iterable[Sample]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for sample in samples:
        if not math.isnan(sample.value):
            metric = sample.labels.get("__name__", "")
            found.setdefault(series_text(labels_of(sample.labels)), {})[metric] = sample.value
    return found


def step_of(length: timedelta, step: timedelta) -> timedelta:
    """How far points of a chart are apart: whole steps of the detector, so that there are about 300 of them."""
    return max(-(-length // POINTS // step), 1) * step


def fetch_course(
    backend: MetricsBackend,
    detector: str,
    labels: Mapping[str, str],
    others: Iterable[str],
    *,
    start: datetime,
    end: datetime,
    step: timedelta,
) -> Course:
    """A series from start to end, each point at the step that it is about: what a scrape tells is that old."""
    of, asked = selector(detector, labels, others), "|".join(_COURSE)
    answer = backend.query_range(f'{{{_ONE_OF}"{asked}",{of}}}', start, end, step)
    told = backend.query_range(f"max({names.SCORED_AT}{{{selector(detector, {})}}})", start, end, step)
    about = {at: scored for series in told for at, value in series.points if (scored := _time(value)) is not None}
    columns = _columns(answer, series_text(labels))
    known = sorted({at for column in columns.values() for at in column})
    by_step = {about.get(at, at): at for at in known}  # of two that tell of one step, the later
    places = sorted(by_step.items())

    def column(metric: str) -> tuple[float | None, ...]:
        return tuple(columns.get(metric, {}).get(at) for _, at in places)

    return Course(step, tuple(at for at, _ in places), *(column(metric) for metric in _COURSE))


def _columns(answer: Iterable[Series], text: str) -> dict[str, dict[datetime, float]]:
    found: dict[str, dict[datetime, float]] = {}
    for series in answer:
        if series_text(labels_of(series.labels)) == text:
            column = found.setdefault(series.labels.get("__name__", ""), {})
            column.update({at: value for at, value in series.points if not math.isnan(value)})
    return found


def fetch_earlier(
    backend: MetricsBackend, detector: str, labels: Mapping[str, str], others: Iterable[str], at: datetime, zone: str
) -> tuple[Earlier, ...]:
    """What the series was at the same time by the clock of the last seven days and four weeks, nearest first.

    `at` is when that was told. Clocks that change by whole hours do no harm.
    """
    begin = at - timedelta(days=_WEEKS * 7 + 1)
    of = selector(detector, labels, others)
    answer = backend.query_range(f"{names.VALUE}{{{of}}}", begin, at - _HOUR, _HOUR)
    known = _columns(answer, series_text(labels)).get(names.VALUE, {})
    wall = at.astimezone(ZoneInfo(zone))
    found = []
    for days in (*range(1, _DAYS + 1), *(7 * week for week in range(2, _WEEKS + 1))):
        then = (wall - timedelta(days=days)).astimezone(UTC)  # the clock's arithmetic, then the offset of that day
        nearest = min(known, key=lambda it: abs(it - then), default=None)
        is_known = nearest is not None and abs(nearest - then) < _HOUR / 2
        found.append(Earlier(then, known[nearest] if is_known and nearest else None, days >= _DAYS))
    return tuple(found)


def _time(value: float | None) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if value and math.isfinite(value) else None
