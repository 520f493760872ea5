"""What follows from delivery events: deployments, changes, artifacts, incidents."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final, TypeVar

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    RowMapping,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
)

from controlplane.model.delivery import Artifact, Change, DeliveryIncident, Deployment, EntityKind, SheetKey
from controlplane.store import delivery_fact_tables as tables
from controlplane.store import delivery_rows as rows
from controlplane.store.batches import among, batches, insert_new
from controlplane.store.keyed_rows import KeyedRows
from controlplane.store.write_order import WriteOrder

T = TypeVar("T")
_TABLES: Final = {
    EntityKind.DEPLOYMENT: tables.deployments,
    EntityKind.CHANGE: tables.changes,
    EntityKind.ARTIFACT: tables.artifacts,
    EntityKind.INCIDENT: tables.incidents,
}
_PARTS: Final = {
    tables.deployed_artifacts: KeyedRows(
        "delivery_deployed_artifacts", {"artifact": "bytea", "deployment": "text"}, {}
    ),
    tables.deployed_changes: KeyedRows("delivery_deployed_changes", {"change": "bytea", "deployment": "text"}, {}),
}
_Part = tuple[bytes, str]  # short name of an artifact or change, deployment
_DEPLOYMENT: Final = tables.deployments.c
_ARTIFACT: Final = tables.deployed_artifacts.c
_CHANGE: Final = tables.deployed_changes.c


_OWN: Final = (_DEPLOYMENT.service == bindparam("service"), _DEPLOYMENT.environment == bindparam("environment"))
_BEFORE: Final = (  # these two are asked for each deployment: to put them together takes longer than to run them
    select(tables.deployments)
    .where(*_OWN, _DEPLOYMENT.at < bindparam("at"))
    .order_by(_DEPLOYMENT.at.desc(), _DEPLOYMENT.id.desc())
    .limit(bindparam("most", type_=Integer()))
)
_AFTER: Final = (
    select(tables.deployments)
    .where(*_OWN, _DEPLOYMENT.at > bindparam("at"))
    .order_by(_DEPLOYMENT.at, _DEPLOYMENT.id)
    .limit(bindparam("most", type_=Integer()))
)


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
        self._put_parts(chosen)
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
        found = self._of_track(_BEFORE, service, environment, before, limit)
        return found[::-1]

    def first_deployments_after(self, service: str, environment: str, after: datetime, limit: int) -> list[Deployment]:
        """The earliest that finished later than then, by (at, id)."""
        return self._of_track(_AFTER, service, environment, after, limit)

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
        wanted = {each for each in revisions if all(each)}
        known = _known(columns.repository, columns.revision)
        found: list[Change] = []
        for batch in batches(sorted({revision for _, revision in wanted})):
            query = select(tables.changes).where(among(self._connection, columns.revision, batch), *known)
            found += map(rows.change_of, self._connection.execute(query).mappings())
        found.sort(key=lambda change: (change.merged_at, change.id), reverse=True)
        by_name = {(change.repository, change.revision): change for change in found}
        return {name: change for name, change in by_name.items() if name in wanted}

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
        searches = (
            ([rows.short(each) for each in artifacts], _of_artifacts),
            ([rows.short(each) for each in changes], _of_changes),
            (repositories, _of_revisions),
            (repositories, _of_built),
        )
        found: set[SheetKey] = set()
        for wanted, searching in searches:
            for batch in batches([each for each in dict.fromkeys(wanted) if each]):
                query = searching(self._days(since), batch)
                for service, environment, day in self._connection.execute(query):
                    found.add(SheetKey(service, environment, date.fromisoformat(day)))
        return sorted(found)

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

    def incidents_naming(self, deployments: Sequence[str]) -> list[DeliveryIncident]:
        """Those that name one of these, or whose last correction does, by (started_at, id)."""
        found: dict[str, DeliveryIncident] = {}
        columns = tables.incidents.c
        for batch in batches([each for each in dict.fromkeys(deployments) if each]):
            named = or_(
                columns.deployment.in_(batch) & and_(*_known(columns.deployment)), columns.id.in_(_corrected_to(batch))
            )
            rows_found = self._connection.execute(select(tables.incidents).where(named)).mappings()
            found |= {row["id"]: rows.incident_of(row) for row in rows_found}
        return sorted(found.values(), key=lambda incident: (incident.started_at, incident.id))

    def drop_facts(self, entities: Sequence[str]) -> None:
        """Forget the facts about these things."""
        self._order.take()
        ids: dict[EntityKind, list[str]] = defaultdict(list)
        for entity in entities:
            kind, _, key = entity.partition(":")
            ids[EntityKind(kind)].append(key)
        self._drop_parts(ids[EntityKind.DEPLOYMENT])
        for of_kind, table in _TABLES.items():
            for batch in batches(ids[of_kind]):
                self._connection.execute(delete(table).where(table.c.id.in_(batch)))

    def services(self) -> list[tuple[str, str]]:
        """Every (service, environment) that ever had a deployment or an incident, sorted."""
        found = self._connection.execute(select(tables.services.c.service, tables.services.c.environment))
        return sorted((service, environment) for service, environment in found)

    def _put_parts(self, deployments: Sequence[Deployment]) -> None:
        """Keep the tables by which deployments are found: what has changed against the deployments as they stand."""
        stored = self._stored_parts([each.id for each in deployments])
        wanted = (
            {(rows.short(artifact), each.id) for each in deployments for artifact in each.artifacts},
            {(rows.short(change), each.id) for each in deployments for change in each.changes},
        )
        for table, known, now in zip(_PARTS, stored, wanted, strict=True):
            _PARTS[table].delete(self._connection, sorted(known - now))
            _PARTS[table].add(self._connection, sorted(now - known))

    def _drop_parts(self, ids: Sequence[str]) -> None:
        for table, known in zip(_PARTS, self._stored_parts(ids), strict=True):
            _PARTS[table].delete(self._connection, sorted(known))

    def _stored_parts(self, ids: Sequence[str]) -> tuple[set[_Part], set[_Part]]:
        """(artifact, deployment) and (change, deployment) of these deployments as they stand."""
        artifacts: set[_Part] = set()
        changes: set[_Part] = set()
        found = rows.DEPLOYMENTS.read(self._connection, [(id_,) for id_ in ids], ("artifacts", "changes"))
        for (id_,), (own_artifacts, own_changes) in found:
            artifacts.update((rows.short(artifact), id_) for artifact in orjson.loads(own_artifacts))
            changes.update((rows.short(change), id_) for change in orjson.loads(own_changes))
        return artifacts, changes

    def _of_track(
        self, query: Select[Any], service: str, environment: str, at: datetime, limit: int
    ) -> list[Deployment]:
        """Deployments of one service in one environment, in the query's order."""
        bound = {"service": service, "environment": environment, "at": at, "most": limit}
        found = [rows.deployment_of(row) for row in self._connection.execute(query, bound).mappings()]
        return sorted(found, key=_place, reverse=query is _BEFORE)

    def _know_services(self, pairs: Iterable[tuple[str, str]]) -> None:
        found = [{"service": service, "environment": environment} for service, environment in sorted(set(pairs))]
        insert_new(self._connection, tables.services, found)

    def _by_id(self, table: Table, ids: Sequence[str], read: Callable[[RowMapping], T]) -> dict[str, T]:
        found: dict[str, T] = {}
        for batch in batches(list(dict.fromkeys(ids))):
            query = select(table).where(among(self._connection, table.c.id, batch))
            found |= {row["id"]: read(row) for row in self._connection.execute(query).mappings()}
        return found

    def _latest_deployments(self, query: Select[Any], limit: int | None) -> list[Deployment]:
        columns = tables.deployments.c
        latest = query.order_by(columns.at.desc(), columns.id.desc()).limit(limit)
        found = [rows.deployment_of(row) for row in self._connection.execute(latest).mappings()]
        return sorted(found, key=_place)

    def _days(self, since: date | None) -> Select[Any]:
        """(service, environment, UTC day as text) of deployments, each once."""
        at = _DEPLOYMENT.at
        if self._connection.dialect.name == "sqlite":
            day = func.substr(at, 1, 10)
        else:
            day = func.to_char(func.timezone("UTC", at), "YYYY-MM-DD")
        days = select(_DEPLOYMENT.service, _DEPLOYMENT.environment, day).distinct()
        return days if since is None else days.where(at >= datetime.combine(since, time(), UTC))


