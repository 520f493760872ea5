"""Rules evaluated at chosen instants of the past by a real Prometheus that holds a past we wrote."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import ColumnarSeries, RemoteWriter, encoded_labels
from controlplane.model.rule import RecordingRule, RuleFile
from controlplane.model.series import Series
from flyball.demo import servers
from slo import cold_start


@dataclass(frozen=True)
class Past:
    """What a Prometheus remembers, and how to add to it."""

    backend: PrometheusBackend
    writer: RemoteWriter
    url: str = ""

    def write(self, labels: dict[str, str], unix_seconds: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Samples of one series."""
        self.writer.write_columns([ColumnarSeries(encoded_labels(labels), unix_seconds * 1000, values)])

    def evaluate(self, files: Iterable[RuleFile], at: datetime) -> None:
        """Every recording rule but the two pairs, once."""
        cold_start.evaluate_once(cold_start.derived_rules(files), self.backend, self.writer, at)

    def record(self, rules: Sequence[RecordingRule], start: datetime, end: datetime, step: timedelta) -> None:
        """Rules over a stretch of time, one after the other."""
        for rule in rules:
            found = self.backend.query_range(rule.expr, start, end, step)
            own = {"__name__": rule.record, **dict(rule.labels)}
            self.writer.write([Series({**series.labels, **own}, series.points) for series in found])

    def value(self, expr: str, at: datetime) -> float | None:
        """The one value of an expression, None when there is none."""
        samples = self.backend.query(expr, at)
        assert len(samples) <= 1, samples
        return samples[0].value if samples else None


@contextmanager
def past(folder: Path) -> Iterator[Past]:
    """An empty Prometheus that takes what happened up to 40 years ago, in any order."""
    with servers.prometheus(
        folder, out_of_order="14600d", block_duration="14600d", retention="14600d"
    ) as server, RemoteWriter(server.url) as writer:  # fmt: skip
        backend = PrometheusBackend(server.url)
        yield Past(backend, writer, server.url)
        backend.close()


def rules_named(files: Iterable[RuleFile], *names: str) -> list[RecordingRule]:
    """The recording rules of these names, in the order of the files."""
    return [
        rule
        for file in files
        for group in file.groups
        for rule in group.rules
        if isinstance(rule, RecordingRule) and rule.record in names
    ]


def utc(*parts: int) -> datetime:
    """A time in UTC."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def unix(at: datetime) -> int:
    """Seconds since 1970."""
    return int(at.timestamp())
