"""Scrapes that stand still for three minutes, in a real Prometheus: a rate runs dry, and that is no anomaly."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np

from alerts.anomaly.model import Grouping, Opening, Season
from alerts.anomaly.scoring.run import Around, DetectorRun
from controlplane.adapters.prometheus_matrix import PrometheusMatrix
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.series import Series
from controlplane.store import SqlStore
from flyball.demo import servers
from tests.alerts.anomaly.scoring.running import kept
from tests.alerts.anomaly.scoring.worlds import DELAY, detector, moment

MINUTE, SCRAPE = timedelta(minutes=1), timedelta(seconds=15)
START = moment(0) - DELAY
NOW = START + timedelta(hours=25)  # a day is known
HOLE = (NOW + timedelta(minutes=10, seconds=10), NOW + timedelta(minutes=13, seconds=20))
END = NOW + timedelta(minutes=25)
OF = detector(
    query="sum by (service) (rate(requests_total[5m]))",
    step=MINUTE,
    season=Season(daily=False, weekly=False),
    grouping=Grouping(false_discovery_rate=None),
    opening=Opening(steps=3, of=5, close_after=6),
    least_absolute=Decimal(1),
    most_series=10_000,
)


def test_a_rate_that_runs_dry_while_nobody_scrapes_is_no_anomaly(store: SqlStore, tmp_path: Path) -> None:
    with servers.prometheus(tmp_path / "prometheus") as server:
        with RemoteWriter(server.url) as writer:
            writer.write([_counter(service) for service in ("a", "b")])
        run = DetectorRun(OF, Around(store, PrometheusMatrix(server.url), lambda: 0.0))
        run.cycle(NOW + DELAY)
        scored = [run.cycle(at + DELAY) for at in _minutes(NOW + MINUTE, END)]
    assert sum(each.is_stale for each in scored) == 2
    assert run.scored_to == END
    assert kept(store)[0] == []


def _minutes(start: datetime, end: datetime) -> list[datetime]:
    return [start + number * MINUTE for number in range((end - start) // MINUTE + 1)]


def _counter(service: str) -> Series:
    """100 requests a second, counted every 15 s but for the hole; busier by 3 % at times."""
    steps = (END - START) // SCRAPE + 1
    random = np.random.default_rng(ord(service))
    counts = np.cumsum(1500 * (1 + 0.03 * random.standard_normal(steps))).tolist()
    times = [START + number * SCRAPE for number in range(steps)]
    there = [(at, count) for at, count in zip(times, counts, strict=True) if not HOLE[0] < at < HOLE[1]]
    return Series({"__name__": "requests_total", "service": service}, tuple(there))
