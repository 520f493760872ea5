"""Right files made odd: values, keys and lines put in the place of others, PromQL and times of all kinds among them."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from yaml import YAMLError

from controlplane.source_text import decode
from controlplane.specfile.composing import Composer, Place
from controlplane.specfile.faults import Fault
from tests.fuzz.odd_values import STRUCTURES, TEXTS, TOKENS

Below = Callable[[int], int]
"""A whole number from 0 to below the one that is given, from whatever makes the choices."""

SEEDS: Final = tuple(path.read_bytes() for path in sorted((Path(__file__).parent / "seeds").glob("*.yaml")))
"""Right files of every dialect and kind."""

_Span = tuple[int, int]
_CUT: Final = re.compile(r"[^\W\d]+|\d+|\s+|.", re.DOTALL)


def mutated(content: bytes, below: Below, other: bytes = b"") -> bytes:
    """The file with one to four changes; `other` is a file of which parts may be taken."""
    text = decode(content)
    for _ in range(1 + below(4)):
        text = _CHANGES[below(len(_CHANGES))](text, below, other)
    return text.encode("utf-8", "surrogateescape" if _is_escaped(text) else "surrogatepass")


def _is_escaped(text: str) -> bool:
    return all(0xDC80 <= ord(each) <= 0xDCFF for each in text if "\ud800" <= each <= "\udfff")


def _spans(text: str) -> tuple[list[_Span], list[_Span]]:
    """Where values and where keys stand, as far as the text can be read."""
    values: list[_Span] = []
    keys: list[_Span] = []
    try:
        for composed in Composer(text.encode("utf-8", "replace").decode(), 0).documents():
            for place, is_key in _places(composed.place):
                (keys if is_key else values).append(place)
    except (YAMLError, Fault):
        pass
    return values, keys


def _places(place: Place) -> Iterator[tuple[_Span, bool]]:
    yield (place.start, place.end), False
    if isinstance(place.inner, dict):
        for entry in place.inner.values():
            yield (entry.start, entry.end), True
            yield from _places(entry.place)
    elif place.inner is not None:
        for inner in place.inner:
            yield from _places(inner)


def _put(text: str, span: _Span, new: str) -> str:
    return text[: span[0]] + new + text[span[1] :]


def _odd(below: Below) -> str:
    """An odd value as it is written: bare, or in quotes."""
    if below(4) == 0:
        return STRUCTURES[below(len(STRUCTURES))]
    odd = TEXTS[below(len(TEXTS))]
    return json.dumps(odd) if below(3) else odd


def _value(text: str, below: Below, other: bytes) -> str:
    values, _ = _spans(text)
    return _put(text, values[below(len(values))], _odd(below)) if values else _token(text, below, other)


def _key(text: str, below: Below, other: bytes) -> str:
    _, keys = _spans(text)
    if not keys:
        return _token(text, below, other)
    start, end = keys[below(len(keys))]
    again = keys[below(len(keys))]
    return _put(text, (start, end), text[slice(*again)] if below(3) else _odd(below))


def _swapped(text: str, below: Below, other: bytes) -> str:
    """One value in the place of another."""
    values, _ = _spans(text)
    if not values:
        return text
    return _put(text, values[below(len(values))], text[slice(*values[below(len(values))])])


def _borrowed(text: str, below: Below, other: bytes) -> str:
    """A value of another file."""
    theirs = decode(other)
    values, (lent, _) = _spans(text)[0], _spans(theirs)
    if not values or not lent:
        return text
    return _put(text, values[below(len(values))], theirs[slice(*lent[below(len(lent))])])


def _within(text: str, below: Below, other: bytes) -> str:
    """A small change inside of a value: a query, a duration, a rule of a calendar."""
    values, _ = _spans(text)
    small = [span for span in values if 0 < span[1] - span[0] < 300]
    if not small:
        return text
    start, end = small[below(len(small))]
    words = [(start + match.start(), start + match.end()) for match in _CUT.finditer(text[start:end])]
    span = words[below(len(words))]
    match below(3):
        case 0:
            return _put(text, span, "")
        case 1:
            return _put(text, span, TOKENS[below(len(TOKENS))])
        case _:
            return _put(text, (span[1], span[1]), text[slice(*words[below(len(words))])])


def _line(text: str, below: Below, other: bytes) -> str:
    lines = text.splitlines(keepends=True)
    if not lines:
        return text
    at = below(len(lines))
    match below(4):
        case 0:
            del lines[at]
        case 1:
            lines.insert(below(len(lines) + 1), lines[at])
        case 2:
            lines[at] = " " * below(5) + lines[at]
        case _:
            lines[at] = lines[at].lstrip(" ")
    return "".join(lines)


def _token(text: str, below: Below, other: bytes) -> str:
    at = below(len(text) + 1)
    return _put(text, (at, at + below(4)), TOKENS[below(len(TOKENS))])


def _cut(text: str, below: Below, other: bytes) -> str:
    return text[: below(len(text) + 1)]


def _joined(text: str, below: Below, other: bytes) -> str:
    return f"{text}\n---\n{decode(other)}"


_CHANGES: Final[tuple[Callable[[str, Below, bytes], str], ...]] = (
    *[_value] * 8, *[_within] * 4, *[_borrowed] * 2, _key, _key, _swapped, _swapped, _line, _token, _cut, _joined,
)  # fmt: skip
