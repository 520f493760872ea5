"""A month of what a ladder's signals are made from, as rules would have recorded it, in a Prometheus."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.prometheus_data import Backend, Column

Floats = NDArray[np.float64]
DAYS: Final = 30
_SEED: Final = 6
_FINE, _COARSE = 60, 300
AMOUNTS: Final[Mapping[str, float]] = {"llm": 5_000.0, "infra": 18_000.0}
_HOURS: Final = DAYS * 24

WORKSPACE: Final = """apiVersion: flyball.dev/v1
kind: Budget
metadata: {name: llm}
spec:
  amount: 5000
  currency: USD
  window: 30d
  scope: {service: llm}
---
apiVersion: flyball.dev/v1
kind: Budget
metadata: {name: infra}
spec:
  amount: 18000
  currency: USD
  window: 30d
  scope: {provider: cloud}
"""


def write_month(backend: Backend, end: int) -> None:
    """Thirty days and what lies a day before, up to `end` (Unix seconds)."""
    backend.write(series(end))


def series(end: int) -> Iterator[Column]:
    """Every series; six times in the month money burns too fast for some hours."""
    random = np.random.default_rng(_SEED)
    fine = np.arange(end - (DAYS + 1) * 86_400, end + 1, _FINE, dtype=np.float64)
    coarse = fine[:: _COARSE // _FINE]
    for budget, amount in AMOUNTS.items():
        yield from _budget(budget, amount, fine, coarse, random)
    yield from _unit_cost(fine, coarse)
    for item in ("tokens", "nodes", "volumes"):
        service = "llm" if item == "tokens" else "platform"
        labels = {"price": item, "service": service, "provider": "cloud", "currency": "USD"}
        yield {"__name__": "cost:spend:ledger5m", **labels}, coarse, np.full_like(coarse, 0.6)
        yield {"__name__": "cost:usage:timestamp_seconds", "price": item}, fine, fine - 15
    for slo in ("gateway-availability", "reads"):
        left = 0.6 + 0.3 * np.sin(coarse / 86_400 / 5)
        yield {"__name__": "slo:error_budget_remaining:ratio", "slo": slo}, coarse, left
    yield {"__name__": "queue_depth"}, fine, 50 + 20 * np.sin(fine / 7_000) + random.normal(0, 3, len(fine))
    yield {"__name__": "active_users"}, fine, np.round(900 + 700 * np.sin(fine / 86_400 * 2 * np.pi))


def _budget(name: str, amount: float, fine: Floats, coarse: Floats, random: np.random.Generator) -> Iterator[Column]:
    labels = {"budget": name, "currency": "USD"}
    expected = amount / _HOURS
    burn = 0.8 + 0.15 * np.sin(fine / 86_400 * 2 * np.pi) + random.normal(0, 0.02, len(fine))
    for begin in random.integers(0, len(fine) - 600, 6):
        burn[begin : begin + 600] += 2.6 * np.hanning(600)
    spent = burn * expected
    gone = np.clip(np.cumsum(burn) / len(fine) * 1.02, 0, None)
    yield {"__name__": "budget:burn_rate:1h", **labels}, fine, burn
    yield {"__name__": "budget:spend:sum1h", **labels}, fine, spent
    yield {"__name__": "budget:expected:sum1h", **labels}, fine, np.full_like(fine, expected)
    yield {"__name__": "budget:spend:rolling5m", **labels}, fine, spent / 12
    yield {"__name__": "flyball_budget_forecast_timestamp_seconds", **labels}, fine, fine - fine % 600
    step = _COARSE // _FINE
    yield {"__name__": "budget:usual:1h", "of": "days", **labels}, coarse, np.full_like(coarse, expected * 0.8)
    ratio = {"__name__": "budget:forecast:ratio", "basis": "forecast", **labels}
    yield ratio, coarse, 0.8 + 0.1 * gone[::step]
    yield {"__name__": "budget:amount", **labels}, coarse, np.full_like(coarse, amount)
    yield {"__name__": "budget:window_start:seconds", **labels}, coarse, coarse - DAYS * 86_400
    yield {"__name__": "budget:window_end:seconds", **labels}, coarse, coarse


def _unit_cost(fine: Floats, coarse: Floats) -> Iterator[Column]:
    labels = {"unit_cost": "graphql-calls", "currency": "USD"}
    yield {"__name__": "unit_cost:spend:rolling5m", **labels}, fine, np.full_like(fine, 0.5)
    yield {"__name__": "unit_cost:ratio:1h", **labels}, coarse, 1.7 + 0.2 * np.sin(coarse / 50_000)
    yield {"__name__": "unit_cost:spend:ledger5m", **labels}, coarse, np.full_like(coarse, 0.5)
    yield {"__name__": "unit_cost:units:ledger5m", "unit_cost": "graphql-calls"}, coarse, np.full_like(coarse, 3e5)
    yield {"__name__": "unit_cost:target", **labels}, coarse, np.full_like(coarse, 2.0)
