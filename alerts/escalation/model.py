"""Escalation policies, as declared."""

from dataclasses import dataclass
from datetime import timedelta

from controlplane.model.source import SourcePosition


@dataclass(frozen=True, slots=True)
class PolicyStep:
    """`after` the incident opened (or the round began), these are told: `receiver:NAME`, `schedule:NAME`."""

    after: timedelta
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EscalationPolicy:
    """Steps in order of time, the whole `rounds` times over, `round_length` apart; until somebody acknowledges.

    An acknowledgement that nobody followed up for `acknowledged_for` lapses, and the steps begin again; None: never.
    """

    name: str
    steps: tuple[PolicyStep, ...]
    rounds: int = 1
    round_length: timedelta = timedelta(0)
    acknowledged_for: timedelta | None = None
    display_name: str = ""
    source: SourcePosition | None = None
