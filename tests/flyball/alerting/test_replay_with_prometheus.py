"""Alerts that only a real Prometheus knows of are found by its own series, to the minute."""

import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alerts.explaining.firings import prometheus_firings
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.series import Series
from flyball.demo.servers import prometheus

MINUTE = timedelta(minutes=1)
(STALE,) = struct.unpack("<d", (0x7FF0000000000002).to_bytes(8, "little"))  # what Prometheus writes at a series' end


def test_alerts_are_read_from_prometheus_as_they_began_and_ended(tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    begin = now - timedelta(hours=30)

    def fired(name: str, first: int, minutes: int, state: str = "firing") -> Series:
        start = begin + first * MINUTE
        points = [(start + number * MINUTE / 2, 1.0) for number in range(2 * minutes)]
        return Series(
            {"__name__": "ALERTS", "alertname": name, "alertstate": state}, (*points, (start + minutes * MINUTE, STALE))
        )

    series = [
        fired("Down", 60, 90),
        fired("Held", 60, 90, "pending"),
        fired("Watchdog", 0, 1790),
        fired("Late", 1790, 5),
    ]
    with prometheus(tmp_path, out_of_order="48h") as server:
        writer = RemoteWriter(server.url)
        writer.write(series)
        backend = PrometheusBackend(server.url)
        try:
            found = prometheus_firings(backend, begin, now).fired
        finally:
            backend.close()
    assert [(each.name, each.start - begin, each.end and each.end - begin) for each in found] == [
        ("Down", 60 * MINUTE, 150 * MINUTE), ("Late", 1790 * MINUTE, 1795 * MINUTE)
    ]  # fmt: skip
