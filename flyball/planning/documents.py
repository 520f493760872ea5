"""What a plan says of documents that are no SLOs: which differ from what was applied, field by field."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from controlplane.adapters.files import read_folder
from controlplane.model.event import JSON
from controlplane.specfile import Document, SourceFile, field_name
from flyball.document_records import name_of

Key = tuple[str, str]  # kind and name
Documents = Mapping[Key, Document]


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
    """A document that differs. `path` and `line` say where it stands, empty and 0 where it is gone.

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


def changes_between(before: Documents, after: Documents) -> list[DocumentChange]:
    """Every difference, by kind and name."""
    return [change for key in sorted(before.keys() | after.keys()) for change in _change(before, after, key)]


def by_key(documents: Iterable[Document]) -> dict[Key, Document]:
    """The documents by kind and name."""
    return {(document.kind.name, name_of(document)): document for document in documents}


def files_at(paths: Sequence[str]) -> list[SourceFile]:
    """The files that lie there."""
    return [file for path in paths for file in read_folder(Path(path))[0]]


def _change(before: Documents, after: Documents, key: Key) -> Iterator[DocumentChange]:
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
