"""What pages say of anomalies: states, kinds, sentences. Plain words, no blame."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from controlplane import anomaly_names as names
from controlplane import wording
from controlplane.model.anomaly import Episode, Feedback, Verdict
from flyball.web.anomaly_charts import edge, figure
from flyball.web.anomaly_reading import Health, Listed

if TYPE_CHECKING:
    from alerts.anomaly.model import AnomalyDetector

MOST_OPEN: Final = 1000  # of all detectors are read: what is beyond is not counted
STALE_STEPS: Final = 3  # a step is scored when it has ended, and is the newest one until the next has
STALE_DAYS: Final = 5  # bills come late: as `AnomalyDetectorStale` has it
STALE_AFTER: Final = timedelta(minutes=5)
LEAST_COVERAGE: Final = 0.5
_MOST_RARITY: Final = 6.0
_COMMON: Final = 2  # rarer than every other value
_KINDS: Final = {
    "point": "unusual values",
    "sustained": "unusual for long",
    "level_shift": "a new level",
    "gap": "samples missing",
}
_VERDICTS: Final = {Verdict.EXPECTED: "expected", Verdict.REAL: "something was wrong"}
_MATURITY: Final = (
    "nothing is known of it yet",
    "less than a day is known: it is compared with its level, and nobody is alerted",
    "days are known: it is compared with the same time on earlier days",
    "weeks are known: it is compared with the same time in earlier weeks, too",
)
_BASELINES: Final = {
    "level": "the level of the past day",
    "daily": "the same time on earlier days",
    "weekly": "the same time in earlier weeks",
    "cost": "trend, weekday and end of month",
}
_WATCHED: Final = {"both": "both directions", "above": "what is above", "below": "what is below"}


def kind(episode: Episode) -> str:
    """What opened it."""
    return _KINDS.get(episode.kind, episode.kind)


def lasted(episode: Episode, now: datetime) -> str:
    """How long it went on."""
    return wording.duration(max((episode.ended_at or now) - episode.started_at, timedelta(0)))


def number(value: Decimal | None, unit: str = "") -> str:
    """A figure of an episode."""
    return figure(None if value is None else float(value), unit)


def usual(lower: float | Decimal | None, upper: float | Decimal | None, unit: str = "") -> str:
    """The band in words: `80 to 120/s`, `at most 120/s`, empty where it is not known."""
    if lower is None or upper is None:
        return ""
    low, high = float(lower), float(upper)
    if math.isinf(low) and math.isinf(high):
        return "anything"
    if math.isinf(low):
        return f"at most {edge(high, unit)}"
    return f"at least {edge(low, unit)}" if math.isinf(high) else f"{edge(low)} to {edge(high, unit)}"


def unit_of(detector: AnomalyDetector) -> str:
    """What stands behind its figures."""
    if detector.cost is not None:
        return f" {detector.cost.currency}" if detector.cost.currency else ""
    return "/s" if detector.values.value == "counter" else ""


def watched(detector: AnomalyDetector) -> str:
    """What it watches, in a line."""
    return f"daily {detector.cost.ledger.value} spend" if detector.cost is not None else detector.query


def terms(detector: AnomalyDetector) -> str:
    """How it judges, in a line."""
    season = detector.season
    seasons = [word for word, is_on in (("days", season.daily), ("weeks", season.weekly)) if is_on]
    compared = f"compared with {' and '.join(seasons)} in {season.time_zone}" if seasons else "compared with its level"
    return (
        f"Every {wording.duration(detector.step)}, {compared}, {_WATCHED[detector.direction.value]}, "
        f"{detector.sensitivity.value} sensitivity"
    )


def detector_state(detector: AnomalyDetector, health: Health | None, opened: int, now: datetime) -> tuple[str, str]:
    """The shape and the word of a detector."""
    if health is None or (health.scored_at is None and not health.series):
        return "no_data", "not heard of"
    if health.is_failing:
        return "ticket", "cannot be read"
    steps = STALE_STEPS if detector.cost is None else STALE_DAYS
    if health.scored_at is not None and now - health.scored_at > max(steps * detector.step, STALE_AFTER):
        return "stale", "stands still"
    if opened:
        return ("page" if detector.severity == "page" else "ticket"), f"{opened:,} open"
    return ("ok", "usual") if health.series.get("scored") else ("partial", "warming up")


def series_state(row: Listed, opened: Collection[str], severity: str) -> tuple[str, str]:
    """The shape and the word of a series; `opened`: the kinds of its open anomalies."""
    mark = "page" if severity == "page" else "ticket"
    if opened:
        return mark, "missing" if set(opened) == {"gap"} else "anomalous"
    if row.is_missing:
        return "no_data", "missing"
    if row.score is None:
        return "partial", "not scored"
    return ("over", "outside") if row.score > 1 else ("ok", "usual")


def summary(detectors: int, opened: int, failing: int) -> str:
    """How the whole stands, in a sentence; empty when nothing is declared."""
    if not detectors:
        return ""
    more = "At least " if opened >= MOST_OPEN else ""
    said = f"{more}{opened:,} anomalies are open." if opened else "Nothing unusual is open."
    said = "1 anomaly is open." if opened == 1 else said
    if failing:
        return f"{said} {failing:,} of {detectors:,} detectors cannot be relied on now."
    return f"{said} {'The one detector keeps' if detectors == 1 else f'All {detectors:,} detectors keep'} up."


def standing(figures: Mapping[str, float], unit: str) -> str:
    """How one series stands, in a sentence or two."""
    value, score = figures.get(names.VALUE), figures.get(names.SCORE)
    if value is None:
        return "No sample has come lately." if figures.get(names.GAP) else "Nothing was scored lately."
    band = usual(figures.get(names.LOWER), figures.get(names.UPPER), unit)
    if score is None:
        return f"It is {figure(value, unit)}. It is not scored now: {_why_unscored(figures)}."
    if score <= 1:
        return f"It is {figure(value, unit)}, as usual{f' ({band})' if band else ''}."
    expected = figures.get(names.EXPECTED)
    above = "above" if expected is not None and value > expected else "below"
    return (
        f"It is {figure(value, unit)}, {above} what is usual ({band}): {figure(score)} times as far off as what is "
        "anomalous."
    )


def _why_unscored(figures: Mapping[str, float]) -> str:
    coverage = figures.get(names.COVERAGE)
    if coverage is not None and coverage < LEAST_COVERAGE:
        return f"of the past day {wording.percent(coverage)} of the samples came, and half of them are needed"
    return maturity(figures)


def maturity(figures: Mapping[str, float]) -> str:
    """How much past there is, in words."""
    code = int(figures.get(names.MATURITY, 0))
    return _MATURITY[code] if 0 <= code < len(_MATURITY) else ""


def baseline(word: str) -> str:
    """What a series is compared with, in words; empty where it is compared with nothing."""
    return _BASELINES.get(word, word)


def said_of(episode: Episode, said: tuple[Feedback, ...]) -> Feedback | None:
    """The newest word on an episode's time."""
    end = episode.ended_at
    for each in said:
        if each.end > episode.started_at and (end is None or each.start < end):
            return each
    return None


def verdict(feedback: Feedback) -> str:
    """What was said, and what follows."""
    learnt = "learnt from" if feedback.is_learnt else "not learnt from"
    return f"{_VERDICTS[feedback.verdict]}, {learnt}"


def ratio(value: float | None) -> str:
    """Of a bar of rarity: its length of four, in per cent."""
    return f"{min(max(value or 0.0, 0.0), 4.0) / 4 * 100:.1f}"


def rarity(value: float | None) -> str:
    """A mean of −log10 p in words: `1 in 1,000`."""
    if value is None or math.isnan(value):
        return wording.MISSING
    odds = 10 ** min(max(value, 0.0), _MOST_RARITY)
    if odds < _COMMON:
        return "not rare"
    digits = 10 ** max(math.floor(math.log10(odds)) - 1, 0)
    return f"1 in {round(odds / digits) * digits:,}"
