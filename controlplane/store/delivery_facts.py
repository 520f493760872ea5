"""What follows from delivery events: deployments, changes, artifacts, incidents."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, TypeVar

import orjson
from sqlalchemy import Connection, RowMapping, Select, Table, delete, func, or_, select, tuple_

from controlplane.model.delivery import Artifact, Change, DeliveryIncident, Deployment, EntityKind, SheetKey
from controlplane.store import delivery_fact_tables as tables
from controlplane.store import delivery_rows as rows
from controlplane.store.batches import batches, insert_new
from controlplane.store.keyed_rows import KeyedRows
from controlplane.store.write_order import WriteOrder

T = TypeVar("T")
_TABLES: Final = {
    EntityKind.DEPLOYMENT: tables.deployments,
    EntityKind.CHANGE: tables.changes,
    EntityKind.ARTIFACT: tables.artifacts,
    EntityKind.INCIDENT: tables.incidents,
}
_DEPLOYED: Final = KeyedRows("delivery_deployed_artifacts", {"artifact": "text", "deployment": "text"}, {})


class SqlDeliveryFacts:
    """The part of `controlplane.delivery_ports.DeliveryLog` that is about facts."""

    def __init__(self, connection: Connection, order: WriteOrder) -> None:
        self._connection = connection
        self._order = order

    def put_deployments(self, deployments: Sequence[Deployment]) -> None:
        """Keep them."""
        self._order.take()
        chosen = rows.last_of((each.id, each) for each in deployments)
        written = [rows.deployment_row(each) for each in chosen]
        self._put_deployed({each.id: each.artifacts for each in chosen})
        rows.DEPLOYMENTS.upsert(self._connection, written)
        self._know_services((each.service, each.environment) for each in chosen)

    def deployments(self, ids: Sequence[str]) -> dict[str, Deployment]:
        """Those of these ids."""
        return self._by_id(tables.deployments, ids, rows.deployment_of)

    def deployments_between(
        self, start: datetime, end: datetime, *, service: str = "", environment: str = "", limit: int | None = None
    ) -> list[Deployment]:
        """Those that finished in [start, end), by (at, id); of more than `limit`, the latest."""
        columns = tables.deployments.c
        query = select(tables.deployments).where(columns.at >= start, columns.at < end)
        query = query.where(columns.service == service) if service else query
        query = query.where(columns.environment == environment) if environment else query
        return self._latest_deployments(query, limit)

    def last_deployments_before(self, service: str, environment: str, before: datetime, limit: int) -> list[Deployment]:
        """The latest that finished before then, by (at, id)."""
        columns = tables.deployments.c
        own = (columns.service == service, columns.environment == environment)
        return self._latest_deployments(select(tables.deployments).where(*own, columns.at < before), limit)

    def put_changes(self, changes: Sequence[Change]) -> None:
        """Keep them."""
        self._order.take()
        written = [rows.change_row(each) for each in rows.last_of((each.id, each) for each in changes)]
        rows.CHANGES.upsert(self._connection, written)

    def changes(self, ids: Sequence[str]) -> dict[str, Change]:
        """Those of these ids."""
        return self._by_id(tables.changes, ids, rows.change_of)

    def changes_of_revisions(self, revisions: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Change]:
        """By (repository, revision); of several, the one merged first, then the one with the least id."""
        columns = tables.changes.c
        named = tuple_(columns.repository, columns.revision)
        found: list[Change] = []
        for batch in batches([each for each in dict.fromkeys(revisions) if all(each)]):
            query = select(tables.changes).where(named.in_(batch), tables.BY_REVISION)
            found += map(rows.change_of, self._connection.execute(query).mappings())
        found.sort(key=lambda change: (change.merged_at, change.id), reverse=True)
        return {(change.repository, change.revision): change for change in found}

    def changes_merged(self, repository: str, after: datetime, until: datetime, limit: int = 100_000) -> list[Change]:
        """Those of a repository that were merged in (after, until], by (merged_at, id); of more, the latest."""
        columns = tables.changes.c
        merged = (columns.merged_at > after, columns.merged_at <= until)
        query = select(tables.changes).where(columns.repository == repository, *merged)
        latest = query.order_by(columns.merged_at.desc(), columns.id.desc()).limit(limit)
        found = [rows.change_of(row) for row in self._connection.execute(latest).mappings()]
        return sorted(found, key=lambda change: (change.merged_at, change.id))

    def put_artifacts(self, artifacts: Sequence[Artifact]) -> None:
        """Keep them."""
        self._order.take()
        written = [rows.artifact_row(each) for each in rows.last_of((each.id, each) for each in artifacts)]
        rows.ARTIFACTS.upsert(self._connection, written)

    def artifacts(self, ids: Sequence[str]) -> dict[str, Artifact]:
        """Those of these ids."""
        return self._by_id(tables.artifacts, ids, rows.artifact_of)

    def deployments_awaiting(
        self, *, artifacts: Sequence[str] = (), repositories: Sequence[str] = ()
    ) -> list[SheetKey]:
        """Days that have deployments of these artifacts, or of these repositories by revision."""
        columns = tables.deployments.c
        days = select(columns.service, columns.environment, self._day()).distinct()
        found: set[tuple[str, str, str]] = set()
        deployed = tables.deployed_artifacts.c
        of_artifacts = days.join(tables.deployed_artifacts, deployed.deployment == columns.id)
        for batch in batches(list(dict.fromkeys(artifacts))):
            found.update(map(tuple, self._connection.execute(of_artifacts.where(deployed.artifact.in_(batch)))))
        for batch in batches([each for each in dict.fromkeys(repositories) if each]):
            query = days.where(columns.repository.in_(batch), tables.BY_REVISION)
            found.update(map(tuple, self._connection.execute(query)))
        return sorted(SheetKey(service, environment, date.fromisoformat(day)) for service, environment, day in found)

    def put_incidents(self, incidents: Sequence[DeliveryIncident]) -> None:
        """Keep them."""
        self._order.take()
        chosen = rows.last_of((each.id, each) for each in incidents)
        rows.INCIDENTS.upsert(self._connection, [rows.incident_row(each) for each in chosen])
        self._know_services((each.service, each.environment) for each in chosen)

    def delivery_incidents(self, ids: Sequence[str]) -> dict[str, DeliveryIncident]:
        """Those of these ids."""
        return self._by_id(tables.incidents, ids, rows.incident_of)

    def incidents_between(
        self, start: datetime, end: datetime, *, service: str = "", environment: str = ""
    ) -> list[DeliveryIncident]:
        """Those that went on at some time in [start, end), by (started_at, id)."""
        columns = tables.incidents.c
        began_in_it = (columns.started_at >= start) & (columns.started_at < end)
        ended_later = (columns.resolved_at > start) & (columns.started_at < start)
        goes_on = tables.IS_OPEN & (columns.started_at < start)
        query = select(tables.incidents).where(or_(began_in_it, ended_later, goes_on))
        query = query.where(columns.service == service) if service else query
        query = query.where(columns.environment == environment) if environment else query
        found = [rows.incident_of(row) for row in self._connection.execute(query).mappings()]
        return sorted(found, key=lambda incident: (incident.started_at, incident.id))

    def drop_facts(self, entities: Sequence[str]) -> None:
        """Forget the facts about these things."""
        self._order.take()
        ids: dict[EntityKind, list[str]] = defaultdict(list)
        for entity in entities:
            kind, _, key = entity.partition(":")
            ids[EntityKind(kind)].append(key)
        self._put_deployed(dict.fromkeys(ids[EntityKind.DEPLOYMENT], ()))
        for of_kind, table in _TABLES.items():
            for batch in batches(ids[of_kind]):
                self._connection.execute(delete(table).where(table.c.id.in_(batch)))

    def services(self) -> list[tuple[str, str]]:
        """Every (service, environment) that ever had a deployment or an incident, sorted."""
        found = self._connection.execute(select(tables.services.c.service, tables.services.c.environment))
        return sorted((service, environment) for service, environment in found)

    def _put_deployed(self, artifacts: dict[str, tuple[str, ...]]) -> None:
        """Keep the table by which deployments are found: what has changed against the deployments as they stand."""
        added = {(artifact, each) for each, own in artifacts.items() for artifact in own}
        dropped: list[tuple[str, str]] = []
        for (id_,), (known,) in rows.DEPLOYMENTS.read(
            self._connection, [(each,) for each in artifacts], ("artifacts",)
        ):
            stored = {(artifact, id_) for artifact in orjson.loads(known)}
            dropped += stored - added
            added -= stored
        columns = tables.deployed_artifacts.c
        key = tuple_(columns.artifact, columns.deployment)
        for batch in batches(dropped):
            self._connection.execute(delete(tables.deployed_artifacts).where(key.in_(batch)))
        _DEPLOYED.add(self._connection, sorted(added))

    def _know_services(self, pairs: Iterable[tuple[str, str]]) -> None:
        found = [{"service": service, "environment": environment} for service, environment in sorted(set(pairs))]
        insert_new(self._connection, tables.services, found)

    def _by_id(self, table: Table, ids: Sequence[str], read: Callable[[RowMapping], T]) -> dict[str, T]:
        found: dict[str, T] = {}
        for batch in batches(list(dict.fromkeys(ids))):
            query = select(table).where(table.c.id.in_(batch))
            found |= {row["id"]: read(row) for row in self._connection.execute(query).mappings()}
        return found

    def _latest_deployments(self, query: Select[Any], limit: int | None) -> list[Deployment]:
        columns = tables.deployments.c
        latest = query.order_by(columns.at.desc(), columns.id.desc()).limit(limit)
        found = [rows.deployment_of(row) for row in self._connection.execute(latest).mappings()]
        return sorted(found, key=lambda deployment: (deployment.at, deployment.id))

    def _day(self) -> Any:
        """The UTC day of a deployment as text."""
        at = tables.deployments.c.at
        if self._connection.dialect.name == "sqlite":
            return func.substr(at, 1, 10).label("day")
        return func.to_char(func.timezone(UTC.tzname(None), at), "YYYY-MM-DD").label("day")
