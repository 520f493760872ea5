"""Detectors and episodes as tables of a terminal, and for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.anomaly.backtesting.as_json import episode_data
from alerts.anomaly.explaining.sentences import how_far, under_a_row
from alerts.anomaly.model import AnomalyDetector
from controlplane import wording
from controlplane.model.anomaly import Episode, Feedback

_KINDS: Final = {"point": "point", "sustained": "sustained", "level_shift": "new level", "gap": "no samples"}
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Listed:
    """A detector and what the store knows of it: `recent` episodes are those of the past week."""

    name: str
    title: str
    step: timedelta
    severity: str
    fitted_at: datetime | None
    open: int
    recent: int


def listed_data(each: Listed) -> dict[str, object]:
    """For `--json`."""
    return {
        "name": each.name,
        "title": each.title,
        "step_seconds": each.step.total_seconds(),
        "severity": each.severity,
        "fitted_at": None if each.fitted_at is None else f"{each.fitted_at:%Y-%m-%dT%H:%M:%SZ}",
        "open": each.open,
        "past_week": each.recent,
    }


def detectors_text(rows: Sequence[Listed]) -> str:
    """A row each."""
    width = max(len("DETECTOR"), *(len(each.name) for each in rows))
    lines = [f"{'DETECTOR':<{width}}  {'STEP':>7}  {'OPEN':>5}  {'7 DAYS':>6}  {'SEVERITY':<8}  FITTED (UTC)"]
    for each in rows:
        fitted = "not yet" if each.fitted_at is None else f"{each.fitted_at:%Y-%m-%d %H:%M}"
        step = wording.duration(each.step)
        lines.append(f"{each.name:<{width}}  {step:>7}  {each.open:>5}  {each.recent:>6}  {each.severity:<8}  {fitted}")
    return "\n".join(lines)


def episodes_text(episodes: Sequence[Episode], now: datetime) -> str:
    """Two lines each: what, and why."""
    lines = [f"{'STARTED (UTC)':<16}  {'FOR':>10}  {'KIND':<10}  {'SCORE':>6}  EPISODE           WHAT"]
    for each in episodes:
        length = wording.duration((each.ended_at or now) - each.started_at) + ("" if each.ended_at else "…")
        score = "" if each.score is None else how_far(float(each.score))
        lines.append(
            f"{each.started_at:%Y-%m-%d %H:%M}  {length:>10}  {_KINDS.get(each.kind, each.kind):<10}  {score:>6}  "
            f"{each.id:<16}  {each.detector}{each.series}"
        )
        lines += under_a_row(each.explanation)
    return "\n".join(lines)


def shown_text(
    row: Listed,
    detector: AnomalyDetector,
    open_now: Sequence[Episode],
    recent: Sequence[Episode],
    said: Sequence[Feedback],
    now: datetime,
) -> str:
    """A detector in full."""
    lines = [f"{row.title} ({row.name})", *_definition(detector), ""]
    fitted = "not yet" if row.fitted_at is None else wording.utc(row.fitted_at)
    lines.append(f"  fitted     {fitted}")
    lines.append(f"  open       {row.open}, past week {row.recent}")
    known = {each.id for each in open_now}
    shown = [*open_now, *(each for each in recent if each.id not in known)][:_SHOWN]
    if shown:
        lines += ["", episodes_text(shown, now)]
    if said:
        lines += ["", feedback_text(said[:_SHOWN])]
    return "\n".join(lines)


def _definition(detector: AnomalyDetector) -> Iterator[str]:
    yield f"  query      {' '.join(detector.query.split()) or 'daily costs'}"
    season = detector.season
    shapes = [name for name, has in (("daily", season.daily), ("weekly", season.weekly)) if has]
    step = wording.duration(detector.step)
    yield f"  step       {step}; {' and '.join(shapes) or 'no'} season in {season.time_zone}"
    outputs = " and ".join(each.value for each in detector.outputs)
    terms = f"{detector.direction.value}, {detector.sensitivity.value} sensitivity, {detector.severity}"
    yield f"  told       {outputs}, {terms}"
    opening = detector.opening
    yield f"  opens      {opening.steps} of {opening.of} steps; closes after {opening.close_after} quiet ones"
    if detector.grouping is not None:
        by = ", ".join(detector.grouping.by) or "all together"
        yield f"  groups     by {by}, {detector.grouping.aggregate}"


def shown_data(
    row: Listed,
    detector: AnomalyDetector,
    open_now: Sequence[Episode],
    recent: Sequence[Episode],
    said: Sequence[Feedback],
) -> dict[str, object]:
    """For `--json`."""
    return {
        **listed_data(row),
        "query": detector.query,
        "sensitivity": detector.sensitivity.value,
        "direction": detector.direction.value,
        "outputs": [each.value for each in detector.outputs],
        "time_zone": detector.season.time_zone,
        "open_episodes": [episode_data(each) for each in open_now],
        "episodes": [episode_data(each) for each in recent],
        "feedback": [feedback_data(each) for each in said],
    }


def feedback_text(said: Sequence[Feedback]) -> str:
    """What people said, a row each."""
    lines = [f"{'FEEDBACK':<16}  {'FROM (UTC)':<16}  {'UNTIL':<16}  {'VERDICT':<8}  {'LEARNT':<6}  WHAT"]
    for each in said:
        learnt = "yes" if each.is_learnt else "no"
        lines.append(
            f"{each.id:<16}  {each.start:%Y-%m-%d %H:%M}  {each.end:%Y-%m-%d %H:%M}  {each.verdict.value:<8}  "
            f"{learnt:<6}  {each.detector}{each.series or ' (all series)'}, by {each.actor}"
            + (f": {each.note}" if each.note else "")
        )
    return "\n".join(lines)


def feedback_data(each: Feedback) -> dict[str, object]:
    """For `--json`."""
    return {
        "id": each.id,
        "detector": each.detector,
        "series": each.series,
        "from": f"{each.start:%Y-%m-%dT%H:%M:%SZ}",
        "to": f"{each.end:%Y-%m-%dT%H:%M:%SZ}",
        "verdict": each.verdict.value,
        "is_learnt": each.is_learnt,
        "actor": each.actor,
        "said_at": f"{each.said_at:%Y-%m-%dT%H:%M:%SZ}",
        "note": each.note,
    }
