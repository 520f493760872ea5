"""A Prometheus that remembers what three tenants used and what it cost, for tests of the commands about cost."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from controlplane.adapters.remote_write import ColumnarSeries, RemoteWriter, encoded_labels
from flyball.demo import servers
from flyball.demo.servers import Server

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
FIRST = TODAY.replace(day=1)
MONTH = (FIRST - timedelta(days=1)).replace(day=1)  # the last whole calendar month
EVENTS = {"alpha": 3000.0, "beta": 1000.0}  # in 5 minutes
MONEY = {"alpha": 0.2, "beta": 0.2, "": 0.1}  # in 5 minutes, of the service ingest


@contextmanager
def remembering(folder: Path) -> Iterator[Server]:
    """Counters and ledgers from ten days before the month before the last whole one until today, every 5 minutes.

    Before the last whole month everything cost half as much. Kafka has no tenant.
    """
    start = (MONTH - timedelta(days=1)).replace(day=1) - timedelta(days=10)
    at = np.arange(round(start.timestamp()) + 300, round(TODAY.timestamp()) + 1, 300)
    half = np.where(at <= MONTH.timestamp(), 0.5, 1.0)
    with servers.prometheus(folder, out_of_order="200d", block_duration="400d", retention="400d") as server:
        with RemoteWriter(server.url) as writer:
            for tenant, events in EVENTS.items():
                labels = {"__name__": "ingest_events_total", "tenant": tenant, "connector": "jdbc"}
                writer.write_columns([ColumnarSeries(encoded_labels(labels), at * 1000, np.arange(len(at)) * events)])
            for service, tenant, money in (
                *(("ingest", tenant, money) for tenant, money in MONEY.items()), ("kafka", "", 0.4),
            ):  # fmt: skip
                labels = {"__name__": "cost:spend:ledger5m", "service": service, "tenant": tenant, "currency": "USD"}
                writer.write_columns([ColumnarSeries(encoded_labels(labels), at * 1000, half * money)])
        yield server


def days_of_month() -> int:
    """How many days the last whole month has."""
    return (FIRST - MONTH).days


WORKSPACE = """apiVersion: flyball.dev/v1
kind: Workspace
metadata: {name: here}
spec: {prometheus: {url: '%s', rulesDirectory: .flyball/rules}}
"""
UNIT_COST = """apiVersion: flyball.dev/v1
kind: UnitCost
metadata:
  name: ingest
  displayName: "Ingest <b>"
spec:
  scope: {service: ingest}
  currency: USD
  units: {what: ingested events, counter: 'ingest_events_total'}
  per: 1000
  by: [tenant]
  target: 0.10
"""
ALLOCATION = """apiVersion: flyball.dev/v1
kind: CostAllocation
metadata:
  name: tenants
spec:
  target: tenant
  usage:
    events: {promql: 'sum by (tenant) (increase(ingest_events_total[{{.window}}]))'}
    seats: {csv: weights/seats.csv}
  steps:
    - {name: bus, kind: shared, select: {service: kafka}, by: {usage: events}}
    - {name: tax, select: {category: Tax}, by: {cost: {}}}
    - {name: rest, kind: idle, by: {usage: seats}}
"""


def write_workspace(folder: Path, server: Server) -> Path:
    """A workspace with a unit cost and a plan of allocation, whose weights lie in a file."""
    (folder / "money" / "weights").mkdir(parents=True)
    (folder / "flyball.yaml").write_text(WORKSPACE % server.url)
    (folder / "money" / "unit.yaml").write_text(UNIT_COST)
    (folder / "money" / "allocation.yaml").write_text(ALLOCATION)
    (folder / "money" / "weights" / "seats.csv").write_text("tenant,weight\nalpha,1\nbeta,1\n")
    return folder
