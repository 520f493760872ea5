"""What people do to incidents: acknowledge, resolve, note, declare, assign, rank. The same from everywhere.

CLI, console, PagerDuty and Slack all end here, so that the state is the same everywhere. Each change is one
transaction: the incident, its timeline, an event, the audit log, and the news of it for every channel.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from alerts.escalation.planning import steps_of
from alerts.incidents.choosing import Choices
from alerts.incidents.grouping import ALERTNAME
from alerts.incidents.writing import (
    LONGEST_TEXT,
    LONGEST_TITLE,
    ReadTime,
    bounded,
    call_off,
    database_time,
    event_of,
    write,
)
from alerts.model import AlertsDeclared
from controlplane import incident_names as names
from controlplane.conventions import SERVICE
from controlplane.model.event import JSON
from controlplane.model.incident import Incident, IncidentState, Origin, Priority, TimelineEntry, TimelineKind
from controlplane.ports import Store, Transaction

LONGEST_NAME: Final = 100
DECLARED_ALERT: Final = "IncidentDeclared"  # the name by which routes take an incident that a person opens
MOST_ROLES: Final = 20
CHATS: Final = ("slack",)  # what is written there is a message among others, and is not told there again
_VIAS: Final = {"cli": "the command line", "console": "the console", "pagerduty": "PagerDuty", "slack": "Slack"}


class UnknownIncident(Exception):
    """There is no incident of that id or name."""

    def __init__(self, incident: str) -> None:
        super().__init__(
            f"there is no incident {incident[:LONGEST_NAME]!r}: flyball incidents list shows those there are"
        )


class Refused(Exception):
    """It cannot be done: why, and what could be done instead."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The incident as it is now; `is_new` is False where it was so already and nothing was written."""

    incident: Incident
    is_new: bool


