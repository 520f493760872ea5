"""Texts with `${…}` in them: read once, with the place of each reference, and filled in at every run."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

_OPENING: Final = re.compile(r"\$?\$\{")  # `$${` stands for `${`
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")
_PLAIN: Final = frozenset(("now", "unique"))

JSON = bool | int | float | str | list["JSON"] | dict[str, "JSON"] | None


class Origin(Enum):
    """Where a value comes from."""

    NAME = "name"  # a variable, or saved by a step
    SECRET = "secret"  # noqa: S105 -- a word, no secret
    ENVIRONMENT = "env"
    NOW = "now"  # when the run began, RFC 3339
    UNIQUE = "unique"  # the same within a run, no other run's


@dataclass(frozen=True, slots=True)
class Reference:
    """One `${…}`, where it stands in its text."""

    origin: Origin
    name: str
    offset: int = 0
    length: int = 0


@dataclass(frozen=True, slots=True)
class Template:
    """A text in pieces."""

    parts: tuple[str | Reference, ...] = ()

    @property
    def references(self) -> tuple[Reference, ...]:
        """What it takes."""
        return tuple(part for part in self.parts if isinstance(part, Reference))


class BadTemplate(ValueError):
    """A `${` that nothing can be made of."""

    def __init__(self, message: str, offset: int, length: int, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.offset, self.length, self.hint = message, offset, length, hint


class Unset(Exception):
    """A value is not there: no step saved it, or the prober's environment lacks it."""

    def __init__(self, reference: Reference) -> None:
        super().__init__(reference.name)
        self.reference = reference


def parse(text: str) -> Template:
    """The pieces of a text. Raises `BadTemplate`."""
    parts: list[str | Reference] = []
    at = 0
    for found in _OPENING.finditer(text):
        if found.start() < at:
            continue
        parts.append(text[at : found.start()])
        if found[0] == "$${":
            parts.append("${")
            at = found.end()
            continue
        end = text.find("}", found.end())
        if end < 0:
            hint = "write $${ for the characters themselves"
            raise BadTemplate("`${` is not closed", found.start(), len(text) - found.start(), hint)
        parts.append(_reference(text[found.end() : end], found.start(), end + 1 - found.start()))
        at = end + 1
    parts.append(text[at:])
    return Template(tuple(part for part in parts if part != ""))


def _reference(inner: str, offset: int, length: int) -> Reference:
    kind, colon, name = inner.partition(":")
    if not colon and _NAME.fullmatch(inner):
        origin = Origin(inner) if inner in _PLAIN else Origin.NAME
        return Reference(origin, inner, offset, length)
    if colon and kind in ("secret", "env") and _NAME.fullmatch(name):
        return Reference(Origin(kind), name, offset, length)
    hint = "such as ${id}, ${secret:password}, ${env:TENANT}, ${now} or ${unique}"
    raise BadTemplate(f"`${{{inner[:40]}}}` names nothing", offset, length, hint)


@dataclass(frozen=True, slots=True)
class Values:
    """What a run fills in. `names` grows while steps save values."""

    names: dict[str, JSON]
    secrets: Mapping[str, str]
    environment: Mapping[str, str]
    now: datetime
    unique: str

    def of(self, reference: Reference) -> JSON:
        """The value; raises `Unset`."""
        match reference.origin:
            case Origin.NOW:
                return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")
            case Origin.UNIQUE:
                return self.unique
            case origin:
                known: Mapping[str, JSON] = {
                    Origin.NAME: self.names, Origin.SECRET: self.secrets, Origin.ENVIRONMENT: self.environment
                }[origin]  # fmt: skip
                if reference.name not in known:
                    raise Unset(reference)
                return known[reference.name]

    def text(self, template: Template) -> str:
        """The text, filled in. Raises `Unset`."""
        return "".join(part if isinstance(part, str) else as_text(self.of(part)) for part in template.parts)

    def json(self, template: Template) -> JSON:
        """A text in JSON; one that is nothing but a reference has that value as it is, a number as a number."""
        if len(template.parts) == 1 and isinstance(template.parts[0], Reference):
            return self.of(template.parts[0])
        return self.text(template)


def as_text(value: JSON) -> str:
    """A value within a text: as JSON writes it, strings without quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Number:
    """A number exactly as it was written."""

    text: str


@dataclass(frozen=True, slots=True)
class Members:
    """A JSON object: its members in order. Names are taken as they are."""

    pairs: tuple[tuple[str, "Tree"], ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A JSON array."""

    values: tuple["Tree", ...]


Tree = Template | Number | Members | Items | bool | None


def rendered(tree: Tree, values: Values) -> str:
    """JSON text with everything filled in. Raises `Unset`."""
    match tree:
        case Template():
            return json.dumps(values.json(tree), ensure_ascii=False)
        case Number():
            return tree.text
        case Members():
            inner = (f"{json.dumps(name, ensure_ascii=False)}:{rendered(each, values)}" for name, each in tree.pairs)
            return "{" + ",".join(inner) + "}"
        case Items():
            return "[" + ",".join(rendered(each, values) for each in tree.values) + "]"
        case _:
            return json.dumps(tree)


def templates_in(tree: Tree) -> Iterator[Template]:
    """Every text of it."""
    match tree:
        case Template():
            yield tree
        case Members():
            for _, each in tree.pairs:
                yield from templates_in(each)
        case Items():
            for each in tree.values:
                yield from templates_in(each)
