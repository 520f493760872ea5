"""Acknowledgements that nobody followed up lapse after the time that the policy gives, and the steps begin again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from alerts.escalation.model import EscalationPolicy
from alerts.escalation.planning import cancelled, steps_of
from alerts.incidents.writing import write
from alerts.model import AlertsDeclared
from controlplane import wording
from controlplane.model.incident import Incident, IncidentState, TimelineEntry, TimelineKind
from controlplane.ports import Transaction

ACTOR: Final = "flyball"
ACTION: Final = "incident.acknowledgement_lapsed"
_BY_PEOPLE: Final = frozenset(
    {
        TimelineKind.NOTE, TimelineKind.MESSAGE, TimelineKind.ROLE, TimelineKind.PRIORITY, TimelineKind.STATUS,
        TimelineKind.RUNBOOK, TimelineKind.ACTION, TimelineKind.ACKNOWLEDGED,
    }
)  # fmt: skip


def may_lapse(incident: Incident, policy: EscalationPolicy | None, at: datetime) -> bool:
    """Whether the incident was acknowledged so long ago that its timeline must be looked at."""
    return (
        policy is not None
        and policy.acknowledged_for is not None
        and incident.state is IncidentState.ACKNOWLEDGED
        and incident.acknowledged_at is not None
        and incident.acknowledged_at + policy.acknowledged_for <= at
    )


def lapses_at(incident: Incident, policy: EscalationPolicy, timeline: Sequence[TimelineEntry]) -> datetime | None:
    """When an acknowledgement lapses: `acknowledged_for` after it, and after every line that a person wrote since."""
    if policy.acknowledged_for is None or incident.acknowledged_at is None:
        return None
    since = [entry.at for entry in timeline if entry.actor not in ("", ACTOR) and entry.kind in _BY_PEOPLE]
    return max([incident.acknowledged_at, *since]) + policy.acknowledged_for


def lapse(
    transaction: Transaction,
    incident: Incident,
    policy: EscalationPolicy,
    *,
    declared: AlertsDeclared,
    at: datetime,
    now: datetime,
) -> Incident:
    """The incident is nobody's again, and the rounds begin again at `at`. The caller holds `incidents.lock()`."""
    old = transaction.incidents.steps_of(incident.id)
    rounds = [step.round for step in old if step.policy == policy.name]
    first = max(rounds, default=-1) + 1
    by = incident.acknowledged_by
    changed = replace(
        incident,
        state=IncidentState.OPEN,
        acknowledged_at=None,
        acknowledged_by="",
        version=incident.version + 1,
        updated_at=at,
    )
    incident = transaction.incidents.put(changed)
    again = steps_of(policy, incident.id, at, first_round=first)
    transaction.incidents.put_steps([*cancelled(old, at), *again])
    assert policy.acknowledged_for is not None
    quiet = wording.duration(policy.acknowledged_for)
    text = f"The acknowledgement of {by} lapsed: nobody noted anything for {quiet}. Escalation begins again"
    line = TimelineEntry(f"lapsed:{incident.version}", incident.id, at, TimelineKind.ESCALATED, text, ACTOR, {"of": by})
    write(transaction, incident, [line], [], declared=declared, now=now)
    transaction.audit.append(
        at=now, actor=ACTOR, action=ACTION, subject=incident.name, detail={"incident": incident.id, "of": by}
    )
    return incident
