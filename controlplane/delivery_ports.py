"""What the event intake and the DORA metrics need from the store, as a protocol. All of it is part of one transaction.

`put_…` replaces what stands under the same id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # every command imports this; few see a value of these types
    from controlplane.model.delivery import (
        Artifact,
        Change,
        Correction,
        CounterRow,
        DeliveryEvent,
        DeliveryIncident,
        Deployment,
        EventQuery,
        EventReceipt,
        Sheet,
        SheetKey,
        StoredDeliveryEvent,
        StoredEffect,
    )
    from controlplane.model.event import JSON


class DeliveryLog(Protocol):
    """Events of delivery, the facts that follow from them, and what was measured of the facts."""

    # --- events -------------------------------------------------------------------------------------------------------
    def take(self, events: Sequence[DeliveryEvent], received_at: datetime) -> EventReceipt:
        """Keep those that are new, in this order; one of a known (source, id) changes nothing. Counts all of them.

        Of two in one batch that contradict each other the first one is kept. Writers go one after the other.
        """
        ...

    def refuse(self, sender: str, events: int) -> None:
        """Count events that were malformed."""
        ...

    def event_counts(self) -> Mapping[tuple[str, str, str], int]:
        """How many ever came, by (sender, type, outcome); outcomes: accepted, unknown, duplicate, conflict, refused.

        Types beyond the first 200 count as `other`; the type of refused ones is empty.
        """
        ...

    def events_after(self, sequence: int, limit: int) -> list[StoredDeliveryEvent]:
        """Events with a larger sequence number, in order; none will appear later below the last of them."""
        ...

    def entities_after(self, sequence: int, limit: int) -> tuple[list[str], int]:
        """Entities, each once, of the next `limit` events, and the sequence number of the last of these events."""
        ...

    def events_of(self, entities: Sequence[str]) -> dict[str, list[DeliveryEvent]]:
        """All events about these things, each list in the order of (time, source, id)."""
        ...

    def event(self, source: str, id_: str) -> StoredDeliveryEvent | None:
        """The one of that name."""
        ...

    def find_events(self, query: EventQuery) -> list[StoredDeliveryEvent]:
        """Newest first."""
        ...

    def last_sequence(self) -> int:
        """The newest event's; 0 while there is none."""
        ...

    def forget_events(self, before: datetime, limit: int) -> int:
        """Drop at most `limit` events (not facts) that came before then; how many they were."""
        ...

    # --- facts --------------------------------------------------------------------------------------------------------
    def put_deployments(self, deployments: Sequence[Deployment]) -> None:
        """Keep them."""
        ...

    def deployments(self, ids: Sequence[str]) -> dict[str, Deployment]:
        """Those of these ids."""
        ...

    def deployments_between(
        self, start: datetime, end: datetime, *, service: str = "", environment: str = "", limit: int | None = None
    ) -> list[Deployment]:
        """Those that finished in [start, end), by (at, id); of more than `limit`, the latest."""
        ...

    def last_deployments_before(self, service: str, environment: str, before: datetime, limit: int) -> list[Deployment]:
        """The latest that finished before then, by (at, id)."""
        ...

    def first_deployments_after(self, service: str, environment: str, after: datetime, limit: int) -> list[Deployment]:
        """The earliest that finished later than then, by (at, id)."""
        ...

    def put_changes(self, changes: Sequence[Change]) -> None:
        """Keep them."""
        ...

    def changes(self, ids: Sequence[str]) -> dict[str, Change]:
        """Those of these ids."""
        ...

    def changes_of_revisions(self, revisions: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Change]:
        """By (repository, revision)."""
        ...

    def changes_merged(self, repository: str, after: datetime, until: datetime, limit: int = 100_000) -> list[Change]:
        """Those of a repository that were merged in (after, until], by (merged_at, id); of more, the latest."""
        ...

    def put_artifacts(self, artifacts: Sequence[Artifact]) -> None:
        """Keep them."""
        ...

    def artifacts(self, ids: Sequence[str]) -> dict[str, Artifact]:
        """Those of these ids."""
        ...

    def deployments_awaiting(
        self,
        *,
        artifacts: Sequence[str] = (),
        repositories: Sequence[str] = (),
        changes: Sequence[str] = (),
        since: date | None = None,
    ) -> list[SheetKey]:
        """Days from `since` on with deployments of these artifacts, of these repositories, or that name these changes.

        Of a repository: by the deployment's revision or by its artifacts. What they waited for has come.
        """
        ...

    def put_incidents(self, incidents: Sequence[DeliveryIncident]) -> None:
        """Keep them."""
        ...

    def delivery_incidents(self, ids: Sequence[str]) -> dict[str, DeliveryIncident]:
        """Those of these ids."""
        ...

    def incidents_between(
        self, start: datetime, end: datetime, *, service: str = "", environment: str = ""
    ) -> list[DeliveryIncident]:
        """Those that went on at some time in [start, end), by (started_at, id)."""
        ...

    def incidents_naming(self, deployments: Sequence[str]) -> list[DeliveryIncident]:
        """Those that name one of these (ids, versions, revisions), or whose last correction does, by (started_at, id).

        Withdrawn corrections name nothing.
        """
        ...

    def drop_facts(self, entities: Sequence[str]) -> None:
        """Forget the facts about these things: no event supports them any more."""
        ...

    def services(self) -> list[tuple[str, str]]:
        """Every (service, environment) that ever had a deployment or an incident, sorted."""
        ...

    # --- corrections --------------------------------------------------------------------------------------------------
    def put_correction(self, correction: Correction) -> None:
        """Keep it as the last word about its incident; earlier ones stay readable."""
        ...

    def corrections(self, incidents: Sequence[str]) -> dict[str, Correction]:
        """The last word about each, also withdrawn ones."""
        ...

    def correction_history(self, incident: str) -> list[Correction]:
        """Every word about it, oldest first."""
        ...

    # --- what was measured --------------------------------------------------------------------------------------------
    def mark_stale(self, keys: Sequence[SheetKey]) -> None:
        """These days must be measured anew."""
        ...

    def stale(self, limit: int) -> list[SheetKey]:
        """Days that must be, sorted."""
        ...

    def count_stale(self) -> int:
        """How many there are."""
        ...

    def put_sheets(self, sheets: Sequence[Sheet]) -> None:
        """Keep them; their days are no longer stale. A sheet with an empty body is dropped."""
        ...

    def sheets(self, first: date, last: date, *, service: str = "", environment: str = "") -> list[Sheet]:
        """Of the days first … last, both included, sorted by key."""
        ...

    def sheets_of(self, keys: Sequence[SheetKey]) -> dict[SheetKey, Sheet]:
        """Those of these keys."""
        ...

    def add_counters(self, growth: Sequence[CounterRow]) -> None:
        """Let counters grow by these values; a non-empty exemplar replaces the one before, unless its `at` is later."""
        ...

    def counters(self) -> list[CounterRow]:
        """All of them, sorted by name, service, environment, labels."""
        ...

    # --- effects ------------------------------------------------------------------------------------------------------
    def put_effects(self, effects: Sequence[StoredEffect]) -> None:
        """Keep them: one per deployment and subject."""
        ...

    def effects_of(self, deployments: Sequence[str]) -> dict[str, list[StoredEffect]]:
        """By deployment, sorted by subject."""
        ...

    def effects_between(
        self, start: datetime, end: datetime, *, state: str = "", service: str = "", limit: int = 1000
    ) -> list[StoredEffect]:
        """Of deployments that finished in [start, end): highest score first, those without one last."""
        ...

    # --- progress -----------------------------------------------------------------------------------------------------
    def progress(self, name: str) -> Mapping[str, JSON] | None:
        """What a reader or collector remembered under that name."""
        ...

    def put_progress(self, name: str, value: Mapping[str, JSON]) -> None:
        """Remember it."""
        ...
