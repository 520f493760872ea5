"""Probers that ran for some simulated time."""

import asyncio
from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry

from synthetics.prober.engine import Limits, Prober
from synthetics.prober.metrics import ProberMetrics
from tests.synthetics.prober.simulated import Collected, LoopClock, Target, simulate

Change = tuple[float, Callable[[Prober], None]]


class Ran:
    """A prober that ran for some simulated seconds."""

    def __init__(
        self,
        targets: Sequence[Target],
        seconds: float,
        *,
        self_check: Target | None = None,
        limits: Limits | None = None,
        changes: Sequence[Change] = (),
        sink: Collected | None = None,
    ) -> None:
        self.registry = CollectorRegistry()
        self.sink = sink or Collected()
        self.clock = LoopClock()
        self.prober = Prober(
            region="eu", sink=self.sink, clock=self.clock, metrics=ProberMetrics(self.registry), limits=limits
        )
        self.prober.replace([target.check for target in targets], self_check.check if self_check else None)
        self.changes = changes
        simulate(lambda: self._run(seconds))

    async def _run(self, seconds: float) -> None:
        stopping, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.call_later(seconds, stopping.set)
        for at, change in self.changes:
            loop.call_later(at, change, self.prober)
        await self.prober.run_until(stopping)
        self.stopped_after = loop.time() - 1000 - seconds

    def metric(self, name: str, **labels: str) -> float:
        value = self.registry.get_sample_value(name, {"region": "eu", **labels})
        assert value is not None
        return value
