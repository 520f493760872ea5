"""Status pages for the terminal and for programs."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from controlplane.model.event import JSON
from controlplane.model.public_status import ComponentStatus, Impact, PublicComponent, PublicIncident, PublicSnapshot
from controlplane.model.status_record import CorrectionRecord, IncidentRecord, Subscriber, UpdateRecord
from controlplane.wording import duration
from synthetics.status_page import cadence
from synthetics.status_page.notices import stamp
from synthetics.status_page.posting import Posted

_STATUS_WIDTH = 20
_WORDS = {status: status.value.replace("_", " ") for status in ComponentStatus}


def show_text(shown: PublicSnapshot, waiting: int) -> str:
    """What the page says now, in at most 80 columns."""
    lines = [
        f"{shown.page.name}  {shown.page.url}",
        f"  as of {shown.at:%Y-%m-%d %H:%M} UTC: {_headline(shown)}",
        "",
    ]
    width = max((len(each.name) for each in shown.components), default=0)
    lines += [_component_line(each, min(width, 34)) for each in shown.components]
    open_ = [each for each in (*shown.incidents, *shown.maintenances) if each.resolved_at is None]
    lines += [line for each in open_ for line in ("", *_incident_lines(each, shown.at))]
    if waiting:
        noun = "update waits" if waiting == 1 else "updates wait"
        lines += ["", f"{waiting} {noun} for approval: flyball status drafts {shown.page.id}"]
    return "\n".join(lines)


def show_data(shown: PublicSnapshot, waiting: int) -> dict[str, JSON]:
    """The same for programs."""
    components: list[JSON] = [
        {
            "id": each.id,
            "name": each.name,
            "status": each.status.value,
            "since": stamp(each.updated_at),
            "basis": list(each.basis),
            "uptime_ratio": str(each.uptime.ratio) if each.uptime and each.uptime.ratio is not None else None,
            "reduced": each.reduced.text if each.reduced else None,
        }
        for each in shown.components
    ]
    incidents: list[JSON] = [_incident_data(each) for each in (*shown.incidents, *shown.maintenances)]
    return {
        "page": shown.page.id,
        "at": stamp(shown.at),
        "indicator": shown.indicator.value,
        "components": components,
        "incidents": incidents,
        "drafts": waiting,
    }


def drafts_text(drafts: Sequence[tuple[UpdateRecord, IncidentRecord]], now: datetime) -> str:
    """Updates that wait, each with what it says and how to go on."""
    if not drafts:
        return "Nothing waits for approval."
    blocks = []
    for update, incident in drafts:
        late = cadence.overdue(incident.next_update_by, now)
        due = f"  overdue for {duration(late)}" if late else ""
        head = f"{update.id}  {update.status.value}  {incident.name}"
        about = f"  by {update.author}, {update.created_at:%H:%M} UTC, {update.state.value}{due}"
        body = [f"    {line}" for line in update.body.splitlines()]
        blocks.append("\n".join([head, about, *body, f"  flyball status approve {update.id} --by NAME"]))
    return "\n\n".join(blocks)


def drafts_data(drafts: Sequence[tuple[UpdateRecord, IncidentRecord]], now: datetime) -> list[JSON]:
    """The same for programs."""
    return [
        {
            "id": update.id,
            "page": update.page,
            "incident": incident.id,
            "name": incident.name,
            "status": update.status.value,
            "state": update.state.value,
            "author": update.author,
            "mark": update.mark,
            "created_at": stamp(update.created_at),
            "body": update.body,
            "overdue_seconds": int(cadence.overdue(incident.next_update_by, now).total_seconds()),
        }
        for update, incident in drafts
    ]


def posted_text(posted: Posted, needs_approval: bool) -> str:
    """What became of it, and what to do next."""
    about = (
        f"{posted.update.id}: {posted.update.status.value}, “{posted.incident.name}” (incident {posted.incident.id})"
    )
    if posted.is_published:
        told = f"{posted.messages} message{'' if posted.messages == 1 else 's'} to subscribers queued"
        promise = posted.incident.next_update_by
        due = f"; next update promised by {promise:%H:%M} UTC" if promise else ""
        return f"Published {about}\n  {told}{due}"
    way = f"flyball status approve {posted.update.id} --by NAME"
    hint = f"the page needs approval: {way}" if needs_approval else f"publish it: {way}"
    return f"Drafted {about}\n  nobody outside sees it; {hint}"


def posted_data(posted: Posted) -> dict[str, JSON]:
    """The same for programs."""
    promise = posted.incident.next_update_by
    return {
        "update": posted.update.id,
        "incident": posted.incident.id,
        "name": posted.incident.name,
        "status": posted.update.status.value,
        "impact": posted.incident.impact.value,
        "state": posted.update.state.value,
        "approved_by": posted.update.approved_by or None,
        "next_update_by": stamp(promise) if promise else None,
        "messages": posted.messages,
    }


def subscribers_text(found: Iterable[Subscriber]) -> str:
    """One a line."""
    lines = [f"{each.id}  {each.channel.value:<7}  {each.state.value:<7}  {each.address}" for each in found]
    return "\n".join(lines) if lines else "Nobody has subscribed."


def subscribers_data(found: Iterable[Subscriber]) -> list[JSON]:
    """The same for programs, without what opens links."""
    return [
        {
            "id": each.id,
            "page": each.page,
            "channel": each.channel.value,
            "state": each.state.value,
            "address": each.address,
            "asked_at": stamp(each.asked_at),
            "confirmed_at": stamp(each.confirmed_at) if each.confirmed_at else None,
        }
        for each in found
    ]


def correction_data(record: CorrectionRecord) -> dict[str, JSON]:
    """A correction for programs."""
    correction = record.correction
    return {
        "id": record.id,
        "component": record.component,
        "start": stamp(correction.start),
        "end": stamp(correction.end),
        "status": correction.status.value,
        "reason": correction.reason,
        "by": record.by,
        "withdrawn_at": stamp(record.withdrawn_at) if record.withdrawn_at else None,
    }


def percent(ratio: Decimal | None) -> str:
    """Rounded down: 100 % is said of nothing that was down."""
    if ratio is None:
        return "not measured"
    return f"{(ratio * 100).quantize(Decimal('0.001'), ROUND_FLOOR)} %"


def _headline(shown: PublicSnapshot) -> str:
    """How it is in a word or two; well is only what is known to be well."""
    if shown.indicator is not Impact.NONE:
        return str(shown.indicator.value)
    unknown = sum(each.status is ComponentStatus.UNKNOWN for each in shown.components)
    return f"{unknown} of {len(shown.components)} components unknown" if unknown else "all well"


def _component_line(component: PublicComponent, width: int) -> str:
    uptime = percent(component.uptime.ratio) if component.uptime else ""
    name = component.name if len(component.name) <= width else f"{component.name[: width - 1]}…"
    line = f"  {name:<{width}}  {_WORDS[component.status]:<{_STATUS_WIDTH}}  {uptime:>12}".rstrip()
    return f"{line}\n    reduced: {component.reduced.text}" if component.reduced else line


def _incident_lines(incident: PublicIncident, now: datetime) -> list[str]:
    lines = [f"{incident.id}  {incident.status.value}, {incident.impact.value}: {incident.name}"]
    if incident.scheduled_for and incident.scheduled_until:
        lines.append(f"  {incident.scheduled_for:%Y-%m-%d %H:%M} to {incident.scheduled_until:%Y-%m-%d %H:%M} UTC")
    if incident.next_update_by:
        late = cadence.overdue(incident.next_update_by, now)
        lines.append(
            f"  next update by {incident.next_update_by:%H:%M} UTC"
            + (f", overdue for {duration(late)}" if late else "")
        )
    return lines


def _incident_data(incident: PublicIncident) -> dict[str, JSON]:
    promise = incident.next_update_by
    return {
        "id": incident.id,
        "name": incident.name,
        "status": incident.status.value,
        "impact": incident.impact.value,
        "started_at": stamp(incident.started_at),
        "resolved_at": stamp(incident.resolved_at) if incident.resolved_at else None,
        "scheduled_for": stamp(incident.scheduled_for) if incident.scheduled_for else None,
        "next_update_by": stamp(promise) if promise else None,
        "updates": len(incident.updates),
    }
