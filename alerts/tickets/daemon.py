"""Opens tickets, keeps them up to date, and closes them: one for each cost issue and each action, whatever happens."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.ports import RateLimited
from alerts.tickets import wanting
from alerts.tickets.declared import by_name, unknown_tracker
from alerts.tickets.model import Tracker
from alerts.tickets.ports import Draft, Gone, IssueTracker, Move, Opened
from alerts.tickets.rows import OPENING_AT, RETRY_AT, TOLD_OPEN, moment_of, with_data, written
from controlplane.model.follow_up import Ticket
from controlplane.ports import HeldLease, Permanent, Store, Transient

MOST_CALLS: Final = 50  # of a turn: trackers count requests
MOST_LOOKS: Final = 20  # of a turn: tickets that are asked whether somebody closed them
LOOK_EVERY: Final = timedelta(minutes=15)
FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(minutes=15)
REFUSED_PAUSE: Final = timedelta(hours=1)
_MOST_UNTOLD: Final = 1000
_CLOCKS: Final = timedelta(hours=1)  # the tracker's may differ from ours
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did. `failed` are tickets whose tracker did not take them now; they are tried again."""

    wanted: int = 0  # tickets that are new or have to say something new
    opened: int = 0
    updated: int = 0
    failed: int = 0
    closed_outside: int = 0  # by people, in the tracker


@dataclass(slots=True)
class _Pause:
    until: datetime
    length: timedelta


