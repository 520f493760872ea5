"""Small ladders and histories of which one can tell by hand what comes of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from controlplane.model.source import SourcePosition
from finops.ladder.model import (
    Comparison,
    Condition,
    Ladder,
    Limits,
    Measure,
    Mode,
    Signal,
    Tier,
    Verification,
)
from finops.ladder.readings import Quality, Reading, Readings
from finops.ladder.simulation.model import History, Point

START = datetime(2026, 11, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HERE = SourcePosition("ladder.yaml", 1, 1)


def signal(name: str = "burn", measure: Measure = Measure.QUERY, window: timedelta | None = None) -> Signal:
    return Signal(name, measure, "", window, "up", "", None, name, timedelta(minutes=5), HERE)


def condition(signal: str, threshold: str) -> Condition:
    return Condition((Comparison(signal, Decimal(threshold)),), needs_all=True)


def tier(number: int, enter: str, leave: str, *, saving: str = "10", dwell: int = 10, signal: str = "burn") -> Tier:
    return Tier(
        number=number,
        name=("observe", "throttle", "shed", "degrade", "protect", "emergency")[number - 1],
        description="",
        flags=((f"flag-{number}", True),),
        saving_per_hour=Decimal(saving),
        enter=condition(signal, enter),
        enter_samples=3,
        exit=condition(signal, leave),
        exit_samples=5,
        dwell=dwell * MINUTE,
        needs_approval=False,
        expires_after=None,
        journeys=(),
        explains=(),
        public_text="",
        source=HERE,
    )


def ladder(*tiers: Tier, signals: Sequence[Signal] = (signal(),), **changes: object) -> Ladder:
    made = Ladder(
        name="shop",
        display_name="Shop",
        mode=Mode.ENFORCE,
        store="platform",
        currency="USD",
        every=MINUTE,
        signals=tuple(signals),
        tiers=tiers or (tier(1, "2", "1.2"), tier(2, "4", "2")),
        brakes=(),
        growth=None,
        emergency=None,
        limits=Limits(12, 30 * MINUTE, 15 * MINUTE),
        verification=Verification(timedelta(seconds=30), timedelta(seconds=10)),
        owner="",
        runbook_url="",
        labels=(),
        source=HERE,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def reading(value: str | None, per_hour: str | None = None) -> Reading:
    if value is None:
        return Reading(Quality.MISSING, reason="nobody measured it")
    return Reading(Quality.GOOD, Decimal(value), None, None if per_hour is None else Decimal(per_hour))


def history(
    values: Sequence[str | None] | Mapping[str, Sequence[str | None]],
    *,
    per_hour: str | None = None,
    users: str | None = None,
    spend: str | None = None,
    step: timedelta = MINUTE,
    brakes: Callable[[int], Mapping[str, Reading]] = lambda _: {},
) -> History:
    by_signal = values if isinstance(values, Mapping) else {"burn": values}
    count = len(next(iter(by_signal.values())))
    points = [
        Point(
            Readings(
                START + place * step,
                {name: reading(course[place], per_hour) for name, course in by_signal.items()},
                brakes(place),
            ),
            None if users is None else Decimal(users),
            None if spend is None else Decimal(spend),
        )
        for place in range(count)
    ]
    return History(START, step, points)
