"""Service level objectives, in a form that no dialect owns."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from controlplane.model.source import SourcePosition


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL as a user wrote it, and where it stands in their file. Equal to the same text elsewhere."""

    text: str
    position: SourcePosition = field(compare=False)


@dataclass(frozen=True, slots=True)
class RatioIndicator:
    """Events counted by counters: all of them, and either the bad or the good ones; exactly one of the two is set.

    A bad (or good) series that is missing while `total` is there counts as zero events.
    """

    total: Query
    bad: Query | None
    good: Query | None


@dataclass(frozen=True, slots=True)
class LatencyIndicator:
    """Events no slower than `threshold` (in the histogram's own unit), counted by one bucket of a classic histogram.

    `within` selects the bucket (`le` = threshold), `total` all events. A bucket that does not exist is missing
    data, never zero: a mistyped `le` must not read as "everything is slow".
    """

    within: Query
    total: Query
    threshold: Decimal


Indicator = RatioIndicator | LatencyIndicator


@dataclass(frozen=True, slots=True)
class RollingWindow:
    """The period over which the objective must hold, ending now."""

    length: timedelta


@dataclass(frozen=True, slots=True)
class SLO:
    """One objective for one indicator over one window. `name` is unique in a workspace.

    `objective` is the share of good events asked for, 0 < objective < 1. `labels` are copied to every alert.
    SLOs are equal when they ask for the same, wherever they are written.
    """

    name: str
    service: str
    objective: Decimal
    window: RollingWindow
    indicator: Indicator
    source: SourcePosition = field(compare=False)
    display_name: str = ""
    description: str = ""
    owner: str = ""
    runbook_url: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    worst_by: tuple[str, ...] = ()  # labels that tell where bad events come from; empty: what the queries suggest

    @property
    def budget_ratio(self) -> Decimal:
        """Share of events that may be bad: 1 − objective, exactly."""
        return 1 - self.objective


@dataclass(frozen=True, slots=True)
class Service:
    """Something that has objectives."""

    name: str
    source: SourcePosition
    display_name: str = ""
    description: str = ""
