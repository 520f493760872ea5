"""What Prometheus says of budgets and prices, as the state from which caps are computed."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.model.budget import Budget
from controlplane.model.series import Sample
from controlplane.ports import MetricsBackend
from finops.caps.capping import state_of
from finops.caps.model import AutoscalingCap, BudgetState
from finops.caps.replica_prices import price_queries

LEAST_COVERAGE: Final = Decimal("0.5")
"""Of a window so far: with less known of it, nobody knows what is left."""

_LOOK_BACK: Final = "1d"  # the longest `staleAfter`; each cap decides how old is too old


def budget_states(
    caps: Iterable[AutoscalingCap], budgets: Sequence[Budget], backend: MetricsBackend, now: datetime
) -> Mapping[str, BudgetState]:
    """What is left of the budgets that caps draw on, by name, as of the newest sample; errors as the port raises them.

    Where the ledger has gaps, they are taken to have cost as much as the time that is known; where it knows less than
    half of the window so far, `remaining` is None. Budgets of which Prometheus says nothing are absent.
    """
    wanted = {cap.budget for cap in caps}
    spent = _by_budget(backend.query(f"last_over_time({names.BUDGET_SPENT}[{_LOOK_BACK}])", now))
    earlier = f"max_over_time(timestamp({names.BUDGET_SPENT})[{_LOOK_BACK}:1m])"
    measured = _by_budget(backend.query(f"timestamp({names.BUDGET_SPENT}) or {earlier}", now))
    coverage = _by_budget(backend.query(f"last_over_time({names.BUDGET_COVERAGE}[{_LOOK_BACK}])", now))
    found: dict[str, BudgetState] = {}
    for budget in budgets:
        key = (budget.name, budget.currency)
        at = measured.get(key)
        if budget.name in wanted and at is not None:
            moment = datetime.fromtimestamp(float(at), UTC)
            found[budget.name] = state_of(budget, _completed(spent.get(key), coverage.get(key)), moment)
    return found


def replica_prices(caps: Iterable[AutoscalingCap], backend: MetricsBackend, now: datetime) -> Mapping[str, Decimal]:
    """The prices that caps ask Prometheus for, by the cap's name; no answer, several, or none above 0: absent."""
    found: dict[str, Decimal] = {}
    for name, query in price_queries(caps).items():
        answer = backend.query(query, now)
        price = _decimal(answer[0].value) if len(answer) == 1 else None
        if price is not None and price > 0:
            found[name] = price
    return found


def _completed(spent: Decimal | None, coverage: Decimal | None) -> Decimal | None:
    if spent is None or coverage is None or coverage < LEAST_COVERAGE:
        return None
    return spent / min(coverage, Decimal(1))


def _by_budget(samples: Iterable[Sample]) -> Mapping[tuple[str, str], Decimal]:
    found: dict[tuple[str, str], Decimal] = {}
    for sample in samples:
        value = _decimal(sample.value)
        if value is not None:
            found[sample.labels.get(names.BUDGET, ""), sample.labels.get(names.CURRENCY, "")] = value
    return found


def _decimal(value: float) -> Decimal | None:
    """Prometheus gives floats; from here on they are decimals."""
    return Decimal(repr(value)) if math.isfinite(value) else None
