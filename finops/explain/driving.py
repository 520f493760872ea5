"""What spend is for, counted by PromQL: requests, events, rows of both periods."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from controlplane.model.series import Sample
from controlplane.ports import MetricsBackend
from controlplane.promql import with_window
from finops.explain.model import Drivers, Key
from finops.explain.tables import Periods


def fetch_drivers(backend: MetricsBackend, query: str, periods: Periods, by: Sequence[str]) -> Drivers:
    """The query at the end of both periods, with `$__window` as their length.

    Series are joined to groups by the labels that both have. Values that are no number are missing; floats become
    decimals here. Raises what the backend raises.
    """
    asked = with_window(query, f"{int(periods.length.total_seconds())}s")
    before, after = (_sums(backend, asked, at, by) for at in (periods.against_end, periods.end))
    dimensions = tuple(at for at, name in enumerate(by) if name in before[0] | after[0])
    units = {key: (before[1].get(key), after[1].get(key)) for key in {*before[1], *after[1]}}
    known = {key: (old, new) for key, (old, new) in units.items() if old is not None and new is not None}
    return Drivers(query, dimensions, known)


def _sums(
    backend: MetricsBackend, query: str, at: datetime, by: Sequence[str]
) -> tuple[frozenset[str], Mapping[Key, Decimal]]:
    samples = [sample for sample in backend.query(query, at) if math.isfinite(sample.value)]
    labels = frozenset(name for name in by if any(name in sample.labels for sample in samples))
    found: dict[Key, Decimal] = {}
    for sample in samples:
        key = _key(sample, [name for name in by if name in labels])
        found[key] = found.get(key, Decimal(0)) + Decimal(repr(float(sample.value)))
    return labels, found


def _key(sample: Sample, names: Sequence[str]) -> Key:
    return tuple(sample.labels.get(name) for name in names)