class Desk:
    """Changes incidents, each in a transaction of its own. `ids` makes ids that nobody used before.

    `incident` is an id or a name such as INC-7; `by` is who does it, `via` where: cli, console, pagerduty, slack.
    Everything raises `UnknownIncident`, `Refused` for words that cannot be kept, and what the store raises.
    """

    def __init__(
        self,
        store: Store,
        declared: Callable[[], AlertsDeclared],
        ids: Callable[[], str],
        *,
        read_time: ReadTime = database_time,
    ) -> None:
        self._store = store
        self._declared = declared
        self._choices = Choices(declared)
        self._ids = ids
        self._read_time = read_time

    def acknowledge(self, incident: str, *, by: str, via: str, now: datetime) -> Changed:
        """Somebody has it: nobody else is told by escalation. The first one counts; a resolved one stays so."""
        by = _words(by, "who acknowledges it")
        with self._work(incident, now) as work:
            if work.incident.state is not IncidentState.OPEN:
                return Changed(work.incident, is_new=False)
            state = IncidentState.ACKNOWLEDGED
            steps = call_off(work.transaction, work.incident, work.at)
            work.put(replace(work.incident, state=state, acknowledged_at=work.at, acknowledged_by=by))
            work.line(TimelineKind.ACKNOWLEDGED, f"{by} acknowledged it{_through(via)}", by, via=via, steps=steps)
            return work.done(names.EVENT_INCIDENT_ACKNOWLEDGED, by, {"via": via})

    def resolve(self, incident: str, *, by: str, via: str, why: str, now: datetime) -> Changed:
        """It is over. Alerts of it that still fire stay its own; one that comes later opens a new incident."""
        by, why = _words(by, "who resolves it"), bounded(why, LONGEST_TEXT)
        with self._work(incident, now) as work:
            if not work.incident.is_open:
                return Changed(work.incident, is_new=False)
            steps = call_off(work.transaction, work.incident, work.at)
            _, firing = work.transaction.incidents.count_alerts(work.incident.id)
            state = IncidentState.RESOLVED
            work.put(replace(work.incident, state=state, resolved_at=work.at, resolved_by=by, resolution=why))
            still = f"; {firing} of its alerts still fire{'s' if firing == 1 else ''}" if firing else ""
            text = f"{by} resolved it{_through(via)}{still}{f': {why}' if why else ''}"
            work.line(TimelineKind.RESOLVED, text, by, via=via, steps=steps, firing=firing)
            return work.done(names.EVENT_INCIDENT_RESOLVED, by, {"via": via, "why": why, "firing": firing})

    def note(self, incident: str, *, text: str, by: str, via: str, now: datetime, entry_id: str = "") -> Changed:
        """Write into its timeline. With an `entry_id`, such as that of a chat's message, it is written once."""
        by = _words(by, "who writes it")
        said = bounded(text, LONGEST_TEXT)
        if not said:
            raise Refused("the note is empty: say what you saw, did or decided")
        with self._work(incident, now) as work:
            is_message = via in CHATS and bool(entry_id)
            kind = TimelineKind.MESSAGE if is_message else TimelineKind.NOTE
            entry = TimelineEntry(
                entry_id or f"note:{self._ids()}", work.incident.id, work.at, kind, said, by, {"via": via}
            )
            if not work.transaction.incidents.note([entry], now):
                return Changed(work.incident, is_new=False)
            if is_message:  # people read it there already
                return Changed(work.incident, is_new=True)
            work.put(work.incident)
            return work.done("", by, {"via": via, "entry": entry.id}, action="incident.noted")

    def assign(self, incident: str, *, role: str, who: str, by: str, now: datetime) -> Changed:
        """Somebody has a role in it, such as commander; with an empty `who` nobody has it any more."""
        role, by = _words(role, "which role").lower(), _words(by, "who assigns it")
        person = bounded(who, LONGEST_NAME)
        with self._work(incident, now) as work:
            roles = {name: held for name, held in work.incident.roles.items() if name != role}
            roles |= {role: person} if person else {}
            if roles == work.incident.roles:
                return Changed(work.incident, is_new=False)
            if len(roles) > MOST_ROLES:
                raise Refused(f"an incident has at most {MOST_ROLES} roles")
            work.put(replace(work.incident, roles=dict(sorted(roles.items()))))
            text = f"{person} is {role}" if person else f"nobody is {role} any more"
            work.line(TimelineKind.ROLE, f"{text}, says {by}", by, role=role, who=person)
            return work.done("", by, {"role": role, "who": person}, action="incident.assigned")

    def set_priority(self, incident: str, *, priority: Priority, by: str, why: str, now: datetime) -> Changed:
        """Rank it higher or lower. Only alerts more urgent than it was raise one again that somebody lowered."""
        by, why = _words(by, "who ranks it"), bounded(why, LONGEST_TEXT)
        with self._work(incident, now) as work:
            before = work.incident.priority
            if before is priority:
                return Changed(work.incident, is_new=False)
            work.put(replace(work.incident, priority=priority))
            text = f"{by} changed it from {before.value} to {priority.value}{f': {why}' if why else ''}"
            work.line(TimelineKind.PRIORITY, text, by, **{"from": before.value, "to": priority.value})
            detail: dict[str, JSON] = {"from": before.value, "to": priority.value, "why": why}
            return work.done("", by, detail, action="incident.priority_changed")

    def declare(
        self,
        title: str,
        *,
        priority: Priority,
        service: str,
        summary: str,
        receivers: Sequence[str],
        policy: str,
        by: str,
        now: datetime,
        origin: Origin = Origin.DECLARED,
    ) -> Changed:
        """Open an incident that no alert opened. Its receivers are told, and escalated by `policy` if that is named.

        Where neither is named, it is told as an alert `IncidentDeclared` of this priority and service would be.
        """
        title, by = _words(title, "its title", LONGEST_TITLE), _words(by, "who declares it")
        declared, service = self._declared(), _name(service)
        _check_known(declared, receivers, policy)
        routes: tuple[str, ...] = ()
        if not receivers and not policy:
            routes, receivers, policy = self._routed(priority, service, now)
        with self._store.transaction() as transaction:
            transaction.incidents.lock()
            at, id_ = self._read_time(transaction, now), self._ids()
            incident = Incident(
                id=id_, key=f"{origin.value}:{id_}", title=title, priority=priority, state=IncidentState.OPEN,
                origin=origin, started_at=at, opened_at=at, updated_at=at, version=0, service=service,
                summary=bounded(summary, LONGEST_TEXT), policy=policy, routes=routes,
                receivers=tuple(dict.fromkeys(receivers)),
            )  # fmt: skip
            work = _Work(transaction, incident, declared, at, now)
            work.put(incident)
            found = declared.policy(policy)
            if found is not None:
                transaction.incidents.put_steps(steps_of(found, id_, at))
            work.line(TimelineKind.OPENED, f"{by} declared it: {title}", by, priority=priority.value)
            return work.done(names.EVENT_INCIDENT_OPENED, by, {"receivers": list(receivers), "policy": policy})

    def _routed(self, priority: Priority, service: str, now: datetime) -> tuple[tuple[str, ...], tuple[str, ...], str]:
        """Routes, receivers and policy by the tree of routes."""
        choice = self._choices.now()
        if choice is None:
            return (), (), ""
        found = choice.routed({ALERTNAME: DECLARED_ALERT, names.PRIORITY: priority.value, SERVICE: service}, now)
        receivers = tuple(dict.fromkeys(name for each in found for name in each.receivers))
        return (
            tuple(each.route for each in found),
            receivers,
            next((each.escalation for each in found if each.escalation), ""),
        )

    @contextmanager
    def _work(self, incident: str, now: datetime) -> "Iterator[_Work]":
        with self._store.transaction() as transaction:
            transaction.incidents.lock()
            found = transaction.incidents.incident(incident)
            if found is None:
                raise UnknownIncident(incident)
            yield _Work(transaction, found, self._declared(), self._read_time(transaction, now), now)


