"""The part of the delivery log that reckoning and measuring use, in memory: quick enough for thousands of examples.

`test_memory_log.py` holds it against the real one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from controlplane.model.delivery import (
    Artifact,
    Change,
    Correction,
    CounterRow,
    DeliveryIncident,
    Deployment,
    Sheet,
    SheetKey,
)
from controlplane.model.event import Event

Fact = Deployment | Change | Artifact | DeliveryIncident


class MemoryLog:
    """Facts by kind and id, and stale days."""

    def __init__(self, facts: Iterable[Fact] = (), corrections: Iterable[Correction] = ()) -> None:
        self.all_deployments: dict[str, Deployment] = {}
        self.all_changes: dict[str, Change] = {}
        self.all_artifacts: dict[str, Artifact] = {}
        self.all_incidents: dict[str, DeliveryIncident] = {}
        self.all_corrections: dict[str, Correction] = {}
        self.stale_days: set[SheetKey] = set()
        self.all_sheets: dict[SheetKey, Sheet] = {}
        self.grown: list[CounterRow] = []
        self.told: list[Event] = []
        for fact in facts:
            self.put(fact)
        for correction in corrections:
            self.put_correction(correction)

    def put(self, fact: Fact) -> Fact | None:
        """Keep it; what stood there before."""
        table = self._table(fact)
        before = table.get(fact.id)
        table[fact.id] = fact
        return before

    def known(self, fact: Fact) -> Fact | None:
        """What stands under its id."""
        return self._table(fact).get(fact.id)

    def drop(self, fact: Fact) -> None:
        del self._table(fact)[fact.id]

    def _table(self, fact: Fact) -> dict[str, Fact]:
        for kind, table in (
            (Deployment, self.all_deployments),
            (Change, self.all_changes),
            (Artifact, self.all_artifacts),
            (DeliveryIncident, self.all_incidents),
        ):
            if isinstance(fact, kind):
                return table  # type: ignore[return-value]
        raise TypeError(fact)

    # --- as in controlplane.delivery_ports ----------------------------------------------------------------------------
    def deployments(self, ids: Sequence[str]) -> dict[str, Deployment]:
        return {id_: self.all_deployments[id_] for id_ in ids if id_ in self.all_deployments}

    def deployments_between(
        self, start: datetime, end: datetime, *, service: str = "", environment: str = "", limit: int | None = None
    ) -> list[Deployment]:
        assert limit is None
        return [one for one in self._track(service, environment) if start <= one.at < end]

    def last_deployments_before(self, service: str, environment: str, before: datetime, limit: int) -> list[Deployment]:
        return [one for one in self._track(service, environment) if one.at < before][-limit:]

    def first_deployments_after(self, service: str, environment: str, after: datetime, limit: int) -> list[Deployment]:
        return [one for one in self._track(service, environment) if one.at > after][:limit]

    def _track(self, service: str, environment: str) -> list[Deployment]:
        found = self.all_deployments.values()
        mine = [one for one in found if one.service == service and one.environment == environment]
        return sorted(mine, key=lambda one: (one.at, one.id))

    def changes(self, ids: Sequence[str]) -> dict[str, Change]:
        return {id_: self.all_changes[id_] for id_ in ids if id_ in self.all_changes}

    def changes_of_revisions(self, revisions: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Change]:
        found = sorted(self.all_changes.values(), key=lambda one: (one.merged_at, one.id), reverse=True)
        by_revision = {(one.repository, one.revision): one for one in found if one.revision}
        return {key: by_revision[key] for key in revisions if key in by_revision}

    def changes_merged(self, repository: str, after: datetime, until: datetime, limit: int = 100_000) -> list[Change]:
        found = [
            one for one in self.all_changes.values() if one.repository == repository and after < one.merged_at <= until
        ]
        return sorted(found, key=lambda one: (one.merged_at, one.id))[-limit:]

    def artifacts(self, ids: Sequence[str]) -> dict[str, Artifact]:
        return {id_: self.all_artifacts[id_] for id_ in ids if id_ in self.all_artifacts}

    def deployments_awaiting(
        self,
        *,
        artifacts: Sequence[str] = (),
        repositories: Sequence[str] = (),
        changes: Sequence[str] = (),
        since: date | None = None,
    ) -> list[SheetKey]:
        keys = set()
        for one in self.all_deployments.values():
            built = [self.all_artifacts[name] for name in one.artifacts if name in self.all_artifacts]
            is_of = (one.revision and one.repository in repositories) or any(
                artifact.repository in repositories for artifact in built
            )
            is_waiting = (
                is_of or not set(one.artifacts).isdisjoint(artifacts) or not set(one.changes).isdisjoint(changes)
            )
            if is_waiting and (since is None or one.at.date() >= since):
                keys.add(SheetKey(one.service, one.environment, one.at.date()))
        return sorted(keys)

    def delivery_incidents(self, ids: Sequence[str]) -> dict[str, DeliveryIncident]:
        return {id_: self.all_incidents[id_] for id_ in ids if id_ in self.all_incidents}

    def incidents_between(
        self, start: datetime, end: datetime, *, service: str = "", environment: str = ""
    ) -> list[DeliveryIncident]:
        found = [
            one
            for one in self.all_incidents.values()
            if one.started_at < end
            and (one.started_at >= start or one.resolved_at is None or one.resolved_at > start)
            and (not service or one.service == service)
            and (not environment or one.environment == environment)
        ]
        return sorted(found, key=lambda one: (one.started_at, one.id))

    def incidents_naming(self, deployments: Sequence[str]) -> list[DeliveryIncident]:
        names = set(deployments) - {""}
        corrected = {
            one.incident for one in self.all_corrections.values() if not one.is_withdrawn and one.deployment in names
        }
        found = [one for one in self.all_incidents.values() if one.deployment in names or one.id in corrected]
        return sorted(found, key=lambda one: (one.started_at, one.id))

    def corrections(self, incidents: Sequence[str]) -> dict[str, Correction]:
        return {id_: self.all_corrections[id_] for id_ in incidents if id_ in self.all_corrections}

    def put_correction(self, correction: Correction) -> None:
        self.all_corrections[correction.incident] = correction

    def services(self) -> list[tuple[str, str]]:
        found: Mapping[str, Deployment | DeliveryIncident] = {**self.all_deployments, **self.all_incidents}
        return sorted({(one.service, one.environment) for one in found.values()})

    # --- what was measured --------------------------------------------------------------------------------------------
    def mark_stale(self, keys: Sequence[SheetKey]) -> None:
        self.stale_days.update(keys)

    def sheets_of(self, keys: Sequence[SheetKey]) -> dict[SheetKey, Sheet]:
        return {key: self.all_sheets[key] for key in keys if key in self.all_sheets}

    def put_sheets(self, sheets: Sequence[Sheet]) -> None:
        for sheet in sheets:
            self.stale_days.discard(sheet.key)
            self.all_sheets.pop(sheet.key, None)
            if sheet.body:
                self.all_sheets[sheet.key] = sheet

    def add_counters(self, growth: Sequence[CounterRow]) -> None:
        self.grown += growth

    # --- as a transaction ---------------------------------------------------------------------------------------------
    @property
    def delivery(self) -> "MemoryLog":
        return self

    @property
    def events(self) -> "MemoryLog":
        return self

    def append_all(self, new: Sequence[Event], recorded_at: datetime) -> int:
        self.told += new
        return len(new)
