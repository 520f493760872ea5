"""Deployments as events of the event log, where incidents' timelines and cost explanations find them."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from controlplane.conventions import EVENT_DEPLOYED, SERVICE
from controlplane.delivery_names import ENVIRONMENT
from controlplane.model.delivery import Deployment, DeploymentKind, DeploymentOutcome
from controlplane.model.event import JSON, Event
from exporters.dora.policy.model import DeliveryPolicy

if TYPE_CHECKING:
    from controlplane.delivery_ports import DeliveryLog

NEWS: Final = timedelta(days=2)  # a past that is read in later is no news
_BEFORE: Final = 5  # deployments before it among which the version that ran until then is looked for
_MOMENT: Final = timedelta(microseconds=1)
_SHORT: Final = 12  # of a revision, where there is no version


def to_tell(deployments: Iterable[Deployment], policy: DeliveryPolicy, now: datetime) -> list[Deployment]:
    """Those that are news to people who look after production: finished there in the last two days, failed or not."""
    return [
        each
        for each in deployments
        if each.kind is not DeploymentKind.REMOVED
        and each.environment in policy.production
        and now - NEWS <= each.at <= now + NEWS
    ]


def events_of(log: "DeliveryLog", deployments: Sequence[Deployment]) -> Iterator[Event]:
    """One each, with an id that follows from the deployment's; `log` knows these deployments."""
    tracks: dict[tuple[str, str], list[Deployment]] = {}
    for each in deployments:
        tracks.setdefault((each.service, each.environment), []).append(each)
    for (service, environment), own in sorted(tracks.items()):
        first, last = min(each.at for each in own), max(each.at for each in own)
        around = log.last_deployments_before(service, environment, first, _BEFORE)
        around += log.deployments_between(first, last + _MOMENT, service=service, environment=environment)
        for each in sorted(own, key=lambda deployment: (deployment.at, deployment.id)):
            yield _event(each, _version_before(each, around))


def _version_before(deployment: Deployment, around: Sequence[Deployment]) -> str:
    """What ran until then; empty when that is not known."""
    place = (deployment.at, deployment.id)
    before = takewhile(lambda other: (other.at, other.id) < place, around)
    ran = [other for other in before if other.outcome is DeploymentOutcome.SUCCEEDED]
    if not ran or ran[-1].kind is DeploymentKind.REMOVED:
        return ""
    return _version(ran[-1])


def _event(deployment: Deployment, before: str) -> Event:
    data: dict[str, JSON] = {
        SERVICE: deployment.service,
        ENVIRONMENT: deployment.environment,
        "version": _version(deployment),
        "from": before,
        "revision": deployment.revision,
        "deployment": deployment.id,
        "kind": deployment.kind.value,
        "outcome": deployment.outcome.value,
        "url": deployment.url,
    }
    told = {key: value for key, value in data.items() if value}
    digest = hashlib.sha256(deployment.id.encode()).hexdigest()[:32]
    return Event(f"{EVENT_DEPLOYED}:{digest}", EVENT_DEPLOYED, deployment.service, deployment.at, told)


def _version(deployment: Deployment) -> str:
    return deployment.version or deployment.revision[:_SHORT]
