"""A month of a ladder: how long it takes to fetch it from a Prometheus, to simulate it, and both from a bill."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from benchmarks.ladder_month import DAYS, WORKSPACE, write_month
from benchmarks.prometheus_data import Backend
from benchmarks.report import Figure, progress, show
from controlplane.adapters.prometheus import PrometheusBackend
from finops.ladder.simulation.model import History, Options, Point, Simulation
from finops.ladder.simulation.recorded import Recorded, recorded_history
from finops.ladder.simulation.running import simulate
from flyball.backtest.policies import Policy, as_if_enforced, of_workspace
from flyball.backtest.simulating import uncollected
from flyball.demo import servers
from flyball.ladder.scopes import scopes_of

LIMIT_SECONDS: Final = 5
Made = TypeVar("Made")
_LADDER: Final = """---
apiVersion: flyball.dev/v1
kind: UnitCost
metadata: {name: graphql-calls}
spec:
  currency: USD
  units: {what: calls, counter: graphql_calls_total}
  per: 1000000
  target: 2
---
apiVersion: flyball.dev/v1
kind: FlagStore
metadata: {name: platform}
spec: {memory: {}, flags: [{name: f, type: string, normal: "0", owner: ops, expires: 2030-01-01}]}
---
apiVersion: flyball.dev/v1
kind: Ladder
metadata: {name: shop}
spec:
  flagStore: platform
  currency: USD
  every: 30s
  signals:
    - {name: llm-burn, budget: llm, measure: burnRate, window: 1h}
    - {name: llm-forecast, budget: llm, measure: forecast}
    - {name: llm-spike, budget: llm, measure: spike, floorPerHour: 10}
    - {name: infra-burn, budget: infra, measure: burnRate, window: 1h}
    - {name: infra-forecast, budget: infra, measure: forecast}
    - {name: infra-spike, budget: infra, measure: spike, floorPerHour: 10}
    - {name: call-cost, unitCost: graphql-calls, window: 1h}
    - {name: queue, query: 'max(queue_depth)'}
  brakes: [{slo: gateway-availability, minimum: 0, fromTier: 3, release: true}, {slo: reads, minimum: 0, fromTier: 4}]
  growth: {signal: call-cost, flatBelow: 0.5}
  emergency: {tier: 6, samples: 3, any: {llm-spike: 10, infra-spike: 10}}
  tiers:
"""
_TIER: Final = """    - name: tier-{number}
      description: Less.
      flags: {{f: "{number}"}}
      saving: 1.5
      enter: {{any: {{llm-burn: {enter}, infra-burn: {enter}, llm-forecast: {ahead}, queue: 900}}, samples: 3}}
      exit: {{all: {{llm-burn: {leave}, infra-burn: {leave}, llm-forecast: {ahead}}}, samples: 10}}
      dwell: 10m
      journeys: []
"""


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "workspace"
        workspace.mkdir()
        (workspace / "ladder.yaml").write_text(WORKSPACE + _LADDER + "".join(map(_tier, range(1, 7))))
        (policy,) = of_workspace(workspace).policies
        show("Ladder simulation: a month", _figures(as_if_enforced(policy), Path(folder) / "prometheus"))


def _tier(number: int) -> str:
    return _TIER.format(number=number, enter=1 + number * 0.4, leave=0.85 + number * 0.4, ahead=1.2 + number * 0.1)


def _figures(policy: Policy, folder: Path) -> list[Figure]:
    end = int(time.time()) // 3600 * 3600
    until = datetime.fromtimestamp(end, UTC)
    with servers.prometheus(folder, out_of_order="40d", block_duration="40d") as server:
        progress("writing a month")
        write_month(Backend(server.url), end)
        backend = PrometheusBackend(server.url, timeout_seconds=120)
        budgets = {each.name: each for each in policy.money.budgets}
        of = Recorded(backend, scopes_of(policy.money), budgets, "sum(active_users)")
        history, fetching, fetching_cpu = _timed(
            lambda: recorded_history(policy.ladder, of, until - timedelta(days=DAYS), until)
        )
        backend.close()
    found, simulating, cpu = _timed(lambda: simulate(policy.ladder, history, Options()))
    reduced, always, always_cpu = _timed(lambda: simulate(policy.ladder, _burning(history), Options()))
    samples = timedelta(days=DAYS) // policy.ladder.every
    return [
        Figure(
            "simulating a month, 8 signals, 6 tiers, every 30 s", simulating, "s", LIMIT_SECONDS, detail=_told(found)
        ),
        Figure("… processor time", cpu, "s"),
        Figure("… a month that is reduced from begin to end", always, "s", LIMIT_SECONDS, detail=_told(reduced)),
        Figure("… processor time", always_cpu, "s"),
        Figure("fetching it from a Prometheus", fetching, "s"),
        Figure("… processor time here", fetching_cpu, "s"),
        Figure("fetching and simulating", fetching + simulating, "s", LIMIT_SECONDS),
        Figure("samples of the ladder", samples, "samples", detail=f"{found.decided} of them decided"),
    ]


def _told(found: Simulation) -> str:
    return f"{found.totals.moves} moves, {found.totals.flaps} flaps"


def _burning(history: History) -> History:
    """The same with a burn rate that keeps a tier in force all month."""
    points = [_burns(point) for point in history.points]
    return replace(history, points=points)


def _burns(point: Point) -> Point:
    signals = dict(point.readings.signals)
    burn = signals["llm-burn"]
    if burn.value is not None:
        signals["llm-burn"] = replace(burn, value=burn.value + 1)
    return replace(point, readings=replace(point.readings, signals=signals))


def _timed(do: Callable[[], Made]) -> tuple[Made, float, float]:
    began, cpu = time.monotonic(), time.process_time()
    with uncollected():
        made = do()
    return made, time.monotonic() - began, time.process_time() - cpu
