"""What a prober's buffer holds and lost, for Prometheus."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from controlplane import check_names as names
from controlplane.ports import Permanent, Transient
from synthetics.regions.spool import Spool


class SpoolCollector(Collector):
    """One region's. While the file cannot be read it says nothing: missing is not 0."""

    def __init__(self, spool: Spool, region: str) -> None:
        self._spool = spool
        self._region = region

    def collect(self) -> Iterator[Metric]:
        """What waits, and what was lost to bounds or refused."""
        waiting = GaugeMetricFamily(names.PROBER_WAITING, "Results not reported yet.", labels=[names.REGION])
        dropped = CounterMetricFamily(
            names.PROBER_DROPPED, "Results that the buffer's bounds dropped.", labels=[names.REGION]
        )
        refused = CounterMetricFamily(
            names.PROBER_ASIDE, "Results in reports that were refused.", labels=[names.REGION]
        )
        try:
            figures = self._spool.figures()
        except (Transient, Permanent):
            return
        waiting.add_metric([self._region], figures.waiting)
        dropped.add_metric([self._region], figures.dropped)
        refused.add_metric([self._region], figures.aside)
        yield from (waiting, dropped, refused)
