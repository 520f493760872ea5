"""Everything about anomalies that is done again and again in one process, and what Prometheus scrapes of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from prometheus_client.registry import Collector

from alerts.anomaly.daemon import AnomalyDaemon
from alerts.anomaly.explaining.asking import explain
from alerts.anomaly.explaining.model import Explained
from alerts.anomaly.model import AnomalyDetector
from controlplane.adapters.prometheus_matrix import PrometheusMatrix
from controlplane.model.spend import Ledger
from controlplane.ports import Clock, CostLedger, Store
from exporters.dora.policy.model import DeliveryPolicy
from flyball.anomalies.declared import AnomaliesDeclared
from flyball.anomalies.deployments import StoredDeployments
from flyball.anomalies.rulings import StoredRulings
from flyball.scheduler import Job, Turn

ANOMALIES_EVERY: Final = timedelta(seconds=5)  # each detector has the pace of its own step


@dataclass(frozen=True, slots=True)
class AnomalySurroundings:
    """What the job works with. `declared` is what the last good files say, `look` reads them if nobody has.

    `is_known` says whether there were good files at all.
    """

    declared: Callable[[], AnomaliesDeclared]
    is_known: Callable[[], bool]
    policy: Callable[[], DeliveryPolicy]
    look: Callable[[], object]
    source: PrometheusMatrix
    store: Store
    clock: Clock
    ledger: Callable[[Ledger], CostLedger]


class AnomalyServices:
    """The parts, joined but not started."""

    def __init__(self, around: AnomalySurroundings) -> None:
        self._around = around
        deployments = StoredDeployments(around.store, around.policy)
        self._rulings = StoredRulings(around.store, deployments)
        self._daemon = AnomalyDaemon(
            around.store, self.detectors, around.source, around.clock, deployments=deployments, ledgers=around.ledger
        )
        self.exposition = self._daemon.board

    def detectors(self) -> Sequence[AnomalyDetector]:
        """Those of the last good files."""
        return self._around.declared().detectors

    def explain(self, detector: AnomalyDetector, labels: Mapping[str, str], at: datetime) -> Explained | None:
        """Why a step is anomalous, or is not. Reads weeks of the series: seconds."""
        return explain(self._around.source, detector, labels, at, self._rulings.of, self._around.ledger)

    def collectors(self) -> Iterator[Collector]:
        """For the registry of our own metrics; what grows with the number of series is `exposition`'s."""
        yield self._daemon.collector

    def jobs(self) -> Iterator[Job]:
        """What is done again and again."""

        def turn(it: Turn) -> object:
            self._around.look()
            if not self._around.is_known():  # or broken files at the start would end and forget everything
                return None
            return self._daemon.run_once(it.now, it.lease)

        yield Job("anomalies", ANOMALIES_EVERY, turn, leader_only=True, may_be_long=True)

    def close(self) -> None:
        """Give back what the outside holds for us."""
        self._around.source.close()
