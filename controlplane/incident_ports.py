"""What alerts, incidents and their aftermath need from the store, as protocols.

`put` and `put_…` replace what stands under the same id. Everything is part of one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # every command imports this; few see a value of these types
    from controlplane.model.alert import StoredAlert
    from controlplane.model.follow_up import AccessToken, Action, RunbookRun, Ticket
    from controlplane.model.incident import (
        AlertReceipt,
        DeliveryAttempt,
        DueStep,
        Incident,
        IncidentAlert,
        OutsideObject,
        TimelineEntry,
    )


class IncidentLog(Protocol):
    """Incidents, their alerts, timelines and escalations."""

    def lock(self) -> None:
        """Take the right to write until the transaction ends: what is read from now on is what is written over."""
        ...

    def incident(self, incident: str) -> Incident | None:
        """The one of that id, or of that name (`INC-7`)."""
        ...

    def open_of_key(self, key: str) -> Incident | None:
        """The one of this key that is not resolved; there is one at most."""
        ...

    def last_of_key(self, key: str) -> Incident | None:
        """The one of this key that was opened last, resolved or not."""
        ...

    def open(self, limit: int = 10_000) -> list[Incident]:
        """Those that are not resolved, most urgent first, then oldest."""
        ...

    def quiet(self, since: datetime, limit: int = 1000) -> list[Incident]:
        """Those that are not resolved and of which no alert fires since then or longer, the longest quiet first."""
        ...

    def between(self, start: datetime, end: datetime, limit: int = 1000) -> list[Incident]:
        """Those that went on at some time in [start, end), latest opened first."""
        ...

    def of_key(self, key: str, limit: int = 100) -> list[Incident]:
        """All of one key, latest opened first."""
        ...

    def put(self, incident: Incident) -> Incident:
        """Keep it as it is now; a new one gets its number. Raises `Permanent` for a second open one of a key."""
        ...

    def join(self, members: Sequence[IncidentAlert]) -> int:
        """Alerts belong to incidents; one that belongs to some incident already stays there. How many joined."""
        ...

    def end_alerts(self, ended: Sequence[tuple[str, datetime, datetime]]) -> list[str]:
        """Alerts (fingerprint, start) ended at the third; ids of the incidents that they belong to, each once."""
        ...

    def alerts_of(self, incident: str, limit: int = 1000) -> list[tuple[IncidentAlert, StoredAlert | None]]:
        """Its alerts, those that fire first, then latest start first; None where the alert itself was forgotten."""
        ...

    def count_alerts(self, incident: str) -> tuple[int, int]:
        """How many alerts it has, and how many of them fire."""
        ...

    def incident_of(self, fingerprint: str, starts_at: datetime) -> str | None:
        """The id of the incident that an alert belongs to."""
        ...

    def incidents_of(self, alerts: Sequence[tuple[str, datetime]]) -> dict[tuple[str, datetime], str]:
        """The same for many at once; those that belong to none are missing."""
        ...

    def note(self, entries: Sequence[TimelineEntry], recorded_at: datetime) -> int:
        """Write lines into timelines; those whose ids (within their incident) are there already change nothing."""
        ...

    def timeline(self, incident: str, limit: int = 10_000) -> list[TimelineEntry]:
        """Its lines in order of `at`, then of writing; of more than `limit`, the latest."""
        ...

    def put_steps(self, steps: Sequence[DueStep]) -> None:
        """Keep these steps of an escalation as they are now: by incident, policy, round and step."""
        ...

    def due_steps(self, at: datetime, limit: int = 1000) -> list[DueStep]:
        """Steps due at `at` or before, neither fired nor cancelled, of incidents that are open and unacknowledged:

        earliest due first, then by incident, round and step.
        """
        ...

    def steps_of(self, incident: str) -> list[DueStep]:
        """All steps of an incident, in order of due time."""
        ...

    def cursor(self, name: str) -> int:
        """How far a reader of the event log came; 0 in the beginning."""
        ...

    def put_cursor(self, name: str, sequence: int) -> None:
        """Remember that."""
        ...


class TellingLog(Protocol):
    """What was told to whom outside, and how that went."""

    def put_object(self, outside: OutsideObject) -> None:
        """Keep it as it is now: one per incident and channel."""
        ...

    def object_of(self, incident: str, channel: str) -> OutsideObject | None:
        """What one channel shows of an incident."""
        ...

    def objects_of(self, incident: str) -> list[OutsideObject]:
        """All of an incident, oldest first."""
        ...

    def place_of(self, channel: str) -> str:
        """Where the object of that channel is that was changed last, of those whose place is known; else empty."""
        ...

    def by_outside_id(self, channel_prefix: str, outside_id: str, place: str = "") -> OutsideObject | None:
        """The one of that outside id (and place, if given) in channels that begin so, such as `slack:`."""
        ...

    def left_open(self, limit: int = 1000) -> list[OutsideObject]:
        """Those still open though their incident is resolved, oldest first."""
        ...

    def attempted(self, attempts: Sequence[DeliveryAttempt]) -> None:
        """Write attempts down."""
        ...

    def attempts_of(self, incident: str, limit: int = 1000) -> list[DeliveryAttempt]:
        """Those of an incident, oldest first; of more than `limit`, the latest."""
        ...

    def received(self, receipts: Sequence[AlertReceipt]) -> None:
        """Deliveries of alerts to routes: counted, with the time of the first and the last."""
        ...

    def receipts_of(self, fingerprint: str, starts_at: datetime) -> list[AlertReceipt]:
        """Which routes an alert was delivered to, first delivery first."""
        ...

    def purge(self, before: datetime) -> int:
        """Forget attempts and receipts that ended before then; how many they were."""
        ...


class FollowUpLog(Protocol):
    """Actions, tickets, runs of runbooks."""

    def put_action(self, action: Action) -> None:
        """Keep it as it is now."""
        ...

    def action(self, action: str) -> Action | None:
        """The one of that id."""
        ...

    def actions(self, incident: str = "", *, only_open: bool = False, due_before: date | None = None) -> list[Action]:
        """By due date, then creation; of one incident where it is named."""
        ...

    def put_ticket(self, ticket: Ticket) -> None:
        """Keep it as it is now."""
        ...

    def ticket(self, key: str) -> Ticket | None:
        """The one that is about this."""
        ...

    def tickets(self, *, only_untold: bool = False, only_open: bool = False, limit: int = 1000) -> list[Ticket]:
        """Oldest first; `only_untold`: those of which the tracker does not show the wanted version."""
        ...

    def put_run(self, run: RunbookRun) -> None:
        """Keep it as it is now."""
        ...

    def run(self, run: str) -> RunbookRun | None:
        """The one of that id."""
        ...

    def runs(
        self, incident: str = "", runbook: str = "", limit: int = 100, *, only_open: bool = False
    ) -> list[RunbookRun]:
        """Newest first; of one incident or runbook where it is named; `only_open`: those that wait or run."""
        ...


class AccessLog(Protocol):
    """Bearer tokens of the console."""

    def put_token(self, token: AccessToken) -> None:
        """Keep it as it is now, by name."""
        ...

    def token_of(self, digest: str) -> AccessToken | None:
        """The one of that digest, revoked or not."""
        ...

    def tokens(self) -> list[AccessToken]:
        """All, by name."""
        ...
