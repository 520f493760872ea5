"""A person says which deployment caused an incident."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from controlplane.model.delivery import Correction, DeliveryIncident, Deployment
from controlplane.model.event import JSON
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.reckoning.reach import days_of_correction
from exporters.dora.report.finding import deployment_named, incident_named

if TYPE_CHECKING:
    from controlplane.ports import Store

ACTION: Final = "dora.attribute"  # in the audit log
LONGEST_NOTE: Final = 2000  # characters
AUTOMATIC: Final = "automatic"
NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is said of `incident` (its name or id). `to`: a deployment's id, version or revision, NONE or AUTOMATIC."""

    incident: str
    to: str
    actor: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Corrected:
    """What was written: `deployment` is None when none is to blame, or when the automatic attribution holds again."""

    incident: DeliveryIncident
    deployment: Deployment | None
    correction: Correction
    days: int  # to be measured anew


def correct(store: "Store", wish: Wish, policy: DeliveryPolicy, now: datetime) -> Corrected:
    """Write it, with its audit entry and the days that change; the measuring of these tells the incident's timeline.

    Raises NotFound for names that fit nothing or more than one thing, Transient when the store fails.
    """
    note = " ".join(wish.note.split())[:LONGEST_NOTE]
    with store.transaction() as transaction:
        log = transaction.delivery
        incident = incident_named(transaction, wish.incident, now)
        deployment = None
        if wish.to not in (NONE, AUTOMATIC):
            own = {"service": incident.service, "environment": incident.environment}
            deployment = deployment_named(transaction, wish.to, now, **own)
        before = log.corrections([incident.id]).get(incident.id)
        is_withdrawn = wish.to == AUTOMATIC
        target = deployment.id if deployment else ""
        correction = Correction(incident.id, target, wish.actor, now, note, is_withdrawn)
        blamed = [target, before.deployment if before else ""]
        days = days_of_correction(log, incident, blamed, policy, now.astimezone(UTC).date())
        log.put_correction(correction)
        log.mark_stale(days)
        detail: dict[str, JSON] = {
            "incident": incident.id,
            "deployment": target,
            "automatic": is_withdrawn,
            "note": note,
            "before": before.deployment if before and not before.is_withdrawn else None,
        }
        subject = incident.name or incident.id
        transaction.audit.append(at=now, actor=wish.actor, action=ACTION, subject=subject, detail=detail)
    return Corrected(incident, deployment, correction, len(days))


def corrected_text(it: Corrected) -> str:
    """What was done, in a sentence or two."""
    name = it.incident.name or it.incident.id
    if it.correction.is_withdrawn:
        said = f"{name} is attributed automatically again."
    elif it.deployment is None:
        said = f"{name} is held against no deployment."
    else:
        one = it.deployment
        said = f"{name} is held against {one.version or one.id} of {one.service} in {one.environment}."
    if not it.incident.is_counted:
        return f"{said} It does not count, by its sender or the policy's priorities: no metric changes."
    days = "1 day is" if it.days == 1 else f"{it.days:,} days are"
    return f"{said} {days} measured anew for that."


def corrected_data(it: Corrected) -> dict[str, JSON]:
    """The same for programs."""
    return {
        "incident": it.incident.id,
        "name": it.incident.name,
        "deployment": it.correction.deployment or None,
        "automatic": it.correction.is_withdrawn,
        "note": it.correction.note,
        "by": it.correction.actor,
        "counted": it.incident.is_counted,
        "stale_days": it.days,
    }
