"""Incidents in Slack: one message each, changed in place, and what happened in its thread.

Slack knows no idempotency key. So before a message is posted, it is written down that it will be; whoever finds that
note later, and no message, looks for one that bears our mark and adopts it. What is there twice nevertheless (by a
leader that was paused while it posted) is found by the same mark and removed, see `SlackTidying`.
"""

import logging
import re
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from alerts.adapters.slack_api import ContentRefused, MessageGone, Refused, SlackApi
from alerts.delivery.showing import Showing, Shown
from alerts.model import Snapshot
from alerts.ports import RateLimited
from alerts.slack.keeping import Kept
from alerts.slack.marks import Mark, marked, twins_of
from alerts.slack.message import SlackMessage, message_of, plain_message
from alerts.slack.thread import Reply, reply_of
from controlplane.model.incident import OutsideObject
from controlplane.model.outbox import OutboxMessage
from controlplane.ports import Permanent, Store, Transient

SKEW: Final = timedelta(minutes=1)  # how far our clock and Slack's may be apart
LOOKS: Final = (timedelta(minutes=2), timedelta(minutes=15))  # after a message was posted, its twins are looked for
WATCHED: Final = timedelta(hours=1)
MOST_LOOKS: Final = 10  # in one turn: each is two calls
_MOST_INCIDENTS: Final = 200
_MOST_REMEMBERED: Final = 10_000
_ASKED_AGAIN_SECONDS: Final = 600.0
_PREFIX: Final = "slack:"
_ID: Final = re.compile("[CGD][A-Z0-9]{7,}")
Sent = TypeVar("Sent")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Posted:
    ts: str
    place: str


