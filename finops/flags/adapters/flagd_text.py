"""A flagd document as text: which variants flags have, and a new default variant put in, every other byte kept.

Format: https://flagd.dev/schema/v0/flags.json. A flag's value for all is that of `defaultVariant`; `state` DISABLED
means that the flag does not exist, and applications take their own default.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from controlplane.model.ladder import FlagValue
from controlplane.ports import Permanent

_SPACE: Final = " \t\n\r"
_DECODER: Final = json.JSONDecoder()
_ENABLED: Final = "ENABLED"


class NotJSON(Exception):
    """The text is no JSON object, or none yet: somebody may be writing it."""


@dataclass(frozen=True, slots=True)
class _Member:
    """Where a member's value begins and ends."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FlagdFlag:
    """A flag of the document. `default` is None where it names no variant; then the span is empty."""

    name: str
    is_enabled: bool
    has_targeting: bool
    default: str | None
    variants: Mapping[str, object]
    span: tuple[int, int]

    @property
    def value(self) -> object:
        """What applications get unless targeting says otherwise; None where they take their own default."""
        return self.variants.get(self.default) if self.is_enabled and self.default is not None else None

    def variant_of(self, value: FlagValue) -> str | None:
        """The first variant with that value, None when there is none."""
        return next((name for name, each in self.variants.items() if type(each) is type(value) and each == value), None)


def flags_of(text: str, names: frozenset[str]) -> dict[str, FlagdFlag]:
    """The flags of these names that the document has.

    Raises `NotJSON` for text that is none, `Permanent` for JSON that is no flagd document.
    """
    try:
        document = json.loads(text)
        if not isinstance(document, dict) or not isinstance(document.get("flags"), dict):
            raise Permanent("it has no object `flags`: see https://flagd.dev/schema/v0/flags.json")
        places = _members(text, _members(text, _skip(text, 0))["flags"].start)
    except (ValueError, IndexError) as error:
        raise NotJSON(str(error) or "it ends too early") from None
    except RecursionError:
        raise Permanent("it is nested too deeply") from None
    found = {name: each for name, each in document["flags"].items() if name in names}
    return {name: _flag(name, each, text, places[name].start) for name, each in found.items()}


def _flag(name: str, flag: object, text: str, start: int) -> FlagdFlag:
    if not isinstance(flag, dict) or not isinstance(flag.get("variants"), dict):
        raise Permanent(f"flag {name} has no `variants`")
    default = flag.get("defaultVariant")
    if isinstance(default, bool):
        default = str(default).lower()  # flagd takes `true` for "true"
    if default is not None and not isinstance(default, str):
        raise Permanent(f"flag {name}: defaultVariant is no name of a variant")
    place = _members(text, start).get("defaultVariant", _Member(start, start))
    return FlagdFlag(
        name=name,
        is_enabled=flag.get("state") == _ENABLED,
        has_targeting=bool(flag.get("targeting")),
        default=default or None,
        variants=flag["variants"],
        span=(place.start, place.end),
    )


def with_defaults(text: str, defaults: Mapping[str, str], flags: Mapping[str, FlagdFlag]) -> str:
    """The document with other default variants by flag. Each flag of `defaults` names one now."""
    for name in sorted(defaults, key=lambda name: flags[name].span, reverse=True):
        start, end = flags[name].span
        text = text[:start] + json.dumps(defaults[name], ensure_ascii=False) + text[end:]
    return text


def _skip(text: str, at: int) -> int:
    while text[at] in _SPACE:
        at += 1
    return at


def _members(text: str, at: int) -> dict[str, _Member]:
    """Members of the object that begins at `at` in text that is valid JSON; of a repeated one the last."""
    found: dict[str, _Member] = {}
    at = _skip(text, at + 1)
    while text[at] == '"':
        name, at = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        _, end = _DECODER.raw_decode(text, start)
        found[name] = _Member(start, end)
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found
