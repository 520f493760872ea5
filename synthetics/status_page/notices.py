"""What subscribers are told, as messages for the outbox. Pure.

A message names its subscriber; address, links and signatures are added when it is delivered (`adapters/`), so that the
outbox holds neither addresses nor tokens. The bodies of webhooks have the shape of Statuspage's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from controlplane.model.event import JSON
from controlplane.model.outbox import OutboxMessage
from controlplane.model.public_status import ComponentStatus
from controlplane.model.status_record import (
    Channel,
    ComponentChange,
    ComponentState,
    IncidentRecord,
    Subscriber,
    SubscriberState,
    UpdateRecord,
)
from synthetics.status_page.incidents import indicator_of
from synthetics.status_page.model import StatusPage
from synthetics.status_page.rendering import names, standing, statuspage_json
from synthetics.status_page.wording import name_of

CHANNELS: Final = {Channel.WEBHOOK: "status-webhook", Channel.EMAIL: "status-email"}
UPDATE, COMPONENT, CONFIRM = "update", "component", "confirm"  # kinds of message


@dataclass(frozen=True, slots=True)
class Whole:
    """How the whole page is, in Statuspage's words: what is told of one part may not be true of all."""

    indicator: str
    description: str


def whole_page(page: StatusPage, states: Iterable[ComponentState], incidents: Iterable[IncidentRecord]) -> Whole:
    """As its JSON says it; a component that was never observed is unknown."""
    known = {state.component: state.status for state in states}
    statuses = [known.get(component.id, ComponentStatus.UNKNOWN) for component in page.components]
    indicator = indicator_of(statuses, incidents)
    return Whole(*statuspage_json.whole(indicator, standing.headline_of(indicator, statuses, is_reduced=False)))


def notices(
    page: StatusPage,
    incident: IncidentRecord,
    update: UpdateRecord,
    public: Sequence[UpdateRecord],
    subscribers: Iterable[Subscriber],
    whole: Whole,
) -> list[OutboxMessage]:
    """One message to each who has confirmed. `public` are all published updates of the incident, by number."""
    body = incident_body(page, incident, public, whole)
    return [
        _message(page, to, f"{update.id}", incident.id, UPDATE, {"body": body, "update": update.id})
        for to in subscribers
        if to.state is SubscriberState.ACTIVE
    ]


def component_notices(
    page: StatusPage, changes: Iterable[ComponentChange], subscribers: Iterable[Subscriber], whole: Whole
) -> list[OutboxMessage]:
    """A message to each webhook for each component that changed; mail is for what people wrote."""
    active = [to for to in subscribers if to.state is SubscriberState.ACTIVE and to.channel is Channel.WEBHOOK]
    found = []
    for change in changes:
        if change.old is None:
            continue
        body = component_body(page, change, whole)
        name = f"{change.component}@{stamp(change.at)}"
        found += [_message(page, to, name, change.component, COMPONENT, {"body": body}) for to in active]
    return found


def confirmation(page: StatusPage, to: Subscriber) -> OutboxMessage:
    """The question whether it was them. Asked anew after a while it is another message."""
    return _message(page, to, f"confirm-{to.nonce[:12]}", "confirm", CONFIRM, {})


def incident_body(
    page: StatusPage, incident: IncidentRecord, public: Sequence[UpdateRecord], whole: Whole
) -> dict[str, JSON]:
    """An incident or a maintenance in Statuspage's shape; newest update first."""
    updates: list[JSON] = [_update(page, each) for each in reversed(public)]
    told: dict[str, JSON] = {
        "id": incident.id,
        "name": incident.name,
        "status": incident.status.value,
        "impact": incident.impact.value,
        "backfilled": False,
        "created_at": stamp(incident.created_at),
        "started_at": stamp(incident.started_at),
        "updated_at": stamp(incident.updated_at),
        "monitoring_at": _maybe(incident.monitoring_at),
        "resolved_at": _maybe(incident.resolved_at),
        "scheduled_for": _maybe(incident.scheduled_for),
        "scheduled_until": _maybe(incident.scheduled_until),
        "shortlink": names.absolute(page.url, names.incident_page(incident.id)),
        "incident_updates": updates,
        "components": [
            {"id": each, "name": name_of(page, each)} for each in incident.component_ids if page.component(each)
        ],
    }
    return {"page": _page(page, whole), "incident": told}


def component_body(page: StatusPage, change: ComponentChange, whole: Whole) -> dict[str, JSON]:
    """A component's change in Statuspage's shape."""
    old = change.old.value if change.old else None
    update: dict[str, JSON] = {
        "component_id": change.component,
        "created_at": stamp(change.at),
        "old_status": old,
        "new_status": change.new.value,
    }
    component: dict[str, JSON] = {
        "id": change.component,
        "name": name_of(page, change.component),
        "status": change.new.value,
    }
    return {"page": _page(page, whole), "component_update": update, "component": component}


def stamp(at: datetime) -> str:
    """ISO 8601 in UTC to the second, as JSON readers expect it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _page(page: StatusPage, whole: Whole) -> dict[str, JSON]:
    return {
        "id": page.name,
        "name": page.title,
        "url": page.url,
        "status_indicator": whole.indicator,
        "status_description": whole.description,
    }


def _update(page: StatusPage, update: UpdateRecord) -> dict[str, JSON]:
    affected: list[JSON] = [
        {"code": each.id, "name": each.name, "old_status": each.old.value, "new_status": each.new.value}
        for each in update.affected
        if page.component(each.id)
    ]
    return {
        "id": update.id,
        "incident_id": update.incident,
        "status": update.status.value,
        "body": update.body,
        "created_at": stamp(update.created_at),
        "display_at": stamp(update.published_at or update.created_at),
        "updated_at": stamp(update.updated_at or update.published_at or update.created_at),
        "affected_components": affected,
    }


def _maybe(at: datetime | None) -> str | None:
    return stamp(at) if at else None


def _message(
    page: StatusPage, to: Subscriber, name: str, thread: str, kind: str, content: dict[str, JSON]
) -> OutboxMessage:
    """The id is what is told × to whom; in order for each subscriber and incident."""
    about: dict[str, JSON] = {
        "kind": kind,
        "page": page.name,
        "title": page.title,
        "url": page.url,
        "base": page.subscribers.subscribe_url,
        "language": to.language if to.language in page.languages else page.languages[0],
        "subscriber": to.id,
    }
    if to.channel is Channel.EMAIL and page.subscribers.email:
        about |= {"from": page.subscribers.email.sender, "reply_to": page.subscribers.email.reply_to}
    return OutboxMessage(
        id=f"status:{page.name}:{name}:{to.id}",
        channel=CHANNELS[to.channel],
        key=f"{page.name}:{thread}:{to.id}",
        payload=about | content,
    )
