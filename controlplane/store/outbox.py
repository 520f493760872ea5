"""Messages to the outside, kept with the decision that caused them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, delete, func, or_, select, update

from controlplane.model.outbox import EVERY_CHANNEL, Channels, DueMessage, OutboxMessage
from controlplane.ports import CLAIM_HOLD, Permanent
from controlplane.store.batches import unseen
from controlplane.store.tables import outbox
from controlplane.store.write_order import WriteOrder

_REASON_LENGTH: Final = 2000  # characters kept of why a delivery failed


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
            self._connection.execute(outbox.insert(), [_row(message, now) for message in new])
        return len(new)

    def claim(
        self, limit: int, now: datetime, hold: timedelta = CLAIM_HOLD, channels: Channels = EVERY_CHANNEL
    ) -> list[DueMessage]:
        """Due messages, oldest first, which nobody else gets until `now + hold`."""
        older = outbox.alias("older")
        waits_for_older = (
            select(older.c.sequence)
            .where(
                older.c.state == _State.PENDING.value,
                older.c.channel == outbox.c.channel,
                older.c.key == outbox.c.key,
                older.c.sequence < outbox.c.sequence,
            )
            .exists()
        )
        due = (
            select(outbox)
            .where(
                outbox.c.state == _State.PENDING.value,
                outbox.c.next_attempt_at <= now,
                or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until <= now),
                ~waits_for_older,
            )
            .order_by(outbox.c.sequence)
            .limit(limit)
            .with_for_update(of=outbox, skip_locked=True)
        )
        if channels.names:
            named = outbox.c.channel.in_(sorted(channels.names))
            due = due.where(~named if channels.are_left_out else named)
        rows = self._connection.execute(due).mappings().all()
        claimed = outbox.c.sequence.in_([row["sequence"] for row in rows])
        self._connection.execute(update(outbox).where(claimed).values(claimed_until=now + hold))
        return [_due(row) for row in rows]

    def delivered(self, message_id: str, now: datetime) -> None:
        """It arrived, even when somebody has given it up meanwhile. Raises `Permanent` for an unknown id."""
        self._finish(message_id, state=_State.DELIVERED.value, claimed_until=None, finished_at=now)

    def failed(self, message_id: str, reason: str, retry_at: datetime | None, now: datetime) -> None:
        """It did not: try again at `retry_at`, or never. Says nothing about one that is delivered or dead already."""
        values: dict[str, Any] = {
            "attempts": outbox.c.attempts + 1,
            "claimed_until": None,
            "last_error": reason[:_REASON_LENGTH],
        }
        if retry_at is None:
            values |= {"state": _State.DEAD.value, "finished_at": now}
        else:
            values["next_attempt_at"] = retry_at
        self._finish(message_id, only_pending=True, **values)

    def backlog(self) -> int:
        """Messages neither delivered nor dead."""
        return self._count(_State.PENDING)

    def dead_letters(self) -> int:
        """Messages given up."""
        return self._count(_State.DEAD)

    def purge(self, before: datetime) -> int:
        """Forget messages delivered before then, and with them that their ids were used; the number of them."""
        old = (outbox.c.state == _State.DELIVERED.value) & (outbox.c.finished_at < before)
        return self._connection.execute(delete(outbox).where(old)).rowcount

    def _finish(self, message_id: str, *, only_pending: bool = False, **values: Any) -> None:
        state = self._connection.scalar(select(outbox.c.state).where(outbox.c.id == message_id).with_for_update())
        if state is None:
            raise Permanent(f"the outbox has no message {message_id!r}")
        if state == _State.PENDING.value or not (only_pending or state == _State.DELIVERED.value):
            self._connection.execute(update(outbox).where(outbox.c.id == message_id).values(**values))

    def _count(self, state: _State) -> int:
        return self._connection.scalar(select(func.count()).where(outbox.c.state == state.value)) or 0


def _row(message: OutboxMessage, now: datetime) -> dict[str, Any]:
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
    }


def _due(row: RowMapping) -> DueMessage:
    message = OutboxMessage(row["id"], row["channel"], row["key"], row["payload"])
    return DueMessage(message, row["attempts"], row["enqueued_at"])
