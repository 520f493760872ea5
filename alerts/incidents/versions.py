"""Deployments that nobody told: versions of services that came up, as `build_info` shows."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from controlplane import conventions as names
from controlplane.model.event import Event
from controlplane.model.series import Series
from controlplane.ports import MetricsBackend

STEP: Final = timedelta(minutes=1)
MOST: Final = 200
_MARGIN: Final = timedelta(minutes=10)  # what ran before must have been seen


def fetch_versions(backend: MetricsBackend, start: datetime, end: datetime) -> list[Event]:
    """Deployments in that time, as events that are in no log. Raises what the backend raises."""
    expr = f"count by ({names.SERVICE}, version) ({names.BUILD_INFO})"
    series = backend.query_range(expr, start - _MARGIN, end, STEP)
    return list(new_versions(series, start))[-MOST:]


def new_versions(series: Iterable[Series], since: datetime) -> Iterator[Event]:
    """First sightings, at `since` or later, of versions of services that ran with another one before."""
    seen: dict[str, list[tuple[datetime, str]]] = {}
    for each in series:
        version = each.labels.get("version", "")
        if each.points and version:
            seen.setdefault(each.labels.get(names.SERVICE, ""), []).append((each.points[0][0], version))
    found = []
    for service, versions in seen.items():
        for (_, old), (at, new) in pairwise(sorted(versions)):
            if at >= since and service:
                id_ = f"build_info:{service}:{new}:{at.isoformat()}"
                data = {"service": service, "version": new, "from": old}
                found.append(Event(id_, names.EVENT_DEPLOYED, service, at, data))
    yield from sorted(found, key=lambda event: (event.occurred_at, event.subject))
