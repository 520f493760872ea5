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
SEEN: Final = "build_info:"  # how ids of such events begin: they are in no log
_MARGIN: Final = timedelta(minutes=10)  # what ran before must have been seen
_GAP: Final = 3 * STEP  # missed scrapes are shorter


def fetch_versions(backend: MetricsBackend, start: datetime, end: datetime) -> list[Event]:
    """Deployments in that time, as events that are in no log. Raises what the backend raises.

    Asked for again it is the same event: the questions are about whole minutes.
    """
    expr = f"count by ({names.SERVICE}, version) ({names.BUILD_INFO})"
    since = (start - _MARGIN).replace(second=0, microsecond=0)
    return list(new_versions(backend.query_range(expr, since, end, STEP), start))[-MOST:]


def new_versions(series: Iterable[Series], since: datetime) -> Iterator[Event]:
    """Each time, at `since` or later, that a service came up with another version than before; a way back as well."""
    begun: dict[str, list[tuple[datetime, str]]] = {}
    for each in series:
        service, version = each.labels.get(names.SERVICE, ""), each.labels.get("version", "")
        if each.points and service and version:
            begun.setdefault(service, []).extend((at, version) for at in _begins(each))
    found = []
    for service, versions in begun.items():
        for (_, old), (at, new) in pairwise(sorted(versions)):
            if at >= since and old != new:
                id_ = f"{SEEN}{service}:{new}:{at.isoformat()}"
                data = {"service": service, "version": new, "from": old}
                found.append(Event(id_, names.EVENT_DEPLOYED, service, at, data))
    yield from sorted(found, key=lambda event: (event.occurred_at, event.subject))


def _begins(series: Series) -> Iterator[datetime]:
    """When it was there after it had not been."""
    yield series.points[0][0]
    for (before, _), (at, _) in pairwise(series.points):
        if at - before > _GAP:
            yield at
