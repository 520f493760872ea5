"""Repositories on /metrics, from the store: every replica says the same, whoever leads."""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from controlplane import delivery_names as names
from controlplane.ports import Permanent, Store, Transient
from exporters.repositories.model import Repository
from exporters.repositories.progress import progress_of


class RepositoryCollector:
    """Give it to a registry. `declared` are the repositories of the last good files.

    One that was never read to its end has no time. While the store does not answer nothing is said.
    """

    def __init__(self, store: Store, declared: Callable[[], Sequence[Repository]]) -> None:
        self._store = store
        self._declared = declared

    def describe(self) -> list[Metric]:
        """Names only: registering must not ask the store."""
        return [_collected(), _failing()]

    def collect(self) -> Iterator[Metric]:
        """By repository: when it was last read to its end, and whether it cannot be read now."""
        repositories = sorted(each.name for each in self._declared())
        try:
            with self._store.transaction(read_only=True) as transaction:
                known = {name: progress_of(transaction, name) for name in repositories}
        except (Transient, Permanent):
            return
        collected, failing = _collected(), _failing()
        for name, progress in known.items():
            if progress.collected_at is not None:
                collected.add_metric([name], progress.collected_at.timestamp())
            failing.add_metric([name], float(progress.is_failing))
        yield collected
        yield failing


def _collected() -> GaugeMetricFamily:
    return GaugeMetricFamily(names.COLLECTED, "When a repository was last read to its end.", labels=[names.REPOSITORY])


def _failing() -> GaugeMetricFamily:
    return GaugeMetricFamily(
        names.COLLECTOR_FAILING, "1 while a repository cannot be read, else 0.", labels=[names.REPOSITORY]
    )
