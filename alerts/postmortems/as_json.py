"""A postmortem as JSON: what is not known is null, money and ratios are decimal strings. Pure."""

from datetime import datetime

from alerts.incidents.views import entry_data, incident_data
from alerts.postmortems import sentences
from alerts.postmortems.model import Postmortem, TrackedAction
from controlplane.model.event import JSON
from controlplane.model.follow_up import Action, Ticket


def postmortem_data(it: Postmortem) -> dict[str, JSON]:
    """Everything."""
    at = it.moments
    return {
        "incident": incident_data(it.incident),
        "summary": list[JSON](sentences.summary(it)),
        "impact": list[JSON](sentences.impact(it)),
        "moments": {
            "began_at": _time(at.began),
            "detected_at": _time(at.detected),
            "told_at": _time(at.told),
            "acknowledged_at": _time(at.acknowledged),
            "quiet_at": _time(at.quiet),
            "resolved_at": _time(at.resolved),
            **sentences.response_seconds(at),
        },
        "timeline": [entry_data(each) for each in it.timeline],
        "alert_count": it.alert_count,
        "actions": [tracked_data(each) for each in it.actions],
        "left_over": [tracked_data(each) for each in it.left_over],
        "earlier": [
            {"id": each.incident.id, "name": each.incident.name, "title": each.incident.title,
             "opened_at": _time(each.incident.opened_at), "url": each.url or None, "open_actions": each.open_actions}
            for each in it.earlier
        ],
        "told": list[JSON](it.told),
        "page_url": it.page_url or None,
        "made_at": _time(it.made_at),
    }  # fmt: skip


def tracked_data(it: TrackedAction) -> dict[str, JSON]:
    """An action with its incident and ticket."""
    return {
        **action_data(it.action),
        "incident_name": it.incident.name,
        "overdue": it.is_overdue,
        "ticket": ticket_data(it.ticket) if it.ticket is not None else None,
    }


def action_data(it: Action) -> dict[str, JSON]:
    """An action alone."""
    return {
        "id": it.id,
        "incident": it.incident,
        "title": it.title,
        "owner": it.owner,
        "due": it.due.isoformat(),
        "state": it.state.value,
        "created_at": _time(it.created_at),
        "created_by": it.created_by,
        "ended_at": _time(it.ended_at),
        "ended_by": it.ended_by or None,
        "why": it.why or None,
        "reported_at": _time(it.reported_at),
    }


def ticket_data(it: Ticket) -> dict[str, JSON]:
    """A ticket without its body."""
    return {
        "key": it.key,
        "tracker": it.tracker,
        "title": it.title,
        "state": "open" if it.is_open else "closed",
        "cause": it.cause or None,
        "id": it.outside_id or None,
        "url": it.url or None,
        "up_to_date": it.told_version == it.wanted_version,
        "created_at": _time(it.created_at),
        "updated_at": _time(it.updated_at),
    }


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
