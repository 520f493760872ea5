"""Alerts that never pass Alertmanager: what a ladder queues for the console opens incidents as well."""

from collections.abc import Callable

from alerts.ports import Notifier
from alerts.told import from_payload
from controlplane.model.alert import Alert
from controlplane.model.outbox import OutboxMessage


class OpeningNotifier:
    """Hands alerts of the console's channel to `take` before `inner` writes them; both may see the same one again.

    `take` is `Intake.take_own` with the time. A message that is no alert is the inner one's business alone.
    """

    def __init__(self, inner: Notifier, take: Callable[[Alert], object]) -> None:
        self._inner = inner
        self._take = take

    @property
    def channel(self) -> str:
        """That of the inner one."""
        return self._inner.channel

    def notify(self, message: OutboxMessage) -> None:
        """Open its incident, then write it. Raises what the store and the inner one raise."""
        alert = _alert_of(message)
        if alert is not None:
            self._take(alert)
        self._inner.notify(message)


def _alert_of(message: OutboxMessage) -> Alert | None:
    try:
        return from_payload(message.payload)
    except ValueError:
        return None