class SlackNotifier:
    """Delivers messages of one lane `slack:…` to one Slack channel, given by name or id.

    `with_buttons`: somebody hears when they are pressed, which takes the app's signing secret.
    """

    def __init__(
        self, channel: str, slack_channel: str, api: SlackApi, showing: Showing, *, with_buttons: bool
    ) -> None:
        self._channel = channel
        self._slack_channel = slack_channel
        self._api = api
        self._showing = showing
        self._with_buttons = with_buttons
        self._place = slack_channel if _ID.fullmatch(slack_channel) else ""  # its id, once Slack has told it

    @property
    def channel(self) -> str:
        """The lane."""
        return self._channel

    def notify(self, message: OutboxMessage) -> None:
        """Show the incident as it is now. Raises `Transient`, `RateLimited` and `Permanent`."""
        if not self._place:  # posts take a channel's name; who looks for a lost one needs its id
            self._place = self._showing.place_of(self._channel)
        self._showing.deliver(message, self._channel, self.show)

    def show(self, snapshot: Snapshot, outside: OutsideObject | None) -> Iterator[Shown]:
        """The same without the store."""
        mark = Mark(snapshot.incident.id, self._channel)
        kept = Kept.of(outside.data) if outside else Kept()
        there = self._updated(snapshot, mark, outside) if outside else None
        if there is None:
            there = yield from self._posted(snapshot, mark, outside)
            if outside and kept.is_posting:
                yield Shown(there.ts, there.place, is_whole=False, data=Kept(version=snapshot.incident.version).data())
                remove_twins(self._api, there.place, there.ts, mark, outside.opened_at)
            kept = Kept()
        self._place = there.place
        kept = replace(kept, is_posting=False, version=snapshot.incident.version)
        url = outside.url if outside and outside.outside_id == there.ts else ""
        shown = Shown(there.ts, there.place, url, is_closed=not snapshot.incident.is_open)
        yield from self._replied(snapshot, shown, kept, mark)

    def _updated(self, snapshot: Snapshot, mark: Mark, outside: OutsideObject) -> _Posted | None:
        """The message that is there, brought up to date; None when there is none."""
        there, kept = _Posted(outside.outside_id, outside.place), Kept.of(outside.data)
        if not there.ts:
            found = self._found(mark, outside) if kept.is_posting else None
            if found is None:
                return None
            there = found
        if kept.version >= snapshot.incident.version:  # only its thread is behind
            return there
        rank = snapshot.incident.priority.rank
        try:
            self._in_any_shape(
                snapshot, lambda message: self._api.update(there.place, there.ts, message, mark, urgency=rank)
            )
        except MessageGone as error:
            log.info("slack.message_gone", extra={"incident": snapshot.incident.id, "reason": str(error)})
            return None
        return there

    def _found(self, mark: Mark, outside: OutsideObject) -> _Posted | None:
        """A message that an earlier attempt posted though its answer was lost."""
        place = outside.place or self._place
        if not place:
            return None
        try:
            messages = self._api.since(place, outside.opened_at - SKEW)
        except Refused as error:  # the app may not read there: rather twice than never
            log.warning("slack.history_refused", extra={"channel": self._channel, "reason": str(error)})
            return None
        same = [each for each in marked(messages) if each.mark == mark]
        return _Posted(same[0].ts, place) if same else None

    def _posted(self, snapshot: Snapshot, mark: Mark, outside: OutsideObject | None) -> Generator[Shown, None, _Posted]:
        place = self._place or (outside.place if outside else "")
        target, rank = self._slack_channel, snapshot.incident.priority.rank
        yield Shown("", place, is_whole=False, data=Kept(is_posting=True).data())
        try:
            ts, place = self._in_any_shape(
                snapshot, lambda message: self._api.post(target, message, mark, urgency=rank)
            )
        except (Refused, ContentRefused, RateLimited):  # this time nothing was posted: the next one need not look
            was_in_doubt = outside is not None and Kept.of(outside.data).is_posting
            yield Shown("", place, is_whole=False, data=Kept(is_posting=was_in_doubt).data())
            raise
        return _Posted(ts, place)

    def _in_any_shape(self, snapshot: Snapshot, send: Callable[[SlackMessage], Sent]) -> Sent:
        """As it should be; where Slack does not take that, as short as can be: news must not be lost over a form."""
        try:
            return send(message_of(snapshot, with_buttons=self._with_buttons))
        except ContentRefused as error:
            log.error("slack.message_refused", extra={"incident": snapshot.incident.id, "reason": str(error)})
            return send(plain_message(snapshot, with_buttons=self._with_buttons))

    def _replied(self, snapshot: Snapshot, shown: Shown, kept: Kept, mark: Mark) -> Iterator[Shown]:
        kept = self._settled(shown, kept, mark)
        reply = reply_of(snapshot.timeline, kept.told)
        if reply is None:
            yield replace(shown, data=kept.data())
            return
        begun = replace(kept, reply=reply.id, reply_told=reply.told)
        yield replace(shown, data=begun.data(), is_whole=False, is_closed=False)
        self._reply(shown, reply, replace(mark, reply=reply.id), snapshot.incident.priority.rank)
        url = shown.url or self._permalink(shown)
        yield replace(shown, url=url, data=replace(kept, told=reply.told).data())

    def _settled(self, shown: Shown, kept: Kept, mark: Mark) -> Kept:
        """Without a reply that was begun: it is there and its lines are told, or it is not."""
        if not kept.reply:
            return kept
        try:
            there = marked(self._api.replies(shown.place, shown.outside_id))
        except (Refused, MessageGone) as error:
            log.warning("slack.replies_refused", extra={"channel": self._channel, "reason": str(error)})
            there = []
        is_there = any(each.mark == replace(mark, reply=kept.reply) for each in there)
        told = kept.reply_told if is_there else kept.told
        return replace(kept, told=told, reply="", reply_told=())

    def _reply(self, shown: Shown, reply: Reply, mark: Mark, rank: int) -> None:
        try:
            self._api.post(shown.place, reply.message, mark, urgency=rank, thread=shown.outside_id)
        except (ContentRefused, MessageGone) as error:  # the message itself says how it stands
            log.error("slack.reply_refused", extra={"channel": self._channel, "reason": str(error)})

    def _permalink(self, shown: Shown) -> str:
        """A convenience: without it all is well."""
        try:
            return self._api.permalink(shown.place, shown.outside_id)
        except (Transient, Permanent):
            return ""


