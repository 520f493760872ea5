"""Messages to the outside, kept with the decision that caused them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, case, delete, func, or_, select, update

from controlplane.model.outbox import EVERY_CHANNEL, LEAST_URGENT, Channels, DueMessage, OutboxMessage
from controlplane.ports import CLAIM_HOLD, Permanent
from controlplane.store.batches import batches, unseen
from controlplane.store.tables import outbox
from controlplane.store.write_order import WriteOrder

_REASON_LENGTH: Final = 2000  # characters kept of why a delivery failed
_DEAD_FOR: Final = timedelta(days=1)  # how long a dead letter counts as overdue
_Lane = tuple[str, str]  # channel and key


class _State(Enum):
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class SqlOutbox:
    """Implements `controlplane.ports.Outbox`."""

    def __init__(self, connection: Connection, order: WriteOrder) -> None:
        self._connection = connection
        self._order = order

    def enqueue(self, message: OutboxMessage, now: datetime) -> bool:
        """Queue it; False when the id was queued before (and not purged since)."""
        return bool(self.enqueue_all([message], now))

    def enqueue_all(self, messages: Sequence[OutboxMessage], now: datetime) -> int:
        """Queue those whose ids were not queued before, in this order, in few statements; how many they were."""
        self._order.take()
        new = unseen(self._connection, outbox.c.id, messages, lambda message: message.id)
        if new:
            urgencies = _urgencies(new)
            self._hurry(new, urgencies)
            self._connection.execute(outbox.insert(), [_row(*each, now) for each in zip(new, urgencies, strict=True)])
        return len(new)

    def enqueue_current(self, messages: Sequence[OutboxMessage], now: datetime) -> int:
        """Queue those whose channel and key have no pending message that nobody is delivering; how many they were.

        On PostgreSQL a claim does not wait for us, nor we for it. Which of the two sees the other's row: a row that is
        being claimed at this moment is locked, and passed over here, so that the news is queued behind it. A row that
        we found is locked until we commit, so that a claim passes over it, and finds what we wrote when it comes back.
        A claim that ran out without a word may still be at work with what was true before: it counts as open.
        """
        self._order.take()
        new = unseen(self._connection, outbox.c.id, messages, lambda message: message.id)
        urgencies = _urgencies(new)
        taken = {_lane(row) for row in self._hurry(new, urgencies, lock_all=True) if row["open_claims"] == 0}
        rows = []
        for message, urgency in zip(new, urgencies, strict=True):
            if _lane_of(message) not in taken:
                rows.append(_row(message, urgency, now))
                taken.add(_lane_of(message))
        if rows:
            self._connection.execute(outbox.insert(), rows)
        return len(rows)

    def claim(
        self,
        limit: int,
        now: datetime,
        hold: timedelta = CLAIM_HOLD,
        channels: Channels = EVERY_CHANNEL,
        urgency: int = LEAST_URGENT,
    ) -> list[DueMessage]:
        """Due messages, most urgent first, then oldest, which nobody else gets until `now + hold`."""
        same = outbox.alias("same")
        oldest = (  # not NOT EXISTS: where statistics are behind, PostgreSQL joins all with all for it
            select(func.min(same.c.sequence))
            .where(
                same.c.state == _State.PENDING.value,
                same.c.channel == outbox.c.channel,
                same.c.key == outbox.c.key,
            )
            .scalar_subquery()
        )
        due = (
            select(outbox)
            .where(
                outbox.c.state == _State.PENDING.value,
                outbox.c.next_attempt_at <= now,
                or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until <= now),
                outbox.c.sequence == oldest,
            )
            .order_by(outbox.c.urgency, outbox.c.sequence)
            .limit(limit)
            .with_for_update(of=outbox, skip_locked=True)
        )
        if urgency < LEAST_URGENT:
            due = due.where(outbox.c.urgency <= urgency)
        if channels.names:
            named = outbox.c.channel.in_(sorted(channels.names))
            due = due.where(~named if channels.are_left_out else named)
        rows = self._connection.execute(due).mappings().all()
        claimed = outbox.c.sequence.in_([row["sequence"] for row in rows])
        values = {"claimed_until": now + hold, "open_claims": outbox.c.open_claims + 1}
        if rows:
            self._connection.execute(update(outbox).where(claimed).values(values))
        return [_due(row) for row in rows]

    def delivered(self, message_id: str, now: datetime) -> None:
        """It arrived, even when somebody has given it up meanwhile. Raises `Permanent` for an unknown id."""
        self._finish(message_id, state=_State.DELIVERED.value, claimed_until=None, finished_at=now)

    def failed(self, message_id: str, reason: str, retry_at: datetime | None, now: datetime) -> None:
        """It did not: try again at `retry_at`, or never. Says nothing about one that is delivered or dead already."""
        values: dict[str, Any] = {"attempts": outbox.c.attempts + 1, "last_error": reason[:_REASON_LENGTH]}
        if retry_at is None:
            values |= {"state": _State.DEAD.value, "finished_at": now}
        else:
            values["next_attempt_at"] = retry_at
        self._finish(message_id, only_pending=True, **values, **_LET_GO)

    def postponed(self, message_id: str, until: datetime, now: datetime) -> None:
        """It was not even tried: due again at `until`. Says nothing about one that is delivered or dead already."""
        self._finish(message_id, only_pending=True, next_attempt_at=until, **_LET_GO)

    def overdue(self, before: datetime, urgency: int, limit: int = 1000) -> list[DueMessage]:
        """Messages at least so urgent, queued before then, that are pending or died in the day up to then or later."""
        is_dead = (outbox.c.state == _State.DEAD.value) & (outbox.c.finished_at >= before - _DEAD_FOR)
        late = (outbox.c.state == _State.PENDING.value) | is_dead
        query = select(outbox).where(late, outbox.c.enqueued_at < before, outbox.c.urgency <= urgency)
        found = self._connection.execute(query.order_by(outbox.c.sequence).limit(limit)).mappings()
        return [_due(row) for row in found]

    def backlog(self) -> int:
        """Messages neither delivered nor dead."""
        return self._count(_State.PENDING)

    def oldest(self) -> dict[str, datetime]:
        """Channels with pending messages, and when the oldest of each was queued."""
        pending = select(outbox.c.channel, func.min(outbox.c.enqueued_at)).where(outbox.c.state == _State.PENDING.value)
        rows = self._connection.execute(pending.group_by(outbox.c.channel))
        return {row[0]: row[1] for row in rows}

    def dead_letters(self) -> int:
        """Messages given up."""
        return self._count(_State.DEAD)

    def purge(self, before: datetime) -> int:
        """Forget messages delivered before then, and with them that their ids were used; the number of them."""
        old = (outbox.c.state == _State.DELIVERED.value) & (outbox.c.finished_at < before)
        return self._connection.execute(delete(outbox).where(old)).rowcount

    def _finish(self, message_id: str, *, only_pending: bool = False, **values: Any) -> None:
        self._order.take()  # before the row's lock, in the order in which who queues has them
        query = select(outbox.c.state, outbox.c.channel, outbox.c.key, outbox.c.urgency)
        row = self._connection.execute(query.where(outbox.c.id == message_id).with_for_update()).mappings().first()
        if row is None:
            raise Permanent(f"the outbox has no message {message_id!r}")
        if row["state"] == _State.PENDING.value or not (only_pending or row["state"] == _State.DELIVERED.value):
            self._connection.execute(update(outbox).where(outbox.c.id == message_id).values(**values))

    def _hurry(
        self, new: Sequence[OutboxMessage], urgencies: Sequence[int], *, lock_all: bool = False
    ) -> list[RowMapping]:
        """What stands before an urgent message of its key becomes as urgent; what stands there, as far as it is looked
        for: all with `lock_all`. Those that are being claimed just now are missing.
        """
        urgent: dict[_Lane, int] = {}
        for message, urgency in zip(new, urgencies, strict=True):
            if lock_all or urgency < LEAST_URGENT:
                urgent.setdefault(_lane_of(message), urgency)
        pending = self._pending(list(urgent))
        slow: dict[int, list[int]] = {}
        for row in pending:
            if urgent[_lane(row)] < row["urgency"]:
                slow.setdefault(urgent[_lane(row)], []).append(row["sequence"])
        for urgency, sequences in slow.items():
            for batch in batches(sequences):
                change = update(outbox).where(outbox.c.sequence.in_(batch)).values(urgency=urgency)
                self._connection.execute(change)
        return pending

    def _pending(self, lanes: Sequence[_Lane]) -> list[RowMapping]:
        """Pending messages of those channels and keys, locked, without waiting for anybody."""
        keys: dict[str, list[str]] = {}
        for channel, key in lanes:
            keys.setdefault(channel, []).append(key)
        found: list[RowMapping] = []
        wanted = (outbox.c.sequence, outbox.c.channel, outbox.c.key, outbox.c.urgency, outbox.c.open_claims)
        for channel, of_channel in keys.items():
            for batch in batches(of_channel):
                query = select(*wanted).where(outbox.c.state == _State.PENDING.value, outbox.c.channel == channel)
                locked = query.where(outbox.c.key.in_(batch)).with_for_update(skip_locked=True)
                found += self._connection.execute(locked).mappings()
        return found

    def _count(self, state: _State) -> int:
        return self._connection.scalar(select(func.count()).where(outbox.c.state == state.value)) or 0


_LET_GO: Final[dict[str, Any]] = {
    "claimed_until": None,
    "open_claims": case((outbox.c.open_claims > 0, outbox.c.open_claims - 1), else_=0),
}


def _lane(row: RowMapping) -> _Lane:
    return row["channel"], row["key"]


def _lane_of(message: OutboxMessage) -> _Lane:
    return message.channel, message.key


def _urgencies(messages: Sequence[OutboxMessage]) -> list[int]:
    """That of each, or of a later one of its channel and key, for which it makes way."""
    most: dict[_Lane, int] = {}
    found = []
    for message in reversed(messages):
        lane = _lane_of(message)
        most[lane] = min(message.urgency, most.get(lane, message.urgency))
        found.append(most[lane])
    return found[::-1]


def _row(message: OutboxMessage, urgency: int, now: datetime) -> dict[str, Any]:
    return {
        "id": message.id,
        "channel": message.channel,
        "key": message.key,
        "payload": message.payload,
        "state": _State.PENDING.value,
        "attempts": 0,
        "enqueued_at": now,
        "next_attempt_at": now,
        "last_error": "",
        "urgency": urgency,
        "open_claims": 0,
    }


def _due(row: RowMapping) -> DueMessage:
    message = OutboxMessage(row["id"], row["channel"], row["key"], row["payload"], row["urgency"])
    return DueMessage(message, row["attempts"], row["enqueued_at"])
