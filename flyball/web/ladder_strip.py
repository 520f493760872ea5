"""A ladder's tiers over time as places on a drawing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from controlplane import wording
from controlplane.model.ladder import StepOutcome, StepRecord

_NARROWEST: Final = 0.5  # per cent of the drawing: two pixels on a phone, so that minutes of a month are seen


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in one tier. `x`, `width` and `height` are per cent of the drawing; `told` says it in words.

    `begins`: service was full before it.
    """

    tier: int
    start: datetime
    end: datetime
    x: str
    width: str
    height: str
    told: str
    begins: bool


def stretches(steps: Sequence[StepRecord], tier: int, top: int, start: datetime, end: datetime) -> list[Stretch]:
    """The tiers above 0 from `start` to `end`, oldest first. `steps` are those since then, `tier` the one in force."""
    spans = list(_spans(steps, tier, start, end))
    whole = (end - start).total_seconds()
    found = []
    for (number, since, until), before in zip(spans, (0, *(span[0] for span in spans)), strict=False):
        width = max((until - since).total_seconds() / whole * 100, _NARROWEST)
        if number > 0:
            x = min((since - start).total_seconds() / whole * 100, 100 - width)
            height = f"{number / max(top, number) * 100:.1f}"
            told = f"tier {number} from {wording.utc(since)} for {wording.duration(until - since)}"
            found.append(Stretch(number, since, until, f"{x:.3f}", f"{width:.3f}", height, told, not before))
    return found


def _spans(
    steps: Sequence[StepRecord], tier: int, start: datetime, end: datetime
) -> Iterator[tuple[int, datetime, datetime]]:
    """Tiers with their times, oldest first; steps that were undone left the tier where it was."""
    moved = sorted(
        (
            (step.ended_at, step)
            for step in steps
            if step.outcome is StepOutcome.COMMITTED and step.ended_at is not None
        ),
        key=lambda each: each[0],
    )
    since, current = start, moved[0][1].from_tier if moved else tier
    for at, step in moved:
        if at > since:
            yield current, since, min(at, end)
        since, current = max(at, start), step.to_tier
    if since < end:
        yield current, since, end
