"""Keeps what the database did not take, pages the critical of it, and hands everything in when the database is back."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from alerts.delivery.fallback import PATIENCE
from alerts.delivery.lanes import rest_after
from alerts.delivery.showing import Shown, Shows
from alerts.delivery.spool.model import Left, Spooled, SpoolRan, SpoolStore, spooled_of
from alerts.delivery.spool.planning import Page, Way, pages_of
from alerts.incidents.choosing import Choices
from alerts.model import AlertsDeclared, Snapshot
from alerts.ports import RateLimited
from alerts.routing.model import Channel
from controlplane.model.alert import AlertNotification
from controlplane.model.incident import (
    AttemptOutcome,
    DeliveryAttempt,
    IncidentState,
    OutsideObject,
)
from controlplane.ports import Permanent, Store, Transient

GRACE: Final = timedelta(seconds=3)  # a database that is back by then tells it itself
_MOST_REFUSED: Final = 10  # a turn; a database that refuses so many refuses everything
log = logging.getLogger(__name__)


class Spool:
    """Takes notifications while the database is away. Every replica has one of its own, and none asks who leads.

    Two replicas may page the same incident: by the same dedup key, so it is one page.
    """

    def __init__(self, kept: SpoolStore, declared: Callable[[], AlertsDeclared], *, console_url: str = "") -> None:
        self.kept = kept
        self._choices = Choices(declared)
        self._console_url = console_url

    def take(self, notification: AlertNotification, now: datetime) -> int:
        """Keep a notification that the store did not take; how many critical pages it makes.

        What makes none is not kept (Alertmanager delivers it again), but for news of alerts that are kept. Raises
        nothing: what cannot be kept is logged, and Alertmanager delivers it again, too.
        """
        pages = len(self.pages(notification, now))
        if not pages and not self._is_about_kept(notification):
            return 0
        spooled = spooled_of(notification, now)
        try:
            if not any(each.id == spooled.id for each in self.kept.all()):
                self.kept.put(spooled)
                log.warning("alerts.spooled", extra={"pages": pages, "receiver": notification.receiver})
        except (Transient, Permanent) as error:
            log.error("alerts.not_spooled", extra={"pages": pages, "error": str(error)})
            return 0
        return pages

    def pages(self, notification: AlertNotification, at: datetime) -> list[Page]:
        """Its critical pages by the routes of the last good files."""
        choice = self._choices.now()
        return pages_of(notification, choice, at, self._console_url) if choice else []

    def _is_about_kept(self, notification: AlertNotification) -> bool:
        if not self.kept.count():
            return False
        known = {alert.key for each in self.kept.all() for alert in each.notification.alerts}
        return any(alert.key in known for alert in notification.alerts)


class SpoolDaemon:
    """Empties the spool: pages leave from it while the database is away, and it takes everything when it is back.

    `shows_of` makes what tells a channel without the store; None where nothing can. `hand_in` is the intake.
    """

    def __init__(
        self,
        spool: Spool,
        store: Store,
        shows_of: Callable[[Channel], Shows | None],
        hand_in: Callable[[AlertNotification, datetime], object],
        *,
        random: Callable[[], float],
    ) -> None:
        self._spool = spool
        self._store = store
        self._shows_of = shows_of
        self._hand_in = hand_in
        self._random = random
        self._shows: dict[str, tuple[Channel, Shows | None]] = {}
        self._resting: dict[str, tuple[int, datetime]] = {}

    def run_once(self, now: datetime) -> SpoolRan:
        """Page what waits long enough, then try to hand everything in. Raises `Transient` when the disk fails."""
        if not self._spool.kept.count():
            return SpoolRan()
        kept = list(self._spool.kept.all())
        left = 0
        for place, spooled in enumerate(kept):
            if now - spooled.received_at >= GRACE:
                kept[place], count = self._tell(spooled, kept, now)
                left += count
        return SpoolRan(len(kept), left, self._return(kept, now))

    def _tell(self, spooled: Spooled, kept: Sequence[Spooled], now: datetime) -> tuple[Spooled, int]:
        """Page what has not left yet, in this or another notification."""
        count = 0
        for page in self._spool.pages(spooled.notification, spooled.received_at):
            for channel in self._wanted(page, [*kept, spooled], now - spooled.received_at):
                before = _left([*kept, spooled], page.incident.id, channel)
                for left in self._show(page.snapshot, channel, before, now):
                    spooled = spooled.with_left(left)
                    self._spool.kept.put(spooled)
                    count += left.shown.is_whole
        return spooled, count

    def _wanted(self, page: Page, kept: Sequence[Spooled], waited: timedelta) -> Iterator[Channel]:
        for way in page.ways:
            told = [each for each in (*way.first, *way.fallback) if _is_told(kept, page.incident.id, each)]
            yield from (each for each in way.first if each not in told)
            if not told:
                yield from _fallbacks_due(way, waited)

    def _show(self, snapshot: Snapshot, channel: Channel, before: Left | None, now: datetime) -> Iterator[Left]:
        failures, rests_until = self._resting.get(channel.name, (0, now))
        shows = self._notifier(channel)
        if shows is None or rests_until > now:
            return
        try:
            for shown in shows.show(snapshot, _outside(before)):
                yield Left(snapshot.incident.id, channel.name, now, shown)
            self._resting.pop(channel.name, None)
        except RateLimited as error:
            self._resting[channel.name] = failures, error.until
        except (Transient, Permanent) as error:
            log.warning("alerts.delivery_failed", extra={"channel": channel.name, "error": str(error), "spool": True})
            self._resting[channel.name] = failures + 1, now + rest_after(failures + 1, self._random())

    def _notifier(self, channel: Channel) -> Shows | None:
        known = self._shows.get(channel.name)
        if known is None or known[0] != channel:
            try:
                known = channel, self._shows_of(channel)
            except Permanent as error:
                log.warning("alerts.channel_unusable", extra={"channel": channel.name, "error": str(error)})
                known = channel, None
            self._shows[channel.name] = known
        return known[1]

    def _return(self, kept: Sequence[Spooled], now: datetime) -> int:
        """Hand in everything, then write down what left; only then forget it. How many notifications were taken."""
        taken, refused = list[Spooled](), 0
        try:
            for spooled in kept:
                if self._is_taken(spooled, now):
                    taken.append(spooled)
                elif (refused := refused + 1) >= _MOST_REFUSED:
                    break
            for spooled in taken:
                for left in spooled.left:
                    self._write_down(spooled, left, now)
        except Transient:  # it is still away: the turn after the next one finds out again
            return 0
        for spooled in taken:
            self._spool.kept.forget(spooled.id)
        if taken:
            log.info("alerts.spool_handed_in", extra={"notifications": len(taken)})
        return len(taken)

    def _is_taken(self, spooled: Spooled, now: datetime) -> bool:
        """Whether the database took it. What it refuses stays, and holds up nothing else."""
        try:
            self._hand_in(spooled.notification, now)
        except Permanent as error:
            log.warning("alerts.spooled_refused", extra={"id": spooled.id, "error": str(error)})
            return False
        return True

    def _write_down(self, spooled: Spooled, left: Left, now: datetime) -> None:
        """What is outside is owned by a row from now on; a page of no incident that there is is closed there."""
        with self._store.transaction() as transaction:
            incident = transaction.incidents.incident(left.incident)
            known = transaction.telling.object_of(left.incident, left.channel)
            if incident is not None and known is None:
                transaction.telling.put_object(_object_of(left))
            if incident is not None:
                attempt = DeliveryAttempt(
                    f"spool:{spooled.id}", left.channel, left.incident, left.at, AttemptOutcome.SPOOLED
                )
                transaction.telling.attempted([attempt])
        if incident is None:
            self._disown(spooled, left, now)

    def _disown(self, spooled: Spooled, left: Left, now: datetime) -> None:
        """The alerts belong to an incident that began before: its own page tells of it, this one ends."""
        if left.shown.is_closed:
            return
        pages = self._spool.pages(spooled.notification, spooled.received_at)
        page = next((each for each in pages if each.incident.id == left.incident), None)
        channel = next((each for each in _channels(page) if each.name == left.channel), None) if page else None
        if page is None or channel is None:
            log.warning("alerts.page_left_open", extra={"channel": left.channel, "outside": left.shown.outside_id})
            return
        over = replace(
            page.incident,
            state=IncidentState.RESOLVED,
            resolved_at=now,
            resolution="it is a part of an earlier incident",
            version=page.incident.version + 1,
        )
        ended = replace(page.snapshot, incident=over, firing_count=0)
        for closed in self._show(ended, channel, left, now):
            log.info("alerts.page_disowned", extra={"channel": closed.channel, "outside": closed.shown.outside_id})


def _fallbacks_due(way: Way, waited: timedelta) -> Iterator[Channel]:
    """The first after the patience with the ways before it, the second after twice as long, …"""
    for place, channel in enumerate(way.fallback, 1):
        if waited >= PATIENCE * place:
            yield channel


def _channels(page: Page) -> Iterator[Channel]:
    for way in page.ways:
        yield from (*way.first, *way.fallback)


def _left(kept: Sequence[Spooled], incident: str, channel: Channel) -> Left | None:
    found = (each for spooled in kept for each in spooled.left)
    of_page = [each for each in found if (each.incident, each.channel) == (incident, channel.name)]
    return max(of_page, key=lambda each: (each.shown.is_whole, each.at), default=None)


def _is_told(kept: Sequence[Spooled], incident: str, channel: Channel) -> bool:
    left = _left(kept, incident, channel)
    return left is not None and left.shown.is_whole


def _outside(left: Left | None) -> OutsideObject | None:
    return _object_of(left) if left else None


def _object_of(left: Left) -> OutsideObject:
    """It shows no version that the database knows, so news of the incident brings it up to date."""
    shown: Shown = left.shown
    return OutsideObject(
        incident=left.incident,
        channel=left.channel,
        outside_id=shown.outside_id,
        opened_at=left.at,
        updated_at=left.at,
        place=shown.place,
        url=shown.url,
        closed_at=left.at if shown.is_closed else None,
        data=shown.data,
    )
