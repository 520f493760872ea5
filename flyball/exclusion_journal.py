"""The journal of `flyball apply`: exclusions go to the audit log whoever applies them, the rest to the terminal."""

from dataclasses import dataclass
from typing import Final

from controlplane import conventions
from controlplane.model.event import Event

_KINDS: Final = (
    conventions.EVENT_EXCLUSION_ADDED,
    conventions.EVENT_EXCLUSION_CHANGED,
    conventions.EVENT_EXCLUSION_REMOVED,
    conventions.EVENT_EXCLUSION_EXPIRED,
)


@dataclass(frozen=True, slots=True)
class ExclusionJournal:
    """`slo.ports.Journal` that opens the database only when an exclusion was added, changed, removed or expired."""

    database_url: str
    actor: str

    def write(self, event: Event) -> bool:
        """Append what is about an exclusion. Raises `Transient` and `Permanent` from the store."""
        if event.kind not in _KINDS:
            return False
        from controlplane.store import migrate, open_store  # most runs need no database
        from slo.journal import StoreJournal

        migrate(self.database_url)
        store = open_store(self.database_url)
        try:
            return StoreJournal(store, self.actor, lambda: None).write(event)
        finally:
            store.close()
