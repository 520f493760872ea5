"""Ladders for tests."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from controlplane.model.source import SourcePosition
from finops.ladder.model import (
    Brake,
    Comparison,
    Condition,
    Explained,
    Ladder,
    Limits,
    Measure,
    Mode,
    Signal,
    Tier,
    Verification,
)

HERE = SourcePosition("ladder.yaml", 1, 1)
HOUR = timedelta(hours=1)


def a_signal(name: str, measure: Measure, subject: str = "llm", **changes: Any) -> Signal:
    """A signal of the budget `llm`; data is stale after five minutes."""
    signal = Signal(
        name=name, measure=measure, subject=subject, window=HOUR, query="", per_hour_query="", floor_per_hour=None,
        group=subject, stale_after=timedelta(minutes=5), source=HERE,
    )  # fmt: skip
    return replace(signal, **changes)


def a_tier(number: int, name: str, **changes: Any) -> Tier:
    """A tier that is to save 3 an hour."""
    condition = Condition((Comparison("llm-burn", Decimal(2)),), needs_all=False)
    tier = Tier(
        number=number, name=name, description=f"What {name} does.", flags=((f"{name}-flag", True),),
        saving_per_hour=Decimal(3), enter=condition, enter_samples=3, exit=condition, exit_samples=10,
        dwell=timedelta(minutes=10), needs_approval=False, expires_after=None, journeys=(), explains=(),
        public_text="", source=HERE,
    )  # fmt: skip
    return replace(tier, **changes)


def a_ladder(**changes: Any) -> Ladder:
    """Two tiers, one signal, enforced."""
    ladder = Ladder(
        name="intelgraph", display_name="IntelGraph", mode=Mode.ENFORCE, store="platform", currency="USD",
        every=timedelta(seconds=30), signals=(a_signal("llm-burn", Measure.BURN_RATE),),
        tiers=(a_tier(1, "observe"), a_tier(2, "throttle")), brakes=(), growth=None, emergency=None,
        limits=Limits(12, timedelta(minutes=30), timedelta(minutes=15)),
        verification=Verification(timedelta(seconds=30), timedelta(seconds=10)),
        owner="team-platform", runbook_url="", labels=(), source=HERE,
    )  # fmt: skip
    return replace(ladder, **changes)


def a_brake(slo: str) -> Brake:
    """Tiers from 3 on are not entered while its budget is gone."""
    return Brake(slo, Decimal(0), 3, releases=True, source=HERE)


def explaining(*matchers: str) -> tuple[Explained, ...]:
    """One alert that a tier explains."""
    return (Explained(matchers),)
