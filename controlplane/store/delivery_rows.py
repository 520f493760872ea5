"""Delivery events and facts as rows, and back."""

import re
from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, TypeVar

import orjson
from sqlalchemy import RowMapping

from controlplane.model.delivery import (
    Artifact,
    Change,
    DeliveryEvent,
    DeliveryIncident,
    Deployment,
    DeploymentKind,
    DeploymentOutcome,
    StoredDeliveryEvent,
)
from controlplane.store.delivery_packing import pack, unpack
from controlplane.store.keyed_rows import Key, KeyedRows

T = TypeVar("T")
_TEXTS: Final = "text"
_TIME: Final = "timestamptz"
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_KEY_BYTES: Final = 16

EVENTS: Final = KeyedRows(
    "delivery_events",
    {"key": "bytea"},
    {
        "received_at": _TIME,
        "source": _TEXTS,
        "id": _TEXTS,
        "type": _TEXTS,
        "subject": _TEXTS,
        "time": _TIME,
        "entity": _TEXTS,
        "sender": _TEXTS,
        "digest": "bytea",
        "trace_id": _TEXTS,
        "body": "bytea",
    },
)
DEPLOYMENTS: Final = KeyedRows(
    "delivery_deployments",
    {"id": _TEXTS},
    {
        "service": _TEXTS,
        "environment": _TEXTS,
        "at": _TIME,
        "kind": _TEXTS,
        "outcome": _TEXTS,
        "started_at": _TIME,
        "version": _TEXTS,
        "artifacts": _TEXTS,
        "repository": _TEXTS,
        "revision": _TEXTS,
        "changes": _TEXTS,
        "undoes": _TEXTS,
        "remedies": _TEXTS,
        "is_unplanned": "boolean",
        "run": _TEXTS,
        "url": _TEXTS,
        "trace_id": _TEXTS,
    },
)
CHANGES: Final = KeyedRows(
    "delivery_changes",
    {"id": _TEXTS},
    {
        "repository": _TEXTS,
        "merged_at": _TIME,
        "revision": _TEXTS,
        "first_commit_at": _TIME,
        "opened_at": _TIME,
        "approved_at": _TIME,
        "services": _TEXTS,
        "reverts": _TEXTS,
        "is_hotfix": "boolean",
        "remedies": _TEXTS,
        "title": _TEXTS,
        "url": _TEXTS,
    },
)
ARTIFACTS: Final = KeyedRows(
    "delivery_artifacts",
    {"id": _TEXTS},
    {"short": "bytea", "change": _TEXTS, "repository": _TEXTS, "revision": _TEXTS},
)
INCIDENTS: Final = KeyedRows(
    "delivery_incidents",
    {"id": _TEXTS},
    {
        "service": _TEXTS,
        "environment": _TEXTS,
        "started_at": _TIME,
        "resolved_at": _TIME,
        "deployment": _TEXTS,
        "name": _TEXTS,
        "title": _TEXTS,
        "priority": _TEXTS,
        "url": _TEXTS,
        "is_counted": "boolean",
    },
)


def event_key(source: str, id_: str) -> bytes:
    """16 bytes that stand for (source, id): their index is a third as large, and all of its pages are as busy."""
    return short(f"{source}\x00{id_}")


def short(name: str) -> bytes:
    """16 bytes that stand for a name."""
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES).digest()


def event_row(event: DeliveryEvent, key: bytes, received_at: datetime) -> Key:
    """An event for its table, but for its number. Raises `ValueError` for what a database cannot keep."""
    _refuse_unstorable((event.source, event.id, event.type, event.subject, event.entity, event.sender, event.trace_id))
    return (
        key, received_at, event.source, event.id, event.type, event.subject, aware(event.time), event.entity,
        event.sender, event.digest, event.trace_id, pack(event.body),
    )  # fmt: skip