@dataclass(slots=True)
class TicketDaemon:
    """Wants tickets for what happened, then brings trackers up to date.

    `declared` are the trackers of the last good files, `open_tracker` opens one (and may raise `Permanent`).
    `console_url` is where people reach the console, empty where nobody said.

    A ticket is opened once: that it is going to be is written down first, and after a crash or a lost answer the
    tracker is asked whether it is there, as soon as it must be able to tell. What is written is checked by the lease;
    a leader that was paused in the very call that opens a ticket may leave a second one behind, which is not ours.
    """

    store: Store
    declared: Callable[[], Sequence[Tracker]]
    open_tracker: Callable[[Tracker], IssueTracker]
    console_url: str = ""
    _pauses: dict[str, _Pause] = field(default_factory=dict, init=False)
    _looked_at: dict[str, datetime] = field(default_factory=dict, init=False)
    _opened: dict[str, tuple[Tracker, IssueTracker]] = field(default_factory=dict, init=False)

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> Turn:
        """One turn. Raises what the store raises; a tracker that fails is logged, and left alone for a while."""
        trackers = self.declared()
        wanted = wanting.from_events(self.store, trackers, now, lease, console_url=self.console_url)
        wanted += wanting.from_actions(self.store, trackers, now, lease, console_url=self.console_url)
        with self.store.transaction(read_only=True) as transaction:
            untold = transaction.follow_up.tickets(only_untold=True, limit=_MOST_UNTOLD)
        turn = _Counting(wanted=wanted)
        for ticket in untold:
            if turn.calls >= MOST_CALLS:
                break
            self._bring(ticket, trackers, turn, now, lease)
        self._look(trackers, turn, now, lease)
        return Turn(turn.wanted, turn.opened, turn.updated, turn.failed, turn.closed_outside)

    def _bring(
        self, ticket: Ticket, trackers: Sequence[Tracker], turn: "_Counting", now: datetime, lease: HeldLease | None
    ) -> None:
        if self._rests(ticket, now):
            turn.failed += 1
            return
        try:
            tracker = self._tracker(ticket.tracker, trackers)
            if ticket.outside_id:
                turn.calls += 1
                self._update(ticket, tracker, now, lease)
                turn.updated += 1
            elif self._open(ticket, tracker, turn, now, lease):
                turn.opened += 1
        except (Transient, Permanent) as error:
            if isinstance(error, Gone) and ticket.outside_id:
                self._gone(ticket, error, now, lease)
                return
            turn.failed += 1  # of one that is not open yet: the whole project is not there
            self._failed(ticket, error, now, lease)
        else:
            self._pauses.pop(ticket.tracker, None)

    def _open(
        self, ticket: Ticket, tracker: IssueTracker, turn: "_Counting", now: datetime, lease: HeldLease | None
    ) -> bool:
        """Whether it is open now; not while it cannot be known yet whether an earlier try opened it."""
        since, found = moment_of(ticket, OPENING_AT), None
        if since is not None:
            if now - since < tracker.settles_within:
                return False
            turn.calls += 1
            found = tracker.find(ticket.key, since - _CLOCKS)
        written(self.store, with_data(ticket, {OPENING_AT: now.isoformat()}), now, lease)
        if found is None:
            turn.calls += 1
            opened, told = tracker.open(_draft(ticket)), ticket.wanted_version
        else:  # it says what it said then
            opened, told = found, 0
        self._note_opened(ticket, opened, told, now, lease)
        return True

    def _note_opened(self, ticket: Ticket, opened: Opened, told: int, now: datetime, lease: HeldLease | None) -> None:
        shown = with_data(ticket, {OPENING_AT: None, RETRY_AT: None, TOLD_OPEN: True})
        if not ticket.is_open:  # it was closed before it was opened: the next turn closes it there
            told = 0
        there = replace(shown, outside_id=opened.outside_id, url=opened.url, told_version=told)
        written(self.store, there, now, lease, event="opened")
        log.info("alerts.ticket_opened", extra={"key": ticket.key, "tracker": ticket.tracker, "url": opened.url})

    def _update(self, ticket: Ticket, tracker: IssueTracker, now: datetime, lease: HeldLease | None) -> None:
        was_open = ticket.data.get(TOLD_OPEN) is not False
        move = Move.STAYS if ticket.is_open is was_open else Move.REOPENS if ticket.is_open else Move.CLOSES
        tracker.update(ticket.outside_id, _draft(ticket), move)
        shown = with_data(ticket, {RETRY_AT: None, TOLD_OPEN: ticket.is_open})
        event = {Move.CLOSES: "closed", Move.REOPENS: "reopened"}.get(move, "")
        written(self.store, replace(shown, told_version=ticket.wanted_version), now, lease, event=event)

    def _look(self, trackers: Sequence[Tracker], turn: "_Counting", now: datetime, lease: HeldLease | None) -> None:
        """Ask trackers which of our open tickets people closed: actions are done by that."""
        with self.store.transaction(read_only=True) as transaction:
            found = transaction.follow_up.tickets(only_open=True, limit=_MOST_UNTOLD)
        shown = [each for each in found if each.outside_id and each.told_version == each.wanted_version]
        self._looked_at = {each.key: self._looked_at.get(each.key, each.updated_at) for each in shown}
        due = [each for each in shown if now - self._looked_at[each.key] >= LOOK_EVERY]
        for ticket in sorted(due, key=lambda each: self._looked_at[each.key])[:MOST_LOOKS]:
            if turn.calls >= MOST_CALLS or self._rests(ticket, now):
                continue
            turn.calls += 1
            self._looked_at[ticket.key] = now
            try:
                is_open = self._tracker(ticket.tracker, trackers).is_open(ticket.outside_id)
            except Gone as error:
                self._gone(ticket, error, now, lease)
            except (Transient, Permanent) as error:
                self._pause(ticket.tracker, error, now)
            else:
                if not is_open:
                    turn.closed_outside += 1
                    wanting.closed_outside(self.store, ticket, now, lease)

    def _tracker(self, name: str, trackers: Sequence[Tracker]) -> IssueTracker:
        """The one of that name, opened once for as long as its declaration stays the same."""
        declared = by_name(trackers, name)
        if declared is None:  # files are mended, and it may be declared again in a moment
            raise Transient(unknown_tracker(name, trackers))
        known = self._opened.get(name)
        if known is None or known[0] != declared:
            self._opened[name] = known = (declared, self.open_tracker(declared))
        return known[1]

    def _rests(self, ticket: Ticket, now: datetime) -> bool:
        pause, retry_at = self._pauses.get(ticket.tracker), moment_of(ticket, RETRY_AT)
        return (pause is not None and now < pause.until) or (retry_at is not None and now < retry_at)

    def _gone(self, ticket: Ticket, error: Gone, now: datetime, lease: HeldLease | None) -> None:
        """Somebody deleted it: it is theirs to say that nothing should be there."""
        log.warning("alerts.ticket_gone", extra={"key": ticket.key, "tracker": ticket.tracker, "error": str(error)})
        wanting.deleted_outside(self.store, ticket, now, lease)

    def _failed(self, ticket: Ticket, error: Transient | Permanent, now: datetime, lease: HeldLease | None) -> None:
        """What may pass rests the tracker; what was refused rests the ticket, for another one may be taken."""
        if isinstance(error, Transient):
            self._pause(ticket.tracker, error, now)
            return
        extra = {"key": ticket.key, "tracker": ticket.tracker, "error": str(error)}
        log.warning("alerts.ticket_refused", extra=extra)
        with self.store.transaction(read_only=True) as transaction:
            known = transaction.follow_up.ticket(ticket.key) or ticket
        written(self.store, with_data(known, {RETRY_AT: (now + REFUSED_PAUSE).isoformat()}), now, lease)

    def _pause(self, tracker: str, error: Transient | Permanent, now: datetime) -> None:
        was = self._pauses.get(tracker)
        length = min(was.length * 2, LONGEST_PAUSE) if was else FIRST_PAUSE
        until = error.until if isinstance(error, RateLimited) else now + length
        self._pauses[tracker] = _Pause(until, length)
        log.warning("alerts.tracker_failing", extra={"tracker": tracker, "error": str(error)})


@dataclass(slots=True)
class _Counting:
    wanted: int = 0
    opened: int = 0
    updated: int = 0
    failed: int = 0
    closed_outside: int = 0
    calls: int = 0


def _draft(ticket: Ticket) -> Draft:
    return Draft(ticket.key, ticket.title, ticket.body, ticket.labels)
