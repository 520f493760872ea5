"""The published schemas of CDEvents, compiled once per type.

`schemas.json` beside this file holds what they demand; scripts/cdevents_schemas.py makes it and says how.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:  # a compiled library, needed only where events are checked
    from jsonschema_rs import Draft202012Validator

PREFIX: Final = "dev.cdevents."
_NAMED: Final = ("properties", "patternProperties")
_SINGLE: Final = ("items", "additionalProperties", "not", "contains", "if", "then", "else", "propertyNames")
_SEVERAL: Final = ("oneOf", "anyOf", "allOf", "prefixItems")


@dataclass(frozen=True, slots=True)
class Release:
    """A release of CDEvents: `0.5.1`, and the types that it has."""

    name: str
    types: frozenset[str]


class CDEventSchemas:
    """All of them. A type's own version (`….deployed.0.3.0`) says which releases have it; the last one is used

    unless the event names another one of them.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self._parts: dict[str, Any] = data["parts"]
        self._releases: dict[str, dict[str, Any]] = data["releases"]
        self._compiled: dict[str, Draft202012Validator] = {}
        self._chosen: dict[tuple[str, str], Draft202012Validator] = {}

    @cached_property
    def releases(self) -> tuple[Release, ...]:
        """Every release that is known, oldest first."""
        return tuple(Release(name, frozenset(types)) for name, types in self._releases.items())

    @cached_property
    def _newest(self) -> dict[str, str]:
        return {type_: release for release, types in self._releases.items() for type_ in types}

    def is_known(self, type_: str) -> bool:
        """Whether some release has that very type."""
        return type_ in self._newest

    def release_of(self, type_: str, named: object) -> str:
        """The release whose schema holds for an event of a known type that names one; empty when it lacks the type."""
        if not isinstance(named, str) or named not in self._releases:
            return self._newest[type_]
        return named if type_ in self._releases[named] else ""

    def versions_in(self, type_: str, release: str) -> str:
        """The type of the same subject and predicate in a release; empty when it has none."""
        stem = type_.removeprefix(PREFIX).split(".")[:2]
        found = (each for each in self._releases[release] if each.removeprefix(PREFIX).split(".")[:2] == stem)
        return next(found, "")

    def validator(self, type_: str, release: str) -> Draft202012Validator:
        """The compiled schema of a type that this release has."""
        found = self._chosen.get((type_, release))
        if found is None:
            found = self._chosen[type_, release] = self._compile(self._releases[release][type_])
        return found

    def schema(self, type_: str, release: str) -> dict[str, Any]:
        """A type's schema in full."""
        found = self._expanded(self._releases[release][type_])
        assert isinstance(found, dict)
        return found

    def _compile(self, packed: object) -> Draft202012Validator:
        name = packed if isinstance(packed, str) else orjson.dumps(packed).decode()
        if name not in self._compiled:
            self._compiled[name] = compiled(self._expanded(packed))
        return self._compiled[name]

    def _expanded(self, schema: Any) -> Any:
        """A text in a schema's place names a part."""
        if isinstance(schema, str):
            return self._expanded(self._parts[schema])
        return _mapped(schema, self._expanded) if isinstance(schema, dict) else schema


def compiled(schema: dict[str, Any]) -> Draft202012Validator:
    """A schema ready for use; formats are checked."""
    from jsonschema_rs import Draft202012Validator

    return Draft202012Validator(schema, validate_formats=True)


def _mapped(schema: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in _NAMED:
            found[keyword] = {name: change(each) for name, each in value.items()}
        elif keyword in _SEVERAL:
            found[keyword] = [change(each) for each in value]
        else:
            found[keyword] = change(value) if keyword in _SINGLE else value
    return found


@cache
def published() -> CDEventSchemas:
    """Those of CDEvents 0.4.0, 0.4.1, 0.5.0 and 0.5.1."""
    return CDEventSchemas(orjson.loads(resources.files(__package__).joinpath("schemas.json").read_bytes()))
