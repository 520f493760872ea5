"""As much of Go's templates with sprig as our documentation uses, so that what it shows can be tried.

The templates themselves were run once through text/template, sprig and expr; this is how they stay right.
"""

import json
import re
import shlex
from typing import Any

Json = dict[str, Any]
_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
NOW = "2026-11-20T11:20:00Z"


def rendered(template: str, variables: Json) -> str:
    """The text that the template makes."""
    scope: Json = {"": variables}
    tokens = _ACTION.split(template)  # text, action, text, …
    return "".join(_block(tokens, 0, scope)[0])


def _block(tokens: list[str], start: int, scope: Json) -> tuple[list[str], int]:
    """What comes out until an `end`, and where that stands."""
    out, at = [tokens[start]], start + 1
    while at < len(tokens):
        action = tokens[at]
        if action == "end":
            return out, at
        if action.startswith(("range ", "if ")):
            inner, end = _branch(tokens, at, scope)
            out += [*inner, tokens[end + 1]]
            at = end + 2
            continue
        if action.startswith("$") and ":=" in action:
            name, _, said = action.partition(":=")
            scope[name.strip()] = _value(said, scope)
        else:
            out.append(str(_value(action, scope)))
        out.append(tokens[at + 1])
        at += 2
    return out, at


def _branch(tokens: list[str], at: int, scope: Json) -> tuple[list[str], int]:
    word, _, said = tokens[at].partition(" ")
    end = _end_of(tokens, at)
    if word == "if":
        return (_block(tokens, at + 1, scope)[0] if _value(said, scope) else []), end
    names, _, listed = said.partition(":=")
    index, each = (name.strip() for name in names.split(","))
    found: list[str] = []
    for number, value in enumerate(_value(listed, scope)):
        found += _block(tokens, at + 1, scope | {index: number, each: value})[0]
    return found, end


def _end_of(tokens: list[str], at: int) -> int:
    depth = 0
    for place in range(at, len(tokens), 2):
        depth += tokens[place].startswith(("range ", "if ")) - (tokens[place] == "end")
        if not depth:
            return place
    raise AssertionError("there is no end")


def _value(expression: str, scope: Json) -> Any:
    """Of a pipeline."""
    piped: list[Any] = []
    for part in (each.strip() for each in expression.split("|")):
        words = [*_words(part)]
        arguments = [_argument(word, scope) for word in words[1:]] + piped
        piped = [_called(words[0], arguments, scope)]
    return piped[0]


def _words(part: str) -> list[str]:
    lexer = shlex.shlex(part, posix=False)
    lexer.whitespace_split, lexer.quotes = True, '"'
    return list(lexer)


def _called(name: str, arguments: list[Any], scope: Json) -> Any:
    if name == "toJson":
        return json.dumps(arguments[0])
    if name == "last":
        return arguments[0][-1]
    if name == "dig":
        *keys, default, found = arguments
        for key in keys:
            if key not in found:
                return default
            found = found[key]
        return found
    if name == "printf":
        return arguments[0].replace("%s", "{}").format(*arguments[1:])
    if name == "now":
        return NOW
    if name == "date":
        assert arguments[0] == "2006-01-02T15:04:05Z07:00"  # RFC 3339
        return arguments[1]
    assert not arguments, name
    return _argument(name, scope)


def _argument(word: str, scope: Json) -> Any:
    if word.startswith('"'):
        return json.loads(word)
    if word == "list":
        return []
    head, *path = word.split(".")
    found = scope[head]
    for key in path:
        found = found[key] if key else found
    return found
