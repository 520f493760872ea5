"""What people post: a new incident, planned work, or an update of either."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from controlplane.model.public_status import AffectedComponent, ComponentStatus, Impact, IncidentStatus
from controlplane.model.status_record import IncidentRecord, Origin, UpdateRecord, UpdateState
from controlplane.ports import Transaction
from controlplane.specfile import did_you_mean
from synthetics.status_page.desk import Beginning, Desk, Message, Refused
from synthetics.status_page.incidents import CLOSED, impact_from
from synthetics.status_page.model import StatusPage
from synthetics.status_page.wording import name_of


@dataclass(frozen=True, slots=True)
class Posting:
    """What somebody wrote. `incident`: the one that goes on; empty: a new one, which needs a title.

    `planned`: from and until, of planned work. `impact` None: by the worst component. `components`: what they are now.
    """

    body: str
    author: str
    status: IncidentStatus
    title: str = ""
    incident: str = ""
    impact: Impact | None = None
    components: Mapping[str, ComponentStatus] | None = None
    planned: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of it; `messages` were queued for subscribers."""

    incident: IncidentRecord
    update: UpdateRecord
    is_published: bool
    messages: int


def post(page: StatusPage, transaction: Transaction, posting: Posting, now: datetime, *, publish: bool) -> Posted:
    """Draft it, and publish it if asked to. Raises `Refused`: then nothing of it is kept, for the caller rolls back."""
    if publish and page.incidents.needs_approval:
        raise Refused("the page publishes nothing unapproved: write a draft, then flyball status approve")
    desk = Desk(page, transaction, now)
    wanted = posting.components or {}
    _refuse_unknown(page, wanted)
    incident = _going_on(page, transaction, posting) if posting.incident else _begun(desk, posting, now)
    message = Message(
        posting.status,
        posting.body,
        posting.author,
        _affected(page, transaction, incident, posting),
        sets_components=bool(wanted) and posting.status not in CLOSED,
    )
    update = desk.draft(incident, message)
    desk.check(update)
    if publish:
        desk.publish(update.id, posting.author)
    return posted(page, transaction, update.id, desk.messages)


def approve(page: StatusPage, transaction: Transaction, update_id: str, by: str, now: datetime) -> Posted:
    """Approve it and publish it at once. Approving what is published changes nothing."""
    desk = Desk(page, transaction, now)
    desk.approve(update_id, by)
    desk.publish(update_id, by)
    return posted(page, transaction, update_id, desk.messages)


def posted(page: StatusPage, transaction: Transaction, update_id: str, messages: int) -> Posted:
    """An update and its incident as they are now."""
    update = transaction.status.update(page.name, update_id)
    assert update is not None
    incident = transaction.status.incident(page.name, update.incident)
    assert incident is not None
    return Posted(incident, update, update.state is UpdateState.PUBLISHED, messages)


def _begun(desk: Desk, posting: Posting, now: datetime) -> IncidentRecord:
    if not posting.title.strip():
        raise Refused("a new incident has a title: --title; an update names its incident: --incident ID")
    wanted = posting.components or {}
    if posting.planned is not None:
        start, end = posting.planned
        if start >= end:
            raise Refused("planned work ends after it begins: --from, --until")
        if end <= now:
            raise Refused("this planned work is over already")
        if not wanted:
            raise Refused("planned work concerns components: --component ID=under_maintenance")
        impact, began = Impact.MAINTENANCE, start
    else:
        impact, began = posting.impact or impact_from(wanted.values() or (ComponentStatus.DEGRADED,)), now
    beginning = Beginning(posting.title, Origin.MANUAL, impact, tuple(wanted), began, posting.planned)
    return desk.begin(beginning)


def _going_on(page: StatusPage, transaction: Transaction, posting: Posting) -> IncidentRecord:
    found = transaction.status.incident(page.name, posting.incident)
    if found is None:
        raise Refused(f"page {page.name} has no incident {posting.incident}: flyball status show {page.name}")
    if posting.planned is not None:
        raise Refused("the time of planned work does not change: end it, and announce another one")
    return found


def _affected(
    page: StatusPage, transaction: Transaction, incident: IncidentRecord, posting: Posting
) -> tuple[AffectedComponent, ...]:
    """What changes by it. When it is over, what was affected is well again, as far as this incident knows."""
    before: dict[str, ComponentStatus] = {}
    for update in transaction.status.updates(page.name, [incident.id]):
        if update.state is UpdateState.PUBLISHED:
            before |= {each.id: each.new for each in update.affected}
    wanted = dict(posting.components or {})
    if posting.status in CLOSED and posting.status is not IncidentStatus.POSTMORTEM:
        wanted = dict.fromkeys(before, ComponentStatus.OPERATIONAL) | wanted
    well = ComponentStatus.OPERATIONAL
    return tuple(
        AffectedComponent(id_, name_of(page, id_), before.get(id_, well), wanted[id_])
        for id_ in (component.id for component in page.components)
        if id_ in wanted
    )


def _refuse_unknown(page: StatusPage, wanted: Mapping[str, ComponentStatus]) -> None:
    known = [component.id for component in page.components]
    for id_, status in wanted.items():
        if id_ not in known:
            meant = did_you_mean(id_, known)
            raise Refused(
                f"no component has the id `{id_}`: " + (f"did you mean `{meant}`?" if meant else ", ".join(known))
            )
        if status is ComponentStatus.UNKNOWN:
            raise Refused("people know what they say: unknown is no status to post")