def event_of(row: RowMapping) -> DeliveryEvent:
    """An event from its table."""
    return DeliveryEvent(
        source=row["source"],
        id=row["id"],
        type=row["type"],
        subject=row["subject"],
        time=row["time"],
        entity=row["entity"],
        sender=row["sender"],
        digest=bytes(row["digest"]),
        body=unpack(bytes(row["body"])),
        trace_id=row["trace_id"],
    )


def stored_event_of(row: RowMapping) -> StoredDeliveryEvent:
    """An event from its table, with its number."""
    return StoredDeliveryEvent(row["sequence"], row["received_at"], event_of(row))


def deployment_row(one: Deployment) -> Key:
    """A deployment for its table."""
    return _storable((
        one.id, one.service, one.environment, aware(one.at), one.kind.value, one.outcome.value,
        maybe_aware(one.started_at), one.version, _list(one.artifacts), one.repository, one.revision,
        _list(one.changes), one.undoes, one.remedies, one.is_unplanned, one.run, one.url, one.trace_id,
    ))  # fmt: skip


def deployment_of(row: RowMapping) -> Deployment:
    """A deployment from its table."""
    values = dict(row) | {
        "kind": DeploymentKind(row["kind"]),
        "outcome": DeploymentOutcome(row["outcome"]),
        "artifacts": tuple(orjson.loads(row["artifacts"])),
        "changes": tuple(orjson.loads(row["changes"])),
    }
    return Deployment(**values)


def change_row(one: Change) -> Key:
    """A change for its table."""
    return _storable((
        one.id, one.repository, aware(one.merged_at), one.revision, maybe_aware(one.first_commit_at),
        maybe_aware(one.opened_at), maybe_aware(one.approved_at), _list(one.services), one.reverts, one.is_hotfix,
        one.remedies, one.title, one.url,
    ))  # fmt: skip


def change_of(row: RowMapping) -> Change:
    """A change from its table."""
    values = dict(row) | {"services": tuple(orjson.loads(row["services"]))}
    return Change(**values)


def artifact_row(one: Artifact) -> Key:
    """An artifact for its table."""
    return _storable((one.id, short(one.id), one.change, one.repository, one.revision))


def artifact_of(row: RowMapping) -> Artifact:
    """An artifact from its table."""
    return Artifact(row["id"], row["change"], row["repository"], row["revision"])


def incident_row(one: DeliveryIncident) -> Key:
    """An incident for its table."""
    return _storable((
        one.id, one.service, one.environment, aware(one.started_at), maybe_aware(one.resolved_at), one.deployment,
        one.name, one.title, one.priority, one.url, one.is_counted,
    ))  # fmt: skip


def incident_of(row: RowMapping) -> DeliveryIncident:
    """An incident from its table."""
    return DeliveryIncident(**dict(row))


def last_of(items: Iterable[tuple[str, T]]) -> list[T]:
    """Of several with one key the last; PostgreSQL changes no row twice in a statement."""
    return list(dict(items).values())


def aware(time: datetime) -> datetime:
    """The time itself. Raises `ValueError` for a naive one: nobody knows when it was."""
    if time.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored")
    return time


def maybe_aware(time: datetime | None) -> datetime | None:
    """The same for a time that may not be known."""
    return None if time is None else aware(time)


def storable(*texts: str) -> None:
    """Raise `ValueError` for text that one of the databases cannot keep, on both."""
    _refuse_unstorable(texts)


def _refuse_unstorable(texts: Iterable[str]) -> None:
    if _UNSTORABLE.search("\n".join(texts)):
        raise ValueError("text with a NUL character or a lone surrogate cannot be stored")


def _storable(row: tuple[Any, ...]) -> Key:
    _refuse_unstorable(cell for cell in row if type(cell) is str)
    return row


def _list(items: tuple[str, ...]) -> str:
    if not items:
        return "[]"
    _refuse_unstorable(items)
    return orjson.dumps(items).decode()