def _of_artifacts(days: Select[Any], artifacts: Sequence[Any]) -> Select[Any]:
    joined = days.join(tables.deployed_artifacts, _ARTIFACT.deployment == _DEPLOYMENT.id)
    return joined.where(_ARTIFACT.artifact.in_(artifacts))


def _of_changes(days: Select[Any], changes: Sequence[Any]) -> Select[Any]:
    joined = days.join(tables.deployed_changes, _CHANGE.deployment == _DEPLOYMENT.id)
    return joined.where(_CHANGE.change.in_(changes))


def _of_revisions(days: Select[Any], repositories: Sequence[Any]) -> Select[Any]:
    own = _DEPLOYMENT.repository.in_(repositories)
    return days.where(own, *_known(_DEPLOYMENT.repository, _DEPLOYMENT.revision))


def _of_built(days: Select[Any], repositories: Sequence[Any]) -> Select[Any]:
    repository = tables.artifacts.c.repository
    joined = days.join(tables.deployed_artifacts, _ARTIFACT.deployment == _DEPLOYMENT.id)
    built = joined.join(tables.artifacts, tables.artifacts.c.short == _ARTIFACT.artifact)
    return built.where(repository.in_(repositories), *_known(repository))


def _corrected_to(deployments: Sequence[str]) -> Select[Any]:
    """Ids of incidents whose last correction names one of these."""
    last = tables.corrections.c
    later = tables.corrections.alias("later").c
    newer = select(later.sequence).where(later.incident == last.incident, later.sequence > last.sequence).exists()
    named = (last.deployment.in_(deployments), *_known(last.deployment), ~last.is_withdrawn)
    return select(last.incident).where(*named, ~newer)


def _place(deployment: Deployment) -> tuple[datetime, str]:
    return deployment.at, deployment.id


def _known(*columns: Column[str]) -> list[ColumnElement[bool]]:
    """That they are not empty, in such words that the databases see which index fits."""
    return [column != literal_column("''") for column in columns]
