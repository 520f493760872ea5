"""Which SLOs have data, for status pages: one without any is unknown, and never operational."""

from datetime import datetime
from typing import Final

from controlplane import conventions as names
from controlplane.ports import MetricsBackend

_MEASURED: Final = f'group by (slo) ({{__name__=~"{names.ROLLING_EVENTS}|{names.PART_EVENTS}"}})'


def measured_slos(backend: MetricsBackend, now: datetime) -> frozenset[str]:
    """Their names. Raises what the backend raises."""
    return frozenset(sample.labels.get(names.SLO, "") for sample in backend.query(_MEASURED, now))
