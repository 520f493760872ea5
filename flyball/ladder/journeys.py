"""Journeys as the ladder walks them: here and now, in full. Implements `controlplane.ladder_ports.JourneyRunner`."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from controlplane.model.check import CheckKind, CheckResult, Outcome
from controlplane.ports import Clock
from flyball.synthetics.declared import ChecksDeclared
from flyball.synthetics.region_checks import RegionChecks
from synthetics.journeys.model import Journey

UNDECLARED: Final = "undeclared"


class DeclaredJourneys:
    """Those of the last good files, walked one after the other from the region of this process.

    Where regions are declared and this process is none of them, a journey is walked as the first of its own: with what
    that region has instead of DNS, and the variables of this process.
    """

    def __init__(self, declared: Callable[[], ChecksDeclared], maker: RegionChecks, clock: Clock) -> None:
        self._declared = declared
        self._maker = maker
        self._clock = clock

    def run(self, journeys: Sequence[str], now: datetime) -> list[CheckResult]:
        """One result for each, in order; the first begins at `now`."""
        return asyncio.run(self._run(journeys, now)) if journeys else []

    async def _run(self, journeys: Sequence[str], now: datetime) -> list[CheckResult]:
        declared = self._declared()
        known = {each.name: each for each in declared.journeys}
        results = []
        for name in journeys:
            if name not in known:
                results.append(self._undeclared(name, now))
                continue
            runner = self._maker_of(declared, known[name]).runner(declared, [known[name]])
            result, _ = await runner.run(known[name], self._clock.now() if results else now)
            results.append(result)
        return results

    def _maker_of(self, declared: ChecksDeclared, journey: Journey) -> RegionChecks:
        names = [region.name for region in declared.regions]
        if not names or self._maker.region in names:
            return self._maker
        own = next((name for name in names if not journey.regions or name in journey.regions), names[0])
        return replace(self._maker, region=own)

    def _undeclared(self, name: str, now: datetime) -> CheckResult:
        return CheckResult(
            check=name,
            kind=CheckKind.JOURNEY,
            region=self._maker.region,
            started_at=now,
            duration_seconds=0.0,
            outcome=Outcome.FAULT,
            reason=UNDECLARED,
            detail=f"the files declare no Journey `{name}`",
        )
