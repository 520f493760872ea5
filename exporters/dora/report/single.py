"""Single deployments and incidents, reckoned anew from the facts around them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from controlplane.model.delivery import (
    Attribution,
    AttributionReason,
    Change,
    Correction,
    DeliveryEvent,
    Deployment,
    DeploymentKind,
    EntityKind,
    SheetKey,
    StoredEffect,
)
from exporters.dora.effects.rows import told
from exporters.dora.model import JudgedDeployment
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.reckoning import looks
from exporters.dora.reckoning.gathering import gather, gather_span
from exporters.dora.reckoning.judging import Judge, JudgedIncident, Reckoning, reckon

if TYPE_CHECKING:
    from controlplane.delivery_ports import DeliveryLog

MOST: Final = 200  # shown
MOST_RECKONED: Final = 5000  # deployments: of a service with more of them in that time, the latest
MOST_EVENTS: Final = 50  # behind one deployment
_DAY: Final = timedelta(days=1)
_INSTANT: Final = timedelta(microseconds=1)
Track = tuple[str, str]  # service, environment


@dataclass(frozen=True, slots=True)
class Asked:
    """Which ones: those of [start, end); empty names are any. `is_failed`: only those that failed."""

    start: datetime
    end: datetime
    service: str = ""
    environments: tuple[str, ...] = ()
    is_failed: bool = False
    limit: int = MOST


@dataclass(frozen=True, slots=True)
class Judged:
    """Deployments, latest first, and by id the incidents held against them. `left_out`: more fit than are here."""

    deployments: tuple[JudgedDeployment, ...]
    incidents: Mapping[str, JudgedIncident]
    left_out: bool = False


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything about one deployment. `judged` is None for one that took a service away.

    `changes` by id and `events` are those behind it; `effects` what it did to budgets and costs.
    """

    deployment: Deployment
    judged: JudgedDeployment | None
    incidents: tuple[JudgedIncident, ...]
    changes: Mapping[str, Change]
    events: tuple[DeliveryEvent, ...]
    effects: tuple[StoredEffect, ...]


def judged_deployments(log: "DeliveryLog", asked: Asked, policy: DeliveryPolicy) -> Judged:
    """The latest that fit, with what became of them."""
    found = _latest(log, asked)
    spans: dict[Track, list[Deployment]] = {}
    for each in found:
        spans.setdefault((each.service, each.environment), []).append(each)
    judged: list[JudgedDeployment] = []
    incidents: dict[str, JudgedIncident] = {}
    wanted = {each.id for each in found}
    for track, own in sorted(spans.items()):
        reckoned = _reckoned(log, track, own[0].at, own[-1].at + looks.causes(policy) + _INSTANT, policy)
        judged += [each for each in reckoned.deployments if each.id in wanted]
        incidents |= {each.incident.id: each for each in reckoned.incidents}
    fitting = [each for each in judged if each.failure is not None or not asked.is_failed]
    fitting.sort(key=lambda each: (each.at, each.id), reverse=True)
    shown = tuple(fitting[: asked.limit])
    held = {id_: each.id for each in shown for id_ in each.incidents}
    return Judged(shown, _with_others(log, incidents, held), len(fitting) > asked.limit)


def judged_incidents(log: "DeliveryLog", asked: Asked, policy: DeliveryPolicy) -> list[JudgedIncident]:
    """Those that began in that time and count, latest first, each with what it is held against.

    Only the days on which they began are reckoned.
    """
    lately = [
        each
        for each in log.incidents_between(asked.start, asked.end, service=asked.service)
        if each.is_counted and (not asked.environments or each.environment in asked.environments)
        and asked.start <= each.started_at < asked.end
    ]  # fmt: skip
    chosen = sorted(lately, key=lambda each: (each.started_at, each.id), reverse=True)[: asked.limit]
    wanted = {each.id for each in chosen}
    keys = {SheetKey(each.service, each.environment, each.started_at.astimezone(UTC).date()) for each in chosen}
    found: list[JudgedIncident] = []
    for gathered in gather(log, sorted(keys), policy):
        judge = Judge(gathered.stretch, gathered.start, gathered.end, policy)
        for day in gathered.days:
            midnight = datetime.combine(day, time.min, UTC)
            found += judge.between(midnight, midnight + _DAY).incidents
    found.sort(key=lambda each: (each.incident.started_at, each.incident.id), reverse=True)
    return [each for each in found if each.incident.id in wanted]


def dossier(log: "DeliveryLog", deployment: Deployment, policy: DeliveryPolicy) -> Dossier:
    """All about it."""
    judged, incidents = None, {}
    if deployment.kind is not DeploymentKind.REMOVED:
        track = (deployment.service, deployment.environment)
        reckoned = _reckoned(log, track, deployment.at, deployment.at + looks.causes(policy) + _INSTANT, policy)
        judged = next((each for each in reckoned.deployments if each.id == deployment.id), None)
        incidents = {each.incident.id: each for each in reckoned.incidents}
    held = dict.fromkeys(judged.incidents, deployment.id) if judged else {}
    changes = log.changes([each.change for each in judged.changes]) if judged else {}
    entity = f"{EntityKind.DEPLOYMENT.value}:{deployment.id}"
    events = log.events_of([entity]).get(entity, [])
    effects = told(log.effects_of([deployment.id]).get(deployment.id, []))
    found = _with_others(log, incidents, held)
    own = tuple(found[id_] for id_ in sorted(held) if id_ in found)
    return Dossier(deployment, judged, own, changes, tuple(events[:MOST_EVENTS]), tuple(effects))


def corrections_of(log: "DeliveryLog", incidents: Sequence[JudgedIncident]) -> dict[str, Correction]:
    """What people said about them, by incident; withdrawn words left out."""
    found = log.corrections([each.incident.id for each in incidents])
    return {id_: each for id_, each in found.items() if not each.is_withdrawn}


def _latest(log: "DeliveryLog", asked: Asked) -> list[Deployment]:
    """By (at, id). Without a search for failed ones no more are read than are shown."""
    limit = MOST_RECKONED if asked.is_failed else asked.limit + 1
    found: list[Deployment] = []
    for environment in asked.environments or ("",):
        found += log.deployments_between(
            asked.start, asked.end, service=asked.service, environment=environment, limit=limit
        )
    found.sort(key=lambda each: (each.at, each.id))
    return found[-limit:]


def _reckoned(log: "DeliveryLog", track: Track, start: datetime, end: datetime, policy: DeliveryPolicy) -> Reckoning:
    gathered = gather_span(log, *track, start, end, policy)
    return reckon(gathered.stretch, gathered.start, gathered.end, policy)


def _with_others(
    log: "DeliveryLog", known: Mapping[str, JudgedIncident], blamed: Mapping[str, str]
) -> dict[str, JudgedIncident]:
    """Incidents by id, for `blamed` deployments by incident.

    Those that began at another time, or in another service, are held against a deployment only by what was said.
    """
    found = {id_: known[id_] for id_ in blamed if id_ in known}
    missing = sorted(blamed.keys() - found.keys())
    if not missing:
        return found
    corrections = log.corrections(missing)
    for id_, incident in log.delivery_incidents(missing).items():
        correction = corrections.get(id_)
        is_corrected = correction is not None and not correction.is_withdrawn
        reason = AttributionReason.CORRECTED if is_corrected else AttributionReason.LINKED
        text = f"{correction.actor} said so" if correction and is_corrected else f"it names {incident.deployment}"
        lasted = incident.resolved_at - incident.started_at if incident.resolved_at else None
        found[id_] = JudgedIncident(incident, Attribution(id_, blamed[id_], reason, text), lasted)
    return found
