"""Deployments and incidents by what a person calls them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from controlplane.delivery_names import SOURCE_INCIDENTS
from controlplane.model.delivery import DeliveryIncident, Deployment
from controlplane.specfile import did_you_mean

if TYPE_CHECKING:
    from controlplane.ports import Transaction

_PAST: Final = timedelta(days=400)  # in which names are looked for
_MOST_LOOKED_AT: Final = 20_000  # deployments, the latest
_SHORTEST_REVISION: Final = 7
_MOST_TOLD: Final = 5


class NotFound(Exception):
    """There is no such thing, or more than one; says what there is instead."""


def incident_named(transaction: "Transaction", name: str, now: datetime) -> DeliveryIncident:
    """By its name (`INC-7`), its id, or the end of it after the source. Raises NotFound."""
    log = transaction.delivery
    found = log.delivery_incidents([name])
    if name in found:
        return found[name]
    own = transaction.incidents.incident(name)
    if own is not None:
        id_ = f"{SOURCE_INCIDENTS}#{own.id}"
        known = log.delivery_incidents([id_])
        if id_ in known:
            return known[id_]
        raise NotFound(f"{name} is no incident of deliveries (yet): events of it were not looked at, or it is a drill")
    lately = log.incidents_between(now - _PAST, now + timedelta(days=1))
    fitting = [each for each in lately if name == each.name or each.id.endswith(f"#{name}")]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise NotFound(f"several incidents are called {name}: {_listed(each.id for each in fitting)}")
    meant = did_you_mean(name, [each.name or each.id for each in lately])
    hint = f"did you mean {meant}?" if meant else "flyball dora incidents lists them"
    raise NotFound(f"no incident is named {name}: {hint}")


def deployment_named(
    transaction: "Transaction", name: str, now: datetime, *, service: str = "", environment: str = ""
) -> Deployment:
    """By its id, the end of it after the source, a version, or the beginning of a revision; of that service first.

    Raises NotFound, also when several fit.
    """
    log = transaction.delivery
    exact = log.deployments([name])
    if name in exact:
        return exact[name]
    later = now + timedelta(days=1)
    for where in (service, "") if service else ("",):
        latest = log.deployments_between(
            now - _PAST, later, service=where, environment=environment if where else "", limit=_MOST_LOOKED_AT
        )
        fitting = [each for each in latest if _is_called(each, name)]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            told = _listed(f"{each.id} ({each.service}, {each.at:%Y-%m-%d %H:%M})" for each in reversed(fitting))
            raise NotFound(f"several deployments are called {name}: {told}")
    raise NotFound(f"no deployment is called {name}: flyball dora deployments lists them")


def _is_called(it: Deployment, name: str) -> bool:
    if it.id.endswith(f"#{name}") or name == it.version:
        return True
    return len(name) >= _SHORTEST_REVISION and it.revision.startswith(name)


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    more = f" and {len(found) - _MOST_TOLD:,} more" if len(found) > _MOST_TOLD else ""
    return f"{', '.join(found[:_MOST_TOLD])}{more}"
