"""Changes as what is kept and told: rows of the store, events for timelines and other features.

Ids are made from what they are about, so that a cycle that is repeated after a crash writes nothing twice.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import numpy as np

from alerts.anomaly.episodes.model import Change, EpisodeKind, Reason, What
from alerts.anomaly.episodes.state import EPOCH, FIGURES
from alerts.anomaly.model import AnomalyDetector, Values
from controlplane import anomaly_names as names
from controlplane import conventions
from controlplane.model import exact
from controlplane.model.anomaly import Episode
from controlplane.model.event import JSON, Event

_ID_DIGITS: Final = 16  # 64 bits: a million episodes share an id with a chance of 3 in 100 million
_DIGITS: Final = 12  # of a figure; what was a float32 keeps its own seven or so
_LONGEST_SUBJECT: Final = 500
_LONGEST_LABEL: Final = 200
_MOST_LABELS: Final = 30
_GROUP: Final = names.GROUP
_ENDINGS: Final = {
    Reason.UNKNOWN: "It ended without our seeing how: there was nothing to score any more.",
    Reason.GONE: "It ended because the series is gone.",
    Reason.EXPECTED: "It ended because somebody said that it was expected.",
}


@dataclass(frozen=True, slots=True)
class About:
    """Whose episodes they are. `title`: what people call it; `unit`: behind figures, such as `/s` or ` USD`."""

    detector: str
    title: str
    unit: str
    step: timedelta

    def time_of(self, index: int) -> datetime:
        """When a step begins, in UTC."""
        return EPOCH + index * self.step


def about_of(detector: AnomalyDetector) -> About:
    """As it is declared. Counters are rates a second."""
    unit = "/s" if detector.values is Values.COUNTER else ""
    if detector.cost is not None and detector.cost.currency:
        unit = f" {detector.cost.currency}"
    return About(detector.name, detector.display_name or detector.name, unit, detector.step)


def episode_id(detector: str, series: str, kind: EpisodeKind, started_at: datetime) -> str:
    """16 hexadecimal digits: there is one episode of a kind and series that starts at a time."""
    parts = (detector, series, kind.value, started_at.isoformat())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_ID_DIGITS]


def episode_of(
    change: Change, about: About, *, series: str, labels: Mapping[str, str], explanation: str = ""
) -> Episode:
    """The row to be kept, in place of the one that stands under its id.

    A level shift lasts one step. An ending that nobody has seen is told in the explanation.
    """
    started_at = about.time_of(change.started)
    said = (explanation, _ENDINGS.get(change.reason, "") if change.reason else "")
    return Episode(
        id=episode_id(about.detector, series, change.kind, started_at),
        detector=about.detector,
        series=series,
        labels=labels,
        kind=change.kind.value,
        started_at=started_at,
        ended_at=None if change.ended is None else about.time_of(change.ended),
        worst_at=about.time_of(change.worst_at),
        value=figure(change.value),
        expected=figure(change.expected),
        lower=figure(change.lower),
        upper=figure(change.upper),
        score=figure(change.score),
        explanation=" ".join(part for part in said if part),
    )


def ended_episode(episode: Episode, at: datetime, reason: Reason) -> Episode:
    """An open episode of the store that no series of ours belongs to any more (see `state.restored`), ended."""
    explanation = " ".join(part for part in (episode.explanation, _ENDINGS.get(reason, "")) if part)
    return replace(episode, ended_at=max(at, episode.started_at), explanation=explanation)


def figure(value: float | None) -> Decimal | None:
    """A figure as a decimal: of a float32 the digits that tell it from its neighbours, else twelve. None for NaN."""
    if value is None or not np.isfinite(value):
        return None
    single = np.float32(value) if abs(value) < float(np.finfo(np.float32).max) else np.float32(np.inf)
    text = str(single) if float(single) == value else f"{value:.{_DIGITS}g}"
    return Decimal(exact.plain(Decimal(text)))


def event_of(
    change: Change, episode: Episode, about: About, *, baseline: str = "", history: timedelta | None = None
) -> Event | None:
    """What the other features are told; None where it only got worse.

    It occurred at the end of the step by which it was noticed. `baseline` is a word (level, daily, weekly, cost),
    `history` the past that it rests on.
    """
    if change.what is What.WORSENED:
        return None
    kind = _event_kind(change)
    told: dict[str, JSON] = {
        "baseline": baseline,
        "history_seconds": None if history is None else str(int(history.total_seconds())),
        "reason": "" if change.reason is None else change.reason.value,
    }
    return _event(kind, episode, about, about.time_of(change.at + 1), told)


def ended_event(episode: Episode, about: About, at: datetime, reason: Reason) -> Event:
    """The event of `ended_episode`."""
    return _event(names.EVENT_ENDED, episode, about, at, {"reason": reason.value})


def _event_kind(change: Change) -> str:
    if change.what is What.CLOSED:
        return names.EVENT_ENDED
    kinds = {EpisodeKind.GAP: names.EVENT_GAP, EpisodeKind.LEVEL_SHIFT: names.EVENT_SHIFTED}
    return kinds.get(change.kind, names.EVENT_STARTED)


def _event(kind: str, episode: Episode, about: About, at: datetime, told: Mapping[str, JSON]) -> Event:
    labels: dict[str, JSON] = {
        name: text[:_LONGEST_LABEL] for name, text in sorted(episode.labels.items())[:_MOST_LABELS] if name != _GROUP
    }
    data: dict[str, JSON] = {
        "detector": about.detector,
        "title": about.title,
        "unit": about.unit,
        "episode": episode.id,
        "labels": labels,
        "output": episode.kind,
        "is_group": _GROUP in episode.labels,
        "started_at": episode.started_at.isoformat(),
        "ended_at": None if episode.ended_at is None else episode.ended_at.isoformat(),
        **{name: _text(getattr(episode, name)) for name in (*FIGURES, "score")},
        **told,
    }
    if service := episode.labels.get(conventions.SERVICE):
        data[conventions.SERVICE] = service[:_LONGEST_LABEL]
    subject = f"{about.detector}{episode.series}"[:_LONGEST_SUBJECT]
    return Event(f"{kind}:{episode.id}", kind, subject, at, data)


def _text(value: Decimal | None) -> JSON:
    return None if value is None else exact.plain(value)
