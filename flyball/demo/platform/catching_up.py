"""The minutes between the end of the history and the first scrape, as remote write requests.

Computing budgets and costs of a month takes minutes on a slow machine. Rates over five minutes would run dry meanwhile,
and a detector would say that traffic is not what it was.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import snappy

from controlplane.adapters.remote_write import ColumnarSeries, encode, encoded_labels
from flyball.demo.platform import infrastructure
from flyball.demo.platform.history import MILLISECONDS, columns, encoded
from flyball.demo.platform.live import LivePlatform


def catch_up(platform: LivePlatform, seam: int, now: datetime, send: Callable[[bytes], None]) -> None:
    """Send a sample a minute of all that was counted since the minute `seam`; nobody may have scraped it yet."""
    for minute in range(seam + 1, int(now.timestamp() // 60) + 1):
        send(snappy.compress(encode(_at(platform, minute))))


def _at(platform: LivePlatform, minute: int) -> list[ColumnarSeries]:
    then, minutes = datetime.fromtimestamp(60 * minute, UTC), np.array([minute])
    series = [
        one
        for pod in platform.pods(then)
        for one in columns(pod.layout, minutes, pod.cells[None, :], encoded(pod.slot, pod.life, pod.layout))
    ]
    for gauge in platform.gauges(then):
        labels = encoded_labels({"__name__": gauge.name, **dict(gauge.labels), **dict(infrastructure.TARGET)})
        series.append(ColumnarSeries(labels, minutes * MILLISECONDS, np.array([gauge.value])))
    return series
