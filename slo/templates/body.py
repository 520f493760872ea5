"""The body of a template: its texts cut at their holes once, then filled in for each use."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from controlplane.specfile import did_you_mean
from slo.promql.promql_text import Token, TokenKind, silent, tokens
from slo.templates.spec import ParameterType, SLITemplateDocument
from slo.templates.values import Value

Path = tuple[str | int, ...]

QUERY_KEYS: Final = ("query", "promql")
_HOLE: Final = re.compile(r"\{\{\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*\}\}")
_STAND_IN: Final = "zqHole"
_IN_QUOTES_ONLY: Final = (ParameterType.STRING, ParameterType.REGEX)
_BARE_ONLY: Final = (ParameterType.SELECTOR, ParameterType.LABEL)


class BodyFault(Exception):
    """A hole in the wrong place; `path` leads to the text, `offset` is the hole's character."""

    def __init__(self, path: Path, offset: int, length: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.path = path
        self.offset = offset
        self.length = length
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Hole:
    """A place for a parameter; `quote` is the quote of the string that it stands in, empty when in none."""

    name: str
    quote: str
    of_regex: bool


Pieces = tuple[str | Hole, ...]


@dataclass(frozen=True, slots=True)
class Body:
    """An SLI spec as plain values; texts with holes are cut into pieces. `used` are the parameters of its holes."""

    cut: Mapping[Path, Pieces]
    spec: JsonValue
    used: frozenset[str]

    def filled(self, values: Mapping[str, Value]) -> JsonValue:
        """The SLI spec with every hole filled."""
        return self._filled(self.spec, (), values)

    def _filled(self, node: JsonValue, path: Path, values: Mapping[str, Value]) -> JsonValue:
        if isinstance(node, dict):
            return {key: self._filled(value, (*path, key), values) for key, value in node.items()}
        if isinstance(node, list):
            return [self._filled(item, (*path, index), values) for index, item in enumerate(node)]
        return _written(self.cut[path], values) if path in self.cut else node


def body_of(document: SLITemplateDocument) -> Body:
    """Cut a template's texts at their holes. Raises `BodyFault` for the first hole that could break its query."""
    spec = document.spec.sli.model_dump(mode="json", by_alias=True, exclude_unset=True)
    types = {parameter.name: parameter.type for parameter in document.spec.parameters}
    cut, used = {}, set()
    for path, text in texts_of(spec):
        if "{{" not in text:
            continue
        pieces = _cut(path, text, types) if path[-1] in QUERY_KEYS else _plain(text)
        holes = [piece for piece in pieces if isinstance(piece, Hole)]
        for hole in holes:
            if hole.name not in types:
                raise _unknown(path, text, hole.name, types)
        cut[path] = pieces
        used |= {hole.name for hole in holes}
    return Body(cut, spec, frozenset(used))


def texts_of(node: JsonValue, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text in a value, and where it stands."""
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from texts_of(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from texts_of(value, (*path, index))


def _plain(text: str) -> Pieces:
    """Pieces of a text that is no query."""
    parts = _HOLE.split(text)
    return tuple(Hole(part, "", False) if index % 2 else part for index, part in enumerate(parts))


def _cut(path: Path, text: str, types: Mapping[str, ParameterType]) -> Pieces:
    """Pieces of a query. What a hole may hold depends on whether it stands in a string."""
    matches = list(_HOLE.finditer(text))
    stood_in = _HOLE.sub(lambda match: _STAND_IN.ljust(len(match.group()), "_"), text)
    listed = [token for token in tokens(stood_in) if not silent(token)]
    pieces: list[str | Hole] = []
    at = 0
    for match in matches:
        name = match.group(1)
        if name not in types:
            raise _unknown(path, text, name, types)
        hole = _hole(name, listed, match.start())
        fault, hint = _misplaced(types[name], hole)
        if fault:
            raise BodyFault(path, match.start(), len(match.group()), f"`{name}` {fault}", hint)
        pieces += [text[at : match.start()], hole]
        at = match.end()
    return (*pieces, text[at:])


def _hole(name: str, listed: list[Token], offset: int) -> Hole:
    index = next(number for number, token in enumerate(listed) if token.start <= offset < token.end)
    token = listed[index]
    if token.kind is not TokenKind.STRING:
        return Hole(name, "", False)
    before = listed[index - 1].text if index else ""
    return Hole(name, token.text[0], before in ("=~", "!~"))


def _misplaced(kind: ParameterType, hole: Hole) -> tuple[str, str]:
    if hole.quote == "`":
        return "stands in backticks, in which nothing can be escaped", "use double quotes"
    if kind in _IN_QUOTES_ONLY and not hole.quote:
        return (
            f"is a {kind.value} and must stand in quotes",
            'write "{{ … }}", or declare it as metric, label or number',
        )
    if kind in _BARE_ONLY and hole.quote:
        return f"is a {kind.value} and must not stand in quotes", "remove the quotes, or declare it as string"
    if kind is ParameterType.REGEX and not hole.of_regex:
        return "is a regex and must stand after =~ or !~", "write =~, or declare it as string"
    return "", ""


def _unknown(path: Path, text: str, name: str, types: Mapping[str, ParameterType]) -> BodyFault:
    meant = did_you_mean(name, types)
    match = next(match for match in _HOLE.finditer(text) if match.group(1) == name)
    message = f"no parameter is named `{name}`" + (f", did you mean `{meant}`?" if meant else "")
    hint = "" if meant else "declare it under parameters"
    return BodyFault(path, match.start(), len(match.group()), message, hint)


def _written(pieces: Pieces, values: Mapping[str, Value]) -> str:
    parts: list[str] = []
    drop_comma = False
    for piece in pieces:
        if isinstance(piece, str):
            text = piece.lstrip().removeprefix(",").lstrip() if drop_comma and piece.lstrip()[:1] == "," else piece
            parts.append(text)
            drop_comma = False
            continue
        value = values[piece.name]
        text = value.in_string(piece.quote, of_regex=piece.of_regex) if piece.quote else value.text
        if not text and not piece.quote:
            drop_comma = not _take_comma(parts)
        parts.append(text)
    return "".join(parts)


def _take_comma(parts: list[str]) -> bool:
    """Remove the comma before a selector that is empty."""
    for index in range(len(parts) - 1, -1, -1):
        stripped = parts[index].rstrip()
        if stripped:
            if stripped.endswith(","):
                parts[index] = stripped[:-1]
                return True
            return False
    return False
