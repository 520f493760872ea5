"""What Prometheus scrapes of runs of runbooks."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from controlplane import incident_names as names
from controlplane.ports import Permanent, Store, Transient

_RUNS: Final = 1000
_HELP: Final = "The latest runs of runbooks, dry ones aside, by how they stand or ended."


class RunbookCollector(Collector):
    """A store that fails leaves the family empty."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def describe(self) -> list[Metric]:
        """Names only: registering must not ask the store."""
        return [GaugeMetricFamily(names.RUNBOOK_RUNS, _HELP, labels=["runbook", "state"])]

    def collect(self) -> Iterator[Metric]:
        """By runbook and state."""
        family = GaugeMetricFamily(names.RUNBOOK_RUNS, _HELP, labels=["runbook", "state"])
        try:
            with self._store.transaction(read_only=True) as transaction:
                runs = transaction.follow_up.runs(limit=_RUNS)
        except (Transient, Permanent):
            runs = []
        counts = Counter((run.runbook, run.state.value) for run in runs if not run.is_dry)
        for (runbook, state), count in sorted(counts.items()):
            family.add_metric([runbook, state], count)
        yield family
