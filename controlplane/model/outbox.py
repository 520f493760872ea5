"""Work for the outside, kept in the same transaction as the decision that caused it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from controlplane.model.event import JSON

LEAST_URGENT: Final = 4


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """Something to deliver at least once. Messages of one `key` leave in order; `id` is the idempotency key.

    `channel` names the lane that delivers it (`console`, `slack:#ops`, `pagerduty:sre`, …). `urgency`: 0 leaves first.
    """

    id: str
    channel: str
    key: str
    payload: Mapping[str, JSON]
    urgency: int = LEAST_URGENT


@dataclass(frozen=True, slots=True)
class Channels:
    """Some channels: those that are named, or all but those."""

    names: frozenset[str] = frozenset()
    are_left_out: bool = True


EVERY_CHANNEL: Final = Channels()


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A message whose turn has come; `attempts` counts the failed ones so far."""

    message: OutboxMessage
    attempts: int
    enqueued_at: datetime


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One link of the hash-chained audit log: `hash` covers every other field and the previous entry's hash."""

    sequence: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, JSON]
    previous_hash: str
    hash: str
