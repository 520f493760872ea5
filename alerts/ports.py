"""What telling an alert needs from the outside."""

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
