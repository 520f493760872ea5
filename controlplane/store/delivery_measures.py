"""What was measured of deliveries: stale days, sheets, counters, effects; corrections and progress beside them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import orjson
from sqlalchemy import Connection, RowMapping, Select, func, select

from controlplane.model import exact
from controlplane.model.delivery import Correction, CounterRow, Sheet, SheetKey, StoredEffect
from controlplane.model.event import JSON
from controlplane.store import delivery_measure_tables as tables
from controlplane.store.batches import batches
from controlplane.store.canonical_json import canonical_json
from controlplane.store.delivery_fact_tables import corrections
from controlplane.store.delivery_rows import aware, storable
from controlplane.store.delivery_sheet_rows import sheets_where
from controlplane.store.delivery_tables import progress
from controlplane.store.failures import READING
from controlplane.store.keyed_rows import KeyedRows
from controlplane.store.plain_rows import number, plain
from controlplane.store.usage_sums import upsert
from controlplane.store.write_order import WriteOrder

_DAY: Final = {"service": "text", "environment": "text", "day": "date"}
_STALE: Final = KeyedRows("delivery_stale_days", _DAY, {})
_SHEETS: Final = KeyedRows("delivery_sheets", _DAY, {"body": "bytea"})
_COUNTERS: Final = KeyedRows(
    "delivery_counters",
    {"name": "text", "service": "text", "environment": "text", "labels": "text"},
    {"value": "text", "exemplar": "text"},
)
_CounterKey = tuple[str, str, str, str]


class SqlDeliveryMeasures:
    """The part of `controlplane.delivery_ports.DeliveryLog` that is about what was measured."""

    def __init__(self, connection: Connection, order: WriteOrder) -> None:
        self._connection = connection
        self._order = order

    def put_correction(self, correction: Correction) -> None:
        """Keep it as the last word about its incident; earlier ones stay readable."""
        self._order.take()
        self._connection.execute(corrections.insert(), plain(correction))

    def corrections(self, incidents: Sequence[str]) -> dict[str, Correction]:
        """The last word about each, also withdrawn ones."""
        found: dict[str, Correction] = {}
        for batch in batches(list(dict.fromkeys(incidents))):
            query = select(corrections).where(corrections.c.incident.in_(batch)).order_by(corrections.c.sequence)
            found |= {each.incident: each for each in self._corrections(query)}
        return found

    def correction_history(self, incident: str) -> list[Correction]:
        """Every word about it, oldest first."""
        columns = corrections.c
        return self._corrections(select(corrections).where(columns.incident == incident).order_by(columns.sequence))

    def mark_stale(self, keys: Sequence[SheetKey]) -> None:
        """These days must be measured anew."""
        self._order.take()
        _STALE.add(self._connection, sorted({_key(each) for each in keys}))

    def stale(self, limit: int) -> list[SheetKey]:
        """Days that must be, sorted. In a transaction that writes, none is marked until it ends."""
        if not self._connection.get_execution_options().get(READING, False):
            self._order.take()
        columns = tables.stale.c
        key = (columns.service, columns.environment, columns.day)
        found = self._connection.execute(select(*key).order_by(*key).limit(limit))
        return sorted(SheetKey(*row) for row in found)

    def count_stale(self) -> int:
        """How many there are."""
        return self._connection.scalar(select(func.count()).select_from(tables.stale)) or 0

    def put_sheets(self, sheets: Sequence[Sheet]) -> None:
        """Keep them; their days are no longer stale. A sheet with an empty body is dropped."""
        self._order.take()
        bodies = {_key(each.key): each.body for each in sheets}
        kept = [{**dict(zip(_DAY, key, strict=True)), "body": body} for key, body in sorted(bodies.items()) if body]
        for batch in batches(kept):
            upsert(self._connection, tables.sheets, batch)
        _SHEETS.delete(self._connection, [key for key, body in bodies.items() if not body])
        _STALE.delete(self._connection, list(bodies))

    def sheets(self, first: date, last: date, *, service: str = "", environment: str = "") -> list[Sheet]:
        """Of the days first … last, both included, sorted by key."""
        chosen: dict[str, date | str] = {"day >=": first, "day <=": last}
        for condition, wanted in (("service =", service), ("environment =", environment)):
            if wanted:
                chosen[condition] = wanted
        return sheets_where(self._connection, chosen)

    def sheets_of(self, keys: Sequence[SheetKey]) -> dict[SheetKey, Sheet]:
        """Those of these keys."""
        wanted = list(dict.fromkeys(_key(each) for each in keys))
        return {SheetKey(*key): Sheet(SheetKey(*key), bytes(body)) for key, (body,) in self._read_sheets(wanted)}

    def add_counters(self, growth: Sequence[CounterRow]) -> None:
        """Let counters grow by these values; a non-empty exemplar replaces the one before, unless that one is later."""
        self._order.take()
        grown: dict[_CounterKey, tuple[Decimal, str]] = {}
        for each in growth:
            key = (each.name, each.service, each.environment, each.labels)
            storable(*key)
            value, exemplar = grown.get(key, (exact.ZERO, ""))
            told = canonical_json(each.exemplar) if each.exemplar else ""
            grown[key] = (exact.add(value, each.value), _later(told, exemplar))
        for key, (value, exemplar) in _COUNTERS.read(self._connection, list(grown), ("value", "exemplar")):
            own = key[0], key[1], key[2], key[3]
            added, newer = grown[own]
            grown[own] = (exact.add(added, Decimal(value)), _later(newer, exemplar))
        written = [(*key, number(value), exemplar or "{}") for key, (value, exemplar) in sorted(grown.items())]
        _COUNTERS.upsert(self._connection, written)

    def counters(self) -> list[CounterRow]:
        """All of them, sorted by name, service, environment, labels."""
        found = [
            CounterRow(
                row.name, row.service, row.environment, row.labels, Decimal(row.value), orjson.loads(row.exemplar)
            )
            for row in self._connection.execute(select(tables.counters))
        ]
        return sorted(found, key=lambda row: (row.name, row.service, row.environment, row.labels))

    def put_effects(self, effects: Sequence[StoredEffect]) -> None:
        """Keep them: one per deployment and subject."""
        self._order.take()
        chosen = {(each.deployment, each.subject): each for each in effects}
        for batch in batches(list(chosen.values())):
            upsert(self._connection, tables.effects, [_effect_row(each) for each in batch])

    def effects_of(self, deployments: Sequence[str]) -> dict[str, list[StoredEffect]]:
        """By deployment, sorted by subject; deployments without one are left out."""
        found: dict[str, list[StoredEffect]] = {}
        for batch in batches(list(dict.fromkeys(deployments))):
            query = select(tables.effects).where(tables.effects.c.deployment.in_(batch))
            for row in self._connection.execute(query).mappings():
                found.setdefault(row["deployment"], []).append(_effect(row))
        for effects in found.values():
            effects.sort(key=lambda effect: effect.subject)
        return found

    def effects_between(
        self, start: datetime, end: datetime, *, state: str = "", service: str = "", limit: int = 1000
    ) -> list[StoredEffect]:
        """Of deployments that finished in [start, end): highest score first, those without one last."""
        columns = tables.effects.c
        query = select(tables.effects).where(columns.at >= start, columns.at < end)
        query = query.where(columns.service == service) if service else query
        if state:
            query = query.where(tables.WAITS if state == tables.WAITING else columns.state == state)
        order = (columns.rank.desc().nulls_last(), columns.at.desc(), columns.deployment, columns.subject)
        return [_effect(row) for row in self._connection.execute(query.order_by(*order).limit(limit)).mappings()]

    def progress(self, name: str) -> Mapping[str, JSON] | None:
        """What a reader or collector remembered under that name."""
        found = self._connection.scalar(select(progress.c.value).where(progress.c.name == name))
        if found is None:
            return None
        value: Mapping[str, JSON] = orjson.loads(found)
        return value

    def put_progress(self, name: str, value: Mapping[str, JSON]) -> None:
        """Remember it."""
        self._order.take()
        upsert(self._connection, progress, [{"name": name, "value": canonical_json(value)}])

    def _corrections(self, query: Select[Any]) -> list[Correction]:
        found = self._connection.execute(query).mappings()
        return [Correction(**{name: value for name, value in row.items() if name != "sequence"}) for row in found]

    def _read_sheets(self, keys: Sequence[tuple[str, str, date]]) -> list[tuple[Any, Any]]:
        return list(_SHEETS.read(self._connection, keys, ("body",)))


def _key(key: SheetKey) -> tuple[str, str, date]:
    storable(key.service, key.environment)
    return key.service, key.environment, key.day


def _effect_row(effect: StoredEffect) -> dict[str, Any]:
    score = effect.score
    return plain(effect) | {
        "at": aware(effect.at),
        "score": None if score is None else number(score),
        "rank": None if score is None else float(score),
        "body": canonical_json(effect.body),
    }


def _effect(row: RowMapping) -> StoredEffect:
    return StoredEffect(
        deployment=row["deployment"],
        subject=row["subject"],
        service=row["service"],
        environment=row["environment"],
        at=row["at"],
        state=row["state"],
        score=None if row["score"] is None else Decimal(row["score"]),
        body=orjson.loads(row["body"]),
    )


def _later(one: str, other: str) -> str:
    """Of two exemplars the one that is told of the later time; `one` where neither is."""
    return other if not one or (other and _told_at(other) > _told_at(one)) else one


def _told_at(exemplar: str) -> Decimal:
    at = orjson.loads(exemplar).get("at")
    return Decimal(at) if isinstance(at, str) else exact.ZERO
