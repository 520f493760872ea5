"""A document that was read, and the places of everything in it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from typing import Final, Literal

from pydantic import BaseModel

from controlplane.model.source import SourcePosition
from controlplane.problems import Problem, Severity
from controlplane.source_text import SourceText
from controlplane.specfile.composing import Entry, Place
from controlplane.specfile.scalars import decoded

Path = tuple[str | int, ...]

_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class ModelAt:
    """A model that is imported when the first document of its kind is read: most workspaces use few kinds."""

    module: str
    name: str


@cache
def _imported(at: ModelAt) -> type[BaseModel]:
    model: type[BaseModel] = getattr(import_module(at.module), at.name)
    return model


@dataclass(frozen=True, slots=True)
class Kind:
    """What a document may be. `model` describes all of it (apiVersion, kind, metadata, spec), with `extra="forbid"`.

    Fields carry the names that users write (as aliases where Python's differ). Numbers arrive as text, exactly as
    written: ask for `Decimal` or `int`, not `float`, and for no union of text and number. Documents of a kind with
    `marked_by="version"` have neither `apiVersion` nor `kind`: `version: <api_version>` is all that tells them.

    `read_as` turns a checked document of another version into documents of the kinds that the rest knows: with their
    values, and with `written`, which keeps every problem at the place and under the name that the user wrote.
    `repeated`: how bad it is that a name is there twice; a second document is left out in any case.
    """

    api_version: str
    name: str
    shape: type[BaseModel] | ModelAt
    marked_by: Literal["kind", "version"] = "kind"
    read_as: "Callable[[Document], Sequence[Document]] | None" = field(default=None, compare=False)
    repeated: Severity = Severity.ERROR

    @property
    def model(self) -> type[BaseModel]:
        """The model itself."""
        return _imported(self.shape) if isinstance(self.shape, ModelAt) else self.shape


def field_name(path: tuple[str | int, ...]) -> str:
    """A path as users read it: `spec.objectives[0].target`, `metadata.labels["a/b"]`."""
    parts = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif _PLAIN_KEY.fullmatch(step):
            parts.append(f".{step}" if parts else step)
        else:
            parts.append(f'["{step}"]')
    return "".join(parts)


def entry_at(place: Place, path: tuple[str | int, ...]) -> tuple[Entry, Place | None, bool]:
    """The entry at a path, the place that holds it, and whether it is there: else its nearest ancestor is returned.

    The root and items of lists have no key: their entry stands where their value does.
    """
    entry = Entry(place.start, place.end, place)
    holder: Place | None = None
    for step in path:
        inner = entry.place.inner
        found: Entry | None = None
        if isinstance(inner, dict) and isinstance(step, str):
            found = inner.get(step)
        elif isinstance(inner, list) and isinstance(step, int) and 0 <= step < len(inner):
            found = Entry(inner[step].start, inner[step].end, inner[step])
        if found is None:
            return entry, holder, False
        holder, entry = entry.place, found
    return entry, holder, True


def as_is(path: Path) -> Path:
    """The path where a value of a document stands that has the shape of its kind."""
    return path


@dataclass(frozen=True, slots=True)
class _Below:
    """Paths from a place within a document."""

    written: Callable[[Path], Path]
    prefix: Path

    def __call__(self, path: Path) -> Path:
        return self.written((*self.prefix, *path))


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a known kind: its checked value, and where each part of it was written.

    All paths are those of the kind; `written` gives the path in the user's file where that differs.
    """

    kind: Kind
    value: BaseModel
    source: SourceText
    place: Place
    written: Callable[[Path], Path] = field(default=as_is, compare=False)

    @property
    def position(self) -> SourcePosition:
        """Where its content begins."""
        return self.source.position(self.place.start)

    @property
    def end(self) -> SourcePosition:
        """Where its content ends."""
        return self.source.position(self.place.end)

    def below(self, *path: str | int) -> "Document":
        """The same document, its paths taken from a place within: what is written inline is checked as if apart."""
        return replace(self, written=_Below(self.written, path))

    def has(self, *path: str | int) -> bool:
        """Whether something is written at a path."""
        return entry_at(self.place, self.written(path))[2]

    def position_of(self, *path: str | int) -> SourcePosition:
        """Where the value at a path begins; where its nearest ancestor does when nothing is written there."""
        return self.source.position(entry_at(self.place, self.written(path))[0].place.start)

    def key_position_of(self, *path: str | int) -> SourcePosition:
        """Where the key of a path stands (an item of a list: the item itself); falls back like `position_of`."""
        return self.source.position(entry_at(self.place, self.written(path))[0].start)

    def key(self, *path: str | int) -> str:
        """What the user calls the field at a path: its last step, as hints name it."""
        return str(self.written(path)[-1])

    def position_in(self, *path: str | int, offset: int) -> SourcePosition:
        """Where a character of a scalar's value stands in the file; the offset may be the value's length: its end.

        Quotes, escapes, folding and the indentation of blocks are taken into account.
        """
        entry, holder, found = entry_at(self.place, self.written(path))
        if not found or entry.place.inner is not None:
            return self.source.position(entry.place.start)
        _, indices = decoded(self.source.text, entry, holder)
        return self.source.position(indices[max(0, min(offset, len(indices) - 1))])

    def problem(
        self,
        *path: str | int,
        message: str,
        offset: int | None = None,
        length: int | None = None,
        on_key: bool = False,
        severity: Severity = Severity.ERROR,
        hint: str = "",
        rule: str = "",
    ) -> Problem:
        """A problem of the value at a path (or of its key), or of the character at `offset` in a scalar."""
        written = self.written(path)
        entry, _, found = entry_at(self.place, written)
        start, end = (entry.start, entry.end) if on_key or not found else (entry.place.start, entry.place.end)
        if length is None:
            length = self.source.length_on_line(start, end) if offset is None else 1
        position = self.source.position(start) if offset is None else self.position_in(*path, offset=offset)
        name = field_name(written)
        return Problem.at(position, name, message, severity=severity, hint=hint, rule=rule, length=length)
