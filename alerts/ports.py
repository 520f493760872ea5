"""What alerts need from the outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from controlplane.model.outbox import OutboxMessage
from controlplane.model.silence import HeldAlert as HeldAlert
from controlplane.model.silence import Silence as Silence
from controlplane.ports import Transient

if TYPE_CHECKING:
    from alerts.model import Snapshot


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


class RateLimited(Transient):
    """The provider asks for a pause until `until`; nothing was taken, and it counts as no failed attempt."""

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class Snapshots(Protocol):
    """Incidents as they are now, for those who tell them."""

    def of(self, incident: str) -> Snapshot | None:
        """The incident as it is now; None when there is none of that id. Raises what the store raises."""
        ...


class Switchboard(Protocol):
    """Flags that a runbook may change, in the stores of the workspace, within their allow-lists."""

    def read(self, store: str, flag: str) -> str:
        """Its value now, as text. Raises `Permanent` for a store or flag that is not declared."""
        ...

    def write(self, store: str, flag: str, value: str) -> None:
        """Set it and read it back. Raises `Permanent` when it may not be changed, `Transient` when it did not work."""
        ...


class SilenceKeeper(Protocol):
    """Alertmanager's silences. Errors as in `AlertSource`."""

    def silences(self) -> Sequence[Silence]:
        """Those that are active or will be."""
        ...

    def put(self, silence: Silence) -> str:
        """Create it, or replace the one of its id; the id that it has now."""
        ...

    def expire(self, silence_id: str) -> None:
        """End it; one that is gone already is no error."""
        ...


class HeldAlerts(Protocol):
    """What Alertmanager holds now, in detail. Errors as in `AlertSource`."""

    def alerts(self) -> Sequence[HeldAlert]:
        """Every alert that has not ended there."""
        ...