class _Work:
    """One change of one incident; `at` is the database's time."""

    def __init__(
        self, transaction: Transaction, incident: Incident, declared: AlertsDeclared, at: datetime, now: datetime
    ) -> None:
        self.transaction = transaction
        self.incident = incident
        self.at = at
        self._declared = declared
        self._now = now
        self._lines: list[TimelineEntry] = []

    def put(self, changed: Incident) -> None:
        """Its next version."""
        newer = replace(changed, version=changed.version + 1, updated_at=self.at)
        self.incident = self.transaction.incidents.put(newer)

    def line(self, kind: TimelineKind, text: str, by: str, **data: JSON) -> None:
        """A line of the timeline about this version."""
        id_ = f"{kind.value}:{self.incident.version}"
        self._lines.append(TimelineEntry(id_, self.incident.id, self.at, kind, text, by, data))

    def done(self, event: str, by: str, detail: dict[str, JSON], *, action: str = "") -> Changed:
        """Write it all; without an event's kind the audit log has `action`."""
        events = [event_of(event, self.incident, self.at, by=by, **detail)] if event else []
        write(self.transaction, self.incident, self._lines, events, declared=self._declared, now=self._now)
        self.transaction.audit.append(
            at=self._now, actor=by, action=action or event, subject=self.incident.name,
            detail={"incident": self.incident.id, "version": self.incident.version, **detail},
        )  # fmt: skip
        return Changed(self.incident, is_new=True)


def _check_known(declared: AlertsDeclared, receivers: Sequence[str], policy: str) -> None:
    unknown = [name for name in receivers if declared.receiver(name) is None]
    if unknown:
        known = ", ".join(each.name for each in declared.receivers) or "none is declared"
        raise Refused(f"there is no Receiver {', '.join(unknown)}; there are: {known}")
    if policy and declared.policy(policy) is None:
        known = ", ".join(each.name for each in declared.policies) or "none is declared"
        raise Refused(f"there is no EscalationPolicy {policy}; there are: {known}")


def _words(text: str, what: str, longest: int = LONGEST_NAME) -> str:
    said = " ".join(bounded(text, longest).split())
    if not said:
        raise Refused(f"say {what}")
    return said


def _name(text: str) -> str:
    return " ".join(bounded(text, LONGEST_NAME).split())


def _through(via: str) -> str:
    return f" through {_VIAS.get(via, via)}" if via else ""
