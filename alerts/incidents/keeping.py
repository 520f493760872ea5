"""Makes incidents of alerts: opens them, joins alerts to them, sees them go quiet. In the transaction of a receipt.

What Alertmanager delivered is thereby an incident with its timeline, steps of escalation and news for its channels, or
nothing at all. Everything is made from the alerts, so that receiving the same again changes nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from alerts.escalation.planning import steps_of
from alerts.incidents.choosing import Choice, Choices
from alerts.incidents.grouping import Placed, by_key, draft
from alerts.incidents.lines import alert_lines, held_at, joined, opened_line, rises, rose_line
from alerts.incidents.twins import end_twins
from alerts.incidents.writing import ReadTime, channels_of, database_time, event_of
from alerts.model import AlertsDeclared
from alerts.telling import message_of
from controlplane import incident_names as names
from controlplane.model.alert import Alert, AlertStatus
from controlplane.model.incident import AlertReceipt, DueStep, Incident, IncidentAlert, IncidentState, TimelineEntry
from controlplane.model.outbox import OutboxMessage
from controlplane.ports import Transaction

_RANK_LINES: Final = 1_000  # of a timeline, among which its last change of rank is looked for


@dataclass(frozen=True, slots=True)
class Delivery:
    """How alerts came: Alertmanager's receiver and group, both empty where it was not Alertmanager."""

    receiver: str = ""
    group_key: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """Ids of incidents that were opened, and of others that have news."""

    opened: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class Keeper:
    """Keeps incidents by the routes of the last good files. Without any it opens none; those there are still end."""

    def __init__(self, declared: Callable[[], AlertsDeclared], *, read_time: ReadTime = database_time) -> None:
        self._declared = declared
        self._choices = Choices(declared)
        self._read_time = read_time

    @property
    def is_routing(self) -> bool:
        """Whether routes say who is told; else every alert is told on the console."""
        return self._choices.now() is not None

    def take(
        self,
        transaction: Transaction,
        delivery: Delivery,
        alerts: Sequence[Alert],
        changed: Sequence[Alert],
        now: datetime,
    ) -> Kept:
        """Alerts were delivered and recorded; `changed` are those of them that told something new."""
        choice = self._choices.now()
        ended = [each for each in changed if each.status is AlertStatus.RESOLVED]
        if choice is None:
            return self.end(transaction, ended, now)
        transaction.incidents.lock()
        _receive(transaction, delivery, alerts, now)
        if choice.tells_nobody(delivery.receiver):
            return self.end(transaction, ended, now)  # other routes may tell the same alerts
        work = _Work(transaction, choice, choice.declared, self._read_time(transaction, now), now)
        firing = [each for each in alerts if each.status is AlertStatus.FIRING]
        members = transaction.incidents.incidents_of([each.key for each in (*firing, *ended)])
        strangers = _still_firing(transaction, [each for each in firing if each.key not in members], changed)
        work.gather(strangers, delivery.receiver)
        work.gather([each for each in ended if each.key not in members], delivery.receiver)
        if choice.knows(delivery.receiver):
            work.widen([(each, members[each.key]) for each in firing if each.key in members], delivery.receiver)
        work.end([*ended, *end_twins(transaction, ended, now)])
        return work.write()

    def end(self, transaction: Transaction, ended: Sequence[Alert], now: datetime) -> Kept:
        """Alerts have ended, and nobody delivered that."""
        if not ended:
            return Kept()
        transaction.incidents.lock()
        choice, at = self._choices.now(), self._read_time(transaction, now)
        work = _Work(transaction, choice, self._declared(), at, now)
        work.end([*ended, *end_twins(transaction, ended, now)])
        return work.write()


