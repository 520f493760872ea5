"""Daily spend of a ledger as series on a grid of days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.model import CostQuery
from controlplane.ports import CostLedger


@dataclass(frozen=True, slots=True)
class DailyCosts:
    """`values` (series × days), effective cost in each series' own currency, NaN where nothing is known.

    Column i is `first` + i days, in UTC. Every series has the label `currency`.
    """

    labels: tuple[Mapping[str, str], ...]
    first: date
    values: NDArray[np.float64]


def daily_costs(ledger: CostLedger, query: CostQuery, until: date, days: int, most_series: int) -> DailyCosts:
    """The last `days` before `until` (not included) that are complete. Raises what the ledger raises."""
    raise NotImplementedError
