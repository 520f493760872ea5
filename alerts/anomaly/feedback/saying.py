"""Feedback as it is given: its id, what follows from the verdict, the event."""

import hashlib
from datetime import datetime
from typing import Final

from controlplane import anomaly_names as names
from controlplane import conventions
from controlplane.model.anomaly import Episode, Feedback, Verdict
from controlplane.model.event import JSON, Event

LONGEST_NOTE: Final = 1000
_ID_DIGITS: Final = 16


def feedback_of(
    *,
    detector: str,
    start: datetime,
    end: datetime,
    verdict: Verdict,
    actor: str,
    said_at: datetime,
    series: str = "",
    is_learnt: bool | None = None,
    note: str = "",
) -> Feedback:
    """What somebody says of [start, end) of a series (empty: of all). `is_learnt` None: expected yes, real no.

    The id is made of all but the note, so that the same request sent twice is kept once, while the same words said
    later count anew. Raises `ValueError` for a time that does not end after its start.
    """
    if end <= start:
        raise ValueError("the time must end after it starts")
    learnt = verdict is Verdict.EXPECTED if is_learnt is None else is_learnt
    times = (each.isoformat() for each in (start, end, said_at))
    parts = (detector, series, verdict.value, str(learnt), actor, *times)
    identity = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_ID_DIGITS]
    return Feedback(identity, detector, series, start, end, verdict, learnt, actor, said_at, note[:LONGEST_NOTE])


def feedback_on(
    episode: Episode, verdict: Verdict, *, actor: str, said_at: datetime, is_learnt: bool | None = None, note: str = ""
) -> Feedback:
    """What somebody says of an episode: of its whole time, of an open one up to now."""
    end = said_at if episode.ended_at is None else episode.ended_at
    return feedback_of(
        detector=episode.detector,
        series=episode.series,
        start=episode.started_at,
        end=end,
        verdict=verdict,
        actor=actor,
        said_at=said_at,
        is_learnt=is_learnt,
        note=note,
    )


def event_of(feedback: Feedback, *, service: str = "") -> Event:
    """What the other features are told."""
    data: dict[str, JSON] = {
        "detector": feedback.detector,
        "verdict": feedback.verdict.value,
        "is_learnt": feedback.is_learnt,
        "start": feedback.start.isoformat(),
        "end": feedback.end.isoformat(),
        "actor": feedback.actor,
        "note": feedback.note,
    }
    subject = f"{feedback.detector}{feedback.series}"[:500]
    if service:
        data[conventions.SERVICE] = service
    return Event(f"{names.EVENT_FEEDBACK}:{feedback.id}", names.EVENT_FEEDBACK, subject, feedback.said_at, data)
