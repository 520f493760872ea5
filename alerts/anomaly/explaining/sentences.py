"""Short sentences for alerts, events, tables and pages: what it was, what was expected, how far off."""

import textwrap
from collections.abc import Sequence
from typing import Final

from controlplane import wording

_MOST_EARLIER: Final = 4
_BASELINES: Final = {
    "level": "the level of the past day",
    "daily": "the same time on earlier days",
    "weekly": "the same time in earlier weeks",
    "cost": "trend, weekday and end of month",
}


_SHORT: Final = {"level": "past day", "daily": "earlier days", "weekly": "earlier weeks", "cost": "trend, weekday"}
_INDENT: Final = " " * 18  # of what stands under a row of a table
_WIDTH: Final = 80
_FARTHEST: Final = 999


def how_far(score: float) -> str:
    """A score: `3.1×`; what was always the same has a band without width, and any change is `over 999×`."""
    return f"over {_FARTHEST}×" if score > _FARTHEST else wording.times(score)


def short_baseline(baseline: str) -> str:
    """What was compared with, for a column; empty where nothing was."""
    return _SHORT.get(baseline, "")


def under_a_row(text: str) -> list[str]:
    """A sentence in lines that stand under a row of a table, in 80 columns."""
    return textwrap.wrap(text, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT, break_on_hyphens=False)


def baseline_words(baseline: str) -> str:
    """What was compared with, in words; empty where nothing was."""
    return _BASELINES.get(baseline, "")


def episode_sentence(
    kind: str,
    *,
    value: float | None,
    expected: float | None,
    lower: float | None,
    upper: float | None,
    score: float | None,
    baseline: str = "",
    earlier: Sequence[float] = (),
) -> str:
    """At most about 250 characters. `kind` is that of `controlplane.model.anomaly.Episode`.

    `earlier` are values at the same phase of earlier days, the nearest first. What is None is left out.
    """
    if kind == "gap":
        return "No samples any more, where there used to be some."
    if value is None:
        return ""
    said = f"{wording.count(value)}"
    if expected is not None:
        said += f", {wording.count(expected)} expected"
    if lower is not None and upper is not None:
        said += f" ({wording.count(lower)} to {wording.count(upper)})"
    if score is not None and score > 1:
        said += f", {how_far(score)} what is usual at most"
    text = f"{said}."
    if kind == "level_shift":
        text = f"A new level: {text}"
    elif kind == "sustained":
        text = f"Off for longer: {text}"
    if earlier:
        values = ", ".join(wording.count(each) for each in earlier[:_MOST_EARLIER])
        text += f" Before, at the same time: {values}."
    elif words := baseline_words(baseline):
        text += f" Compared with {words}."
    return text
