"""What alerts need from the outside."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from controlplane.model.outbox import OutboxMessage


class Notifier(Protocol):
    """Delivers messages of one channel. `message.id` is the idempotency key: the same one may come twice.

    Errors: `Transient` to be tried again, `Permanent` when trying again would not help.
    """

    @property
    def channel(self) -> str:
        """The channel whose messages it takes."""
        ...

    def notify(self, message: OutboxMessage) -> None:
        """Deliver it; returning means that it arrived."""
        ...


class AlertSource(Protocol):
    """Who sends us alerts, asked what it holds.

    Errors: `Transient` when it is unreachable or its answer is not whole, `Permanent` when it is not what we talk to.
    """

    def held(self) -> Mapping[str, datetime]:
        """Fingerprint and start of every alert that has not ended there, whether it is told to anybody or not."""
        ...
