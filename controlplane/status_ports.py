"""What status pages need from the store, as a protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # every command imports this; few see a value of these types
    from controlplane.model.public_status import ComponentStatus
    from controlplane.model.status_record import (
        Channel,
        ComponentChange,
        ComponentSpan,
        ComponentState,
        CorrectionRecord,
        IncidentRecord,
        Subscriber,
        UpdateEdit,
        UpdateRecord,
    )


class StatusLog(Protocol):
    """What was observed and said of each page. `put_…` replaces what stands under the same page and id."""

    def hold(self) -> None:
        """Take the right to write until the transaction ends: what is read from now on is what is written over."""
        ...

    def observe(
        self, page: str, statuses: Mapping[str, ComponentStatus], at: datetime, longest_gap: timedelta
    ) -> list[ComponentChange]:
        """Note what each component's status is; those that changed, by component.

        An observation stands until the next one. When that comes later than `longest_gap`, the time between belongs to
        no span: nobody knows what was. One that is older than the latest changes nothing.
        """
        ...

    def states(self, page: str) -> list[ComponentState]:
        """What stands of every component that was ever observed, by component."""
        ...

    def spans(self, page: str, start: datetime, end: datetime) -> list[ComponentSpan]:
        """Spans with a part in [start, end), by component and start; not cut."""
        ...

    def put_spans(self, page: str, spans: Sequence[ComponentSpan]) -> None:
        """Spans of a past that was not observed here (history of a demo, an import); nothing is checked."""
        ...

    def incidents(self, page: str, since: datetime | None = None) -> list[IncidentRecord]:
        """Those that are not resolved, and those that were begun, scheduled or resolved at `since` or later.

        None: all of them. Newest start first.
        """
        ...

    def incident(self, page: str, incident: str) -> IncidentRecord | None:
        """The one of that id."""
        ...

    def put_incident(self, incident: IncidentRecord) -> None:
        """Keep it as it is now."""
        ...

    def updates(self, page: str, incidents: Sequence[str]) -> list[UpdateRecord]:
        """All updates of these incidents, drafts and discarded ones too, by incident and number."""
        ...

    def update(self, page: str, update: str) -> UpdateRecord | None:
        """The one of that id."""
        ...

    def waiting(self, page: str) -> list[UpdateRecord]:
        """Drafts and approved ones, oldest first."""
        ...

    def put_update(self, update: UpdateRecord) -> None:
        """Keep it as it is now. Raises `Permanent` when that would change the text of one that is published."""
        ...

    def edit(self, page: str, update: str, body: str, by: str, at: datetime) -> UpdateRecord:
        """Change the text, published or not; what it said before is kept. Raises `Permanent` for an unknown id."""
        ...

    def edits(self, page: str, update: str) -> list[UpdateEdit]:
        """What it said before, oldest first."""
        ...

    def corrections(self, page: str) -> list[CorrectionRecord]:
        """All, withdrawn ones too, by when they were declared."""
        ...

    def put_correction(self, correction: CorrectionRecord) -> None:
        """Keep it as it is now."""
        ...

    def subscribers(self, page: str) -> list[Subscriber]:
        """All, by when they asked."""
        ...

    def subscriber(self, page: str, subscriber: str) -> Subscriber | None:
        """The one of that id."""
        ...

    def subscriber_at(self, page: str, channel: Channel, address: str) -> Subscriber | None:
        """The one with that address."""
        ...

    def put_subscriber(self, subscriber: Subscriber) -> None:
        """Keep it as it is now."""
        ...

    def purge(self, page: str, before: datetime) -> int:
        """Forget what was over before then: spans, incidents with their updates, subscribers; how many rows."""
        ...