class _Work:
    """What becomes of incidents in one transaction; `at` is the database's time."""

    def __init__(
        self, transaction: Transaction, choice: Choice | None, declared: AlertsDeclared, at: datetime, now: datetime
    ) -> None:
        self._transaction = transaction
        self._log = transaction.incidents
        self._choice = choice
        self._declared = declared
        self._at = at
        self._now = now
        self._kept: dict[str, Incident] = {}  # as the store has them
        self._after: dict[str, Incident] = {}  # as they shall be
        self._opened: list[str] = []
        self._open: dict[str, str | None] = {}
        self._last: dict[str, str] = {}
        self._steps: list[DueStep] = []
        self._lines: list[TimelineEntry] = []
        self._joining: list[IncidentAlert] = []

    def gather(self, alerts: Sequence[Alert], receiver: str) -> None:
        """Alerts that belong to no incident yet join the open one of their key, or open one if they fire."""
        for key, group in by_key(self._placed(_distinct(alerts), receiver)).items():
            firing = [each for each in group if each.alert.status is AlertStatus.FIRING]
            id_ = self._open_of(key)
            if id_ is None and not firing:
                continue  # it was over before we heard of it: there is nobody to wake up
            if id_ is None:
                id_ = self._begin(key, firing)
            elif firing:
                self._join(id_, firing)
                self._after[id_] = replace(self._after[id_], quiet_since=None)
            self._joining += [_member(id_, each.alert, self._at) for each in group]
            self._lines += alert_lines(id_, [each.alert for each in group], self._at)

    def widen(self, members: Sequence[tuple[Alert, str]], receiver: str) -> None:
        """Alerts of incidents are told by one more route. What was delivered late may have ended: quiet stays quiet."""
        groups: dict[str, list[Placed]] = {}
        for alert, id_ in members:
            incident = self._load(id_)
            if incident.is_open and receiver not in incident.routes:
                groups.setdefault(id_, []).extend(self._placed([alert], receiver))
        for id_, group in groups.items():
            if group:
                self._join(id_, [each for one in by_key(group).values() for each in one])

    def end(self, ended: Sequence[Alert]) -> None:
        """These are over; incidents of which none fires any more are quiet from now on."""
        self._write_members()
        over = [(each.fingerprint, each.starts_at, each.ends_at or self._at) for each in _distinct(ended)]
        ids = self._log.end_alerts(over) if over else []
        owners = self._log.incidents_of([each.key for each in ended]) if ids else {}
        for id_ in ids:
            own = [each for each in ended if owners.get(each.key) == id_]
            self._lines += alert_lines(id_, own, self._at)
            incident = self._load(id_)
            if incident.is_open and not self._log.count_alerts(id_)[1]:
                self._after[id_] = replace(incident, quiet_since=incident.quiet_since or self._at)

    def write(self) -> Kept:
        """Put every incident that has news, and say so to its channels."""
        self._write_members()
        told = {line.incident for line in self._lines}
        news = [
            id_ for id_, after in self._after.items() if after.is_open and (id_ in told or after != self._kept[id_])
        ]
        messages: list[OutboxMessage] = []
        opened = set(self._opened)
        for id_ in news:
            after, is_new = self._after[id_], id_ in opened
            if not is_new:
                self._put(replace(after, version=after.version + 1, updated_at=self._at))
            elif after != self._kept[id_]:
                self._put(after)
            messages += self._messages(id_, is_new=is_new)
        self._log.put_steps(self._steps)
        self._log.note(self._lines, self._now)
        events = [event_of(names.EVENT_INCIDENT_OPENED, self._after[id_], self._at) for id_ in self._opened]
        self._transaction.events.append_all(events, self._now)
        self._transaction.outbox.enqueue_current(messages, self._now)
        return Kept(tuple(self._opened), tuple(id_ for id_ in news if id_ not in opened))

    def _placed(self, alerts: Sequence[Alert], receiver: str) -> list[Placed]:
        assert self._choice is not None, "only routes tell alerts apart"
        found = (self._choice.placed(alert, receiver, self._at) for alert in alerts)
        return [each for each in found if each is not None]

    def _messages(self, id_: str, *, is_new: bool) -> list[OutboxMessage]:
        outside = [] if is_new else self._transaction.telling.objects_of(id_)
        channels = channels_of(self._after[id_], self._declared, outside)
        return [message_of(self._after[id_], channel) for channel in channels]

    def _begin(self, key: str, group: Sequence[Placed]) -> str:
        incident = draft(group, self._at, self._last[key])
        self._put(incident)
        self._opened.append(incident.id)
        self._open[key] = incident.id
        self._lines.append(opened_line(incident, group))
        self._plan(incident)
        return incident.id

    def _join(self, id_: str, group: Sequence[Placed]) -> None:
        incident = self._load(id_)
        held = None
        if rises(incident, group[0].priority, None):  # seldom: only then does it matter what people said
            held = held_at(self._log.timeline(id_, _RANK_LINES))
        after = joined(incident, group, held)
        self._after[id_] = after
        if after.priority is not incident.priority:
            self._lines.append(rose_line(incident, after, group[0].alert, self._at))
        if after.policy != incident.policy or after.state is not incident.state:
            self._plan(after)

    def _plan(self, incident: Incident) -> None:
        """The steps of its policy, from now on; rounds that it had before are not counted again."""
        found = self._declared.policy(incident.policy)
        if found is None or incident.state is not IncidentState.OPEN:
            return
        steps = [] if incident.id in self._opened else self._log.steps_of(incident.id)
        rounds = [step.round for step in steps if step.policy == found.name]
        self._steps += steps_of(found, incident.id, self._at, first_round=max(rounds, default=-1) + 1)

    def _put(self, incident: Incident) -> None:
        self._kept[incident.id] = self._after[incident.id] = self._log.put(incident)

    def _open_of(self, key: str) -> str | None:
        """The one that is open; else the last one, if any, is what a new one repeats."""
        if key not in self._open:
            found = self._log.last_of_key(key)  # none is opened while another one is open
            self._open[key] = found.id if found is not None and found.is_open else None
            self._last[key] = found.id if found is not None else ""
            if found is not None and found.is_open:
                self._kept.setdefault(found.id, found)
                self._after.setdefault(found.id, found)
        return self._open[key]

    def _load(self, id_: str) -> Incident:
        if id_ not in self._after:
            found = self._log.incident(id_)
            assert found is not None, "alerts belong to incidents that there are"
            self._kept[id_] = self._after[id_] = found
        return self._after[id_]

    def _write_members(self) -> None:
        if self._joining:
            self._log.join(self._joining)
            self._joining = []


def _member(incident: str, alert: Alert, at: datetime) -> IncidentAlert:
    return IncidentAlert(incident, alert.fingerprint, alert.starts_at, at, alert.ends_at)


def _receive(transaction: Transaction, delivery: Delivery, alerts: Iterable[Alert], now: datetime) -> None:
    """Write down which route Alertmanager delivered the alerts to."""
    transaction.telling.received(
        [
            AlertReceipt(each.fingerprint, each.starts_at, delivery.receiver, delivery.group_key, now, now)
            for each in alerts
            if delivery.receiver
        ]
    )


def _still_firing(transaction: Transaction, firing: Sequence[Alert], changed: Sequence[Alert]) -> list[Alert]:
    """Those that began with this delivery, and others that fire still: one that told nothing new may have ended."""
    begun = {each.key for each in changed if each.status is AlertStatus.FIRING}
    if all(each.key in begun for each in firing):
        return list(firing)
    known = {stored.alert.key for stored in transaction.alerts.firing()} | begun
    return [each for each in firing if each.key in known]


def _distinct(alerts: Sequence[Alert]) -> list[Alert]:
    """Each alert once, as it was told last."""
    return list({alert.key: alert for alert in alerts}.values())