class SlackPeople:
    """Names of people by their ids: an event says only the id. Who is not known is asked for again after a while."""

    def __init__(
        self, api_of: Callable[[str], SlackApi | None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._api_of = api_of
        self._monotonic = monotonic
        self._known: dict[str, tuple[str, float]] = {}

    def name(self, lane: str, user: str) -> str:
        """The name, as far as Slack tells it now; else empty. Never raises."""
        name, at = self._known.get(user, ("", -_ASKED_AGAIN_SECONDS))
        if name or self._monotonic() - at < _ASKED_AGAIN_SECONDS:
            return name
        api = self._api_of(lane)
        try:
            name = api.user_name(user) if api else ""
        except (Transient, Permanent) as error:
            log.info("slack.name_unknown", extra={"user": user, "reason": str(error)})
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[user] = (name, self._monotonic())
        return name


class SlackTidying:
    """Removes messages and replies that are there twice. It looks at each message twice in its first hour.

    `api_of` gives the way to a lane's Slack, None for a lane that is not declared any more.
    """

    def __init__(self, store: Store, api_of: Callable[[str], SlackApi | None]) -> None:
        self._store = store
        self._api_of = api_of
        self._looked: dict[tuple[str, str, str], int] = {}

    def run_once(self, now: datetime) -> int:
        """How many were removed. Raises `Transient` when the store or Slack cannot be reached."""
        removed = 0
        for outside in self._due(now)[:MOST_LOOKS]:
            api = self._api_of(outside.channel)
            if api is not None:
                removed += self._tidied(api, outside)
            key = (outside.incident, outside.channel, outside.outside_id)
            self._looked[key] = sum(now - _posted_at(outside) >= look for look in LOOKS)
        return removed

    def _due(self, now: datetime) -> list[OutsideObject]:
        if len(self._looked) > _MOST_REMEMBERED:
            self._looked.clear()
        with self._store.transaction(read_only=True) as transaction:
            incidents = transaction.incidents.between(now - WATCHED, now, _MOST_INCIDENTS)
            objects = [each for incident in incidents for each in transaction.telling.objects_of(incident.id)]
        return [each for each in objects if each.channel.startswith(_PREFIX) and self._is_due(each, now)]

    def _is_due(self, outside: OutsideObject, now: datetime) -> bool:
        if not outside.outside_id or not outside.place:
            return False
        age = now - _posted_at(outside)
        looked = self._looked.get((outside.incident, outside.channel, outside.outside_id), 0)
        return age < WATCHED and sum(age >= look for look in LOOKS) > looked

    def _tidied(self, api: SlackApi, outside: OutsideObject) -> int:
        mark = Mark(outside.incident, outside.channel)
        return remove_twins(api, outside.place, outside.outside_id, mark, outside.opened_at) + _remove_twin_replies(
            api, outside, mark
        )


def _posted_at(outside: OutsideObject) -> datetime:
    """When our message came to be there: a `ts` is seconds since 1970. That may be long after it was first tried."""
    seconds = outside.outside_id.partition(".")[0]
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 11):
        return outside.opened_at
    return max(datetime.fromtimestamp(int(seconds), UTC), outside.opened_at)


def remove_twins(api: SlackApi, place: str, ts: str, mark: Mark, since: datetime) -> int:
    """Messages with this mark but the one that we own; how many were removed. Where we may not look, none is."""
    try:
        twins = twins_of(ts, mark, api.since(place, since - SKEW))
        for twin in twins:
            api.delete(place, twin)
    except (Refused, RateLimited) as error:
        log.warning("slack.not_tidied", extra={"incident": mark.incident, "reason": str(error)})
        return 0
    if twins:
        log.info("slack.twins_removed", extra={"incident": mark.incident, "channel": mark.channel, "count": len(twins)})
    return len(twins)


def _remove_twin_replies(api: SlackApi, outside: OutsideObject, mark: Mark) -> int:
    try:
        replies = [each for each in marked(api.replies(outside.place, outside.outside_id)) if each.mark.reply]
        seen: set[str] = set()
        twins = []
        for each in replies:
            if replace(each.mark, reply="") == mark and each.mark.reply in seen:
                twins.append(each.ts)
            seen.add(each.mark.reply)
        for twin in twins:
            api.delete(outside.place, twin)
    except (Refused, RateLimited, MessageGone) as error:
        log.warning("slack.not_tidied", extra={"incident": mark.incident, "reason": str(error)})
        return 0
    return len(twins)
