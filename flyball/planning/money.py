"""What a plan says about money: documents that change, field by field, and what the changes would have done."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from controlplane.adapters.files import read_folder
from controlplane.model.event import JSON
from controlplane.ports import Permanent, Transient
from controlplane.specfile import Document, SourceFile, field_name
from flyball.money.declared import money_of
from flyball.money.reading import documents_in, money_in, recorded_documents
from flyball.planning.live import AskedEngine

_Key = tuple[str, str]  # kind and name
_Documents = Mapping[_Key, Document]
_PRICE_MAP: Final = "PriceMap"
_TOLD: Final = (_PRICE_MAP, "Budget")  # whose effect on the last month can be told


if TYPE_CHECKING:
    from flyball.money.gate import Effects


class Change(Enum):
    """What happens to a document."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field with what it said and says now, as JSON; None where it was not, or is not, there."""

    field: str
    before: JSON
    after: JSON


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """A document about money that differs. `path` and `line` say where it stands, empty and 0 where it is gone.

    `consequences` say in words what it would have done to the last month, `effects` the same for programs.
    """

    change: Change
    kind: str
    name: str
    path: str = ""
    line: int = 0
    fields: tuple[FieldChange, ...] = ()
    consequences: tuple[str, ...] = ()
    effects: Mapping[str, JSON] | None = None


@dataclass(frozen=True, slots=True)
class MoneyPlan:
    """Every difference, by kind and name."""

    changes: tuple[DocumentChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes)


NO_MONEY: Final = MoneyPlan()


def plan_money(record: str, paths: Sequence[str], engine: AskedEngine | None) -> MoneyPlan:
    """What differs between a record of what was applied and the files at `paths`; `engine` tells of the last month."""
    before = {_key(document): document for document in recorded_documents(record)}
    after = {_key(document): document for document in documents_in(_files(paths))}
    changes = [change for key in sorted(before.keys() | after.keys()) for change in _change(before, after, key)]
    if any(change.kind in _TOLD for change in changes):
        changes = list(_with_effects(changes, (before, after), engine))
    return MoneyPlan(tuple(changes))


def _with_effects(
    changes: Sequence[DocumentChange], sides: tuple[_Documents, _Documents], engine: AskedEngine | None
) -> Iterator[DocumentChange]:
    """The same changes, and what those of prices and budgets would have done to the last 30 days."""
    from flyball.money import gate

    found, why = _effects(sides, engine)
    for change in changes:
        if change.kind not in _TOLD or change.change is Change.REMOVED:
            yield change
        elif found is None:
            yield replace(change, consequences=(f"what it would have done last month is not known: {why}",))
        elif change.kind == _PRICE_MAP:
            yield replace(change, consequences=tuple(gate.words_of_prices(found)), effects=gate.as_json(found))
        elif (effect := found.of(change.name)) is not None:
            words = tuple(gate.words_of_budget(effect))
            yield replace(change, consequences=words, effects=gate.as_json(found, change.name))
        else:
            yield change


def _effects(sides: tuple[_Documents, _Documents], engine: AskedEngine | None) -> "tuple[Effects | None, str]":
    from flyball.money import gate

    if engine is None or engine.failure:
        return None, engine.failure if engine else "no Prometheus was named"
    old, new = (money_of(list(documents.values()))[0] for documents in sides)
    try:
        return gate.effects(old, new, engine.backend, engine.now), ""
    except (Transient, Permanent) as error:
        engine.failure = engine.failure or str(error)
        return None, str(error)


def record_of(paths: Sequence[str]) -> str:
    """The record that applying the files at `paths` would keep."""
    return "".join(file.text for file in money_in(_files(paths)).records)


def _files(paths: Sequence[str]) -> list[SourceFile]:
    return [file for path in paths for file in read_folder(Path(path))[0]]


def _key(document: Document) -> _Key:
    return document.kind.name, str(getattr(getattr(document.value, "metadata", None), "name", ""))


def _change(before: Mapping[_Key, Document], after: Mapping[_Key, Document], key: _Key) -> Iterator[DocumentChange]:
    old, new = before.get(key), after.get(key)
    if new is None:
        yield DocumentChange(Change.REMOVED, *key)
        return
    place = new.position
    if old is None:
        yield DocumentChange(Change.ADDED, *key, place.path, place.line)
        return
    fields = tuple(_differences(_content(old), _content(new)))
    if fields:
        yield DocumentChange(Change.CHANGED, *key, place.path, place.line, fields)


def _content(document: Document) -> dict[str, JSON]:
    found: dict[str, JSON] = json.loads(document.value.model_dump_json(by_alias=True, exclude_unset=True))
    return found


_ABSENT: Final = object()


def _differences(old: JSON, new: JSON, path: tuple[str | int, ...] = ()) -> Iterator[FieldChange]:
    """Where two documents say something else; lists are compared place by place."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            yield from _inner(old.get(key, _ABSENT), new.get(key, _ABSENT), (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for place in range(max(len(old), len(new))):
            yield from _inner(
                old[place] if place < len(old) else _ABSENT,
                new[place] if place < len(new) else _ABSENT,
                (*path, place),
            )
    else:
        yield FieldChange(field_name(path), old, new)


def _inner(old: object, new: object, path: tuple[str | int, ...]) -> Iterator[FieldChange]:
    if old is _ABSENT or new is _ABSENT:
        yield FieldChange(
            field_name(path),
            None if old is _ABSENT else old,  # type: ignore[arg-type]
            None if new is _ABSENT else new,  # type: ignore[arg-type]
        )
        return
    yield from _differences(old, new, path)  # type: ignore[arg-type]
