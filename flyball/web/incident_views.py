"""Incidents in words and as JSON, for the console."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from alerts.incidents.views import page_data
from controlplane import wording
from controlplane.model.event import JSON
from controlplane.model.follow_up import Action, RunbookRun
from controlplane.model.incident import DueStep, Incident, IncidentState, PriceTag, Priority
from flyball.web.incident_gathering import IncidentFile

_CHIPS: Final = {Priority.P0: "page", Priority.P1: "page", Priority.P2: "ticket", Priority.P3: "ticket"}


def chip_of(priority: Priority) -> str:
    """The mark that stands with a priority."""
    return _CHIPS.get(priority, "ok")


def state_in_words(incident: Incident) -> str:
    """Where it stands, and who has it."""
    if incident.state is IncidentState.RESOLVED:
        return f"resolved by {incident.resolved_by}" if incident.resolved_by else "resolved"
    if incident.state is IncidentState.ACKNOWLEDGED:
        return f"acknowledged by {incident.acknowledged_by}"
    return "open, nobody has it"


def summary(incidents: Sequence[Incident]) -> str:
    """How all of the open ones stand, in a sentence."""
    real = [each for each in incidents if not each.is_drill]
    if not real:
        return "No incident is open." if not incidents else "No incident is open; drills are."
    incidents = real
    unowned = sum(each.state is IncidentState.OPEN for each in incidents)
    if len(incidents) == 1:
        return f"1 incident is open; {'nobody' if unowned else 'somebody'} has it."
    had = f"nobody has {unowned} of them" if unowned else "somebody has each of them"
    return f"{len(incidents)} incidents are open; {had}."


def lasted(incident: Incident, now: datetime) -> str:
    """How long it went on, or goes on."""
    return wording.duration(max(incident.resolved_at or now, incident.started_at) - incident.started_at)


def price_in_words(price: PriceTag) -> list[tuple[str, str]]:
    """What it cost, a line each: what, and how much. What is not known is not there."""
    lines = [(f"Error budget of {slo}", wording.percent(float(share))) for slo, share in price.budget_burned]
    lines += [(f"Extra spend, {of}", wording.money(amount, unit)) for of, amount, unit in price.extra_spend]
    if price.failed_operations is not None:
        lines.append(("Failed operations", wording.count(float(price.failed_operations))))
    return lines


def target_in_words(target: str) -> str:
    """Whom a step of an escalation tells."""
    kind, _, name = target.partition(":")
    return f"whoever is on call in {name}" if kind == "schedule" else name


def step_state(step: DueStep, now: datetime) -> str:
    """Where a step of an escalation stands."""
    if step.fired_at is not None:
        return f"told {', '.join(step.told) or 'nobody: nobody is on call'}"
    if step.cancelled_at is not None:
        return "not needed"
    return f"in {wording.duration(step.due_at - now)}" if step.due_at > now else "due"


def file_data(file: IncidentFile) -> dict[str, JSON]:
    """All that is known of an incident, as JSON."""
    return {
        **page_data(file.page),
        "runs": [_run(each) for each in file.runs],
        "actions": [_action(each) for each in file.actions],
    }


def _run(each: RunbookRun) -> dict[str, JSON]:
    return {"id": each.id, "runbook": each.runbook, "state": each.state.value, "dry_run": each.is_dry, "by": each.actor}


def _action(each: Action) -> dict[str, JSON]:
    return {
        "id": each.id,
        "title": each.title,
        "owner": each.owner,
        "due": each.due.isoformat(),
        "state": each.state.value,
    }
