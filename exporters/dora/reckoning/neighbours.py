"""The deployments next to a moment, without removals: these are no deployments, so none of the ten is one."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from controlplane.model.delivery import Deployment, DeploymentKind

if TYPE_CHECKING:
    from controlplane.delivery_ports import DeliveryLog


def last_before(log: "DeliveryLog", track: tuple[str, str], before: datetime, count: int) -> list[Deployment]:
    """The latest `count` of a service in an environment that finished before then, by (at, id)."""
    return _kept(lambda limit: log.last_deployments_before(*track, before, limit), count)[-count:]


def first_after(log: "DeliveryLog", track: tuple[str, str], after: datetime, count: int) -> list[Deployment]:
    """The earliest `count` that finished later than then, by (at, id)."""
    return _kept(lambda limit: log.first_deployments_after(*track, after, limit), count)[:count]


def _kept(read: Callable[[int], Sequence[Deployment]], count: int) -> list[Deployment]:
    limit = count
    while True:
        found = read(limit)
        kept = [one for one in found if one.kind is not DeploymentKind.REMOVED]
        if len(kept) >= count or len(found) < limit:
            return kept
        limit *= 2
