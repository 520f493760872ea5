"""What an SLO achieved, from the ledger that its recording rules keep (`slo:sli_events:ledger5m`)."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.ports import MetricsBackend
from exporters.usage.ports import Achieved

_STEP: Final = timedelta(minutes=5)  # an entry at t counts the events of (t - 5 min, t]
_LONGEST: Final = timedelta(days=1)  # asked at once, so that no query reads a month of samples


class RecordedSLO:
    """Implements `exporters.usage.ports.AchievedSLO` on a Prometheus-compatible backend.

    The values that come are floats: each is taken as the decimal that it is shown as.
    """

    def __init__(self, metrics: MetricsBackend) -> None:
        self._metrics = metrics

    def achieved(
        self, slo: str, labels: Mapping[str, str], start: datetime, end: datetime, *, maintenance_counts: bool = False
    ) -> Achieved | None:
        """See the port. The time must be whole entries of five minutes, as months and their parts are."""
        selector = _selector({names.SLO: slo, **labels})
        ledgers = [names.LEDGER_EVENTS, *([names.EXCLUDED_LEDGER] if maintenance_counts else [])]
        events = bad = Decimal(0)
        entries = 0
        for first, last in _parts(start, end):
            seconds = int((last - first).total_seconds())
            for ledger in ledgers:
                sums = self._by_event(f"sum_over_time({ledger}{selector}[{seconds}s])", last)
                events += sums.get(names.EVENT_ALL, Decimal(0))
                bad += sums.get(names.EVENT_BAD, Decimal(0))
            counts = self._by_event(f"count_over_time({names.LEDGER_EVENTS}{selector}[{seconds}s])", last)
            entries += int(counts.get(names.EVENT_ALL, 0))
        if not entries:
            return None
        return Achieved(events, bad, min(Decimal(1), Decimal(entries) / Decimal((end - start) // _STEP)))

    def _by_event(self, expr: str, at: datetime) -> dict[str, Decimal]:
        grouped = f"sum by ({names.EVENT}) ({expr})" if "sum_over" in expr else f"max by ({names.EVENT}) ({expr})"
        return {
            sample.labels.get(names.EVENT, ""): Decimal(repr(float(sample.value)))
            for sample in self._metrics.query(grouped, at)
            if math.isfinite(sample.value)
        }


def _parts(start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Days or less, from the start on. Prometheus' ranges leave their left end out, as the ledger's entries do."""
    parts = []
    while start < end:
        parts.append((start, min(start + _LONGEST, end)))
        start += _LONGEST
    return parts


def _selector(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f"{name}={_quoted(value)}" for name, value in sorted(labels.items())) + "}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
