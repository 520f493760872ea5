"""What is told of a ladder's moves: events for the other features, alerts for whoever is on call.

Every id is made from the step (or the moment) that it tells of, so that telling twice changes nothing.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from controlplane import conventions as names
from controlplane.model.event import JSON, Event
from controlplane.model.ladder import FlagValue, StepRecord
from controlplane.model.outbox import OutboxMessage
from finops.ladder.model import Ladder

CONSOLE: Final = "console"


@dataclass(frozen=True, slots=True)
class Page:
    """Something for people. `key` names what it is about, so that it is told once and its end finds it again."""

    alert: str
    key: str
    summary: str
    description: str
    starts_at: datetime
    severity: str = names.SEVERITY_PAGE


def step_events(step: StepRecord, at: datetime, changed: Mapping[str, tuple[FlagValue, FlagValue]]) -> list[Event]:
    """A step stands: the tier that is in force now, and each flag that is another one (from, to)."""
    data: dict[str, JSON] = {
        "from": step.from_tier,
        "to": step.to_tier,
        "tier": step.to_tier,
        "ladder": step.ladder,
        "cause": step.cause.value,
        "reason": step.reason,
        "actor": step.actor,
        "step": step.id,
    }
    moved = Event(f"{names.EVENT_TIER_CHANGED}:{step.id}", names.EVENT_TIER_CHANGED, step.ladder, at, data)
    return [moved, *(flag_event(step, flag, values, at) for flag, values in changed.items())]


def flag_event(step: StepRecord, flag: str, values: tuple[FlagValue, FlagValue], at: datetime) -> Event:
    """A flag has another value because of a step."""
    data: dict[str, JSON] = {
        "from": values[0],
        "to": values[1],
        "store": step.store,
        "ladder": step.ladder,
        "step": step.id,
    }
    return Event(f"{names.EVENT_FLAG_CHANGED}:{step.id}:{flag}", names.EVENT_FLAG_CHANGED, flag, at, data)


def failed_event(step: StepRecord, at: datetime) -> Event:
    """A step does not stand."""
    data: dict[str, JSON] = {
        "from": step.from_tier,
        "to": step.to_tier,
        "ladder": step.ladder,
        "outcome": step.outcome.value if step.outcome else "",
        "reason": step.detail,
        "cause": step.cause.value,
        "step": step.id,
    }
    return Event(f"{names.EVENT_STEP_FAILED}:{step.id}", names.EVENT_STEP_FAILED, step.ladder, at, data)


def message(page: Page, ladder: str, declared: Ladder | None, ends_at: datetime | None = None) -> OutboxMessage:
    """A page as an alert, the way whoever delivers alerts understands it; with `ends_at` it is over."""
    fingerprint = hashlib.sha256(f"{page.alert}\x00{ladder}\x00{page.key}".encode()).hexdigest()[:16]
    annotations: dict[str, JSON] = {names.SUMMARY: page.summary, names.DESCRIPTION: page.description}
    if declared is not None and declared.runbook_url:
        annotations[names.RUNBOOK_URL] = declared.runbook_url
    labels = dict(declared.labels) if declared is not None else {}
    labels |= {"alertname": page.alert, names.SEVERITY: page.severity, names.LADDER: ladder}
    status = "firing" if ends_at is None else "resolved"
    return OutboxMessage(
        id=f"{CONSOLE}:{page.alert}:{ladder}:{page.key}@{page.starts_at.isoformat()}:{status}",
        channel=CONSOLE,
        key=f"{CONSOLE}:{fingerprint}",
        payload={
            "fingerprint": fingerprint,
            "status": status,
            "starts_at": page.starts_at.isoformat(),
            "ends_at": ends_at.isoformat() if ends_at else None,
            "labels": {**labels},
            "annotations": annotations,
            "generator_url": "",
        },
    )


def failed_page(step: StepRecord) -> Page:
    """A step was undone after it had begun."""
    way = "up" if step.is_up else "down"
    return Page(
        alert=names.ALERT_LADDER_STEP_FAILED,
        key=step.id,
        summary=f"ladder {step.ladder}: the step {way} to tier {step.to_tier} was undone",
        description=(
            f"{_sentence(step.detail)}\nThe flags are as they were in tier {step.from_tier}. "
            f"Look at it with `flyball ladder status {step.ladder}`."
        ),
        starts_at=step.ended_at or step.decided_at,
    )


def yielded_page(ladder: str, flags: Mapping[str, FlagValue], by: Mapping[str, str], at: datetime) -> Page:
    """A person changed flags that the ladder had set, or was setting."""
    told = ", ".join(f"{flag} (by {by[flag]})" if by.get(flag) else flag for flag in sorted(flags))
    return Page(
        alert=names.ALERT_LADDER_YIELDED,
        key=",".join(sorted(flags)),
        summary=f"ladder {ladder}: somebody changed {told}; the ladder leaves it alone and waits",
        description=(
            "It moves in neither direction until it is told whose value shall stand: "
            f"`flyball ladder resume {ladder} --keep-theirs` or `flyball ladder resume {ladder} --take-back`."
        ),
        starts_at=at,
    )


def store_down_page(ladder: str, why: str, since: datetime) -> Page:
    """The flag store does not answer."""
    return Page(
        alert=names.ALERT_FLAG_STORE_DOWN,
        key="store",
        summary=f"ladder {ladder}: its flag store does not answer",
        description=f"{_sentence(why)}\nThe ladder stays as it is and asks again every turn.",
        starts_at=since,
    )


def stuck_page(step: StepRecord, why: str) -> Page:
    """A step can be neither finished nor undone."""
    return Page(
        alert=names.ALERT_LADDER_STUCK,
        key=step.id,
        summary=f"ladder {step.ladder}: the step to tier {step.to_tier} can be neither finished nor undone",
        description=f"{_sentence(why)}\nIt is tried again every turn; flags of both tiers may be set until then.",
        starts_at=step.decided_at,
    )


def audited(step: StepRecord) -> dict[str, JSON]:
    """What the audit log keeps of a step at each of its phases."""
    changes: list[JSON] = [[each.flag, each.before, each.after, each.tier] for each in step.changes]
    detail: dict[str, JSON] = {
        "step": step.id,
        "phase": step.phase.value,
        "from": step.from_tier,
        "to": step.to_tier,
        "cause": step.cause.value,
        "reason": step.reason,
        "store": step.store,
        "changes": changes,
        "journeys": list(step.journeys),
    }
    told = {"approval": step.approval, "order": step.order, "detail": step.detail}
    return detail | {key: text for key, text in told.items() if text}


def _sentence(text: str) -> str:
    capital = text[:1].upper() + text[1:]
    return capital if not capital or capital.endswith((".", "!", "?")) else f"{capital}."
