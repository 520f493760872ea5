"""PromQL in users' files: is it right, and if not, at which character.

promql-parser says what is wrong but not where; the place is found here by asking it about parts of the expression.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import promql_parser

from controlplane.promql_tokens import CLOSERS, Token, open_brackets, tokens_of

PLACEHOLDER: Final = re.compile(
    r"\{\{-?\s*\.window\s*-?\}\}|\$\{__(?:window|rate_interval|interval|range)\}|\$\{window\}"
    r"|\$(?:__window|__rate_interval|__interval|__range|window)\b"
)
MAX_LENGTH: Final = 100_000  # characters; longer is no expression but an accident

_GRAMMAR: Final = "invalid promql query"  # all that the parser says of a token in the wrong place
_FITTING: Final = (  # what may follow a prefix that is right so far; brackets left open are closed after it
    "", " x", "x", "(x)", " (x)", "a) (x)", ") (x)", 'a="b"', '="b"', '"b"', "5m", "m", "1m:", ":", "{a='b'}", " 5m",
    " 1", "1", "(a) x", " bool x", " (a) group_left x", ", x", ', "b")', "(a) (x)", " end()", "start()",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PromqlError:
    """What is wrong with an expression. `offset` counts characters from 0, `line` and `column` from 1.

    `length` is the number of characters to underline; at the end of the text they may stand past it.
    """

    message: str
    offset: int
    line: int
    column: int
    length: int = 1
    hint: str = ""


def with_window(text: str, window: str) -> str:
    """The expression with its placeholders (`{{.window}}`, `$__window`, `$__rate_interval`, …) as this duration."""
    return PLACEHOLDER.sub(lambda _: window, text)


def check_promql(text: str) -> PromqlError | None:
    """The first mistake in an expression, at the token that is wrong; None when it is right.

    Placeholders for ranges count as a duration. Functions, types and numbers of arguments are checked, too.
    """
    if len(text) > MAX_LENGTH:
        return _error_at(text, 0, 1, f"longer than {MAX_LENGTH:,} characters")
    plain, origins = _substituted(text)
    message = _complaint(plain)
    if message is None:
        return None
    start, end, worded, hint = _located(plain, message)
    start_there = origins[min(start, len(plain))]
    end_there = origins[min(max(end, start + 1), len(plain))]
    return _error_at(text, start_there, max(1, end_there - start_there), worded, hint)


def _error_at(text: str, offset: int, length: int, message: str, hint: str = "") -> PromqlError:
    line_start = text.rfind("\n", 0, offset) + 1
    line = text.count("\n", 0, offset) + 1
    line_end = text.find("\n", offset)
    length = max(1, min(length, (len(text) if line_end < 0 else line_end) - offset))
    return PromqlError(message, offset, line, offset - line_start + 1, length, hint)


def _substituted(text: str) -> tuple[str, list[int]]:
    """The text with durations for placeholders, and where each character (and the end) stands in the original."""
    parts: list[str] = []
    origins: list[int] = []
    at = 0
    for match in PLACEHOLDER.finditer(text):
        parts += [text[at : match.start()], "5m"]
        origins += [*range(at, match.start()), match.start(), match.start() + 1]
        at = match.end()
    parts.append(text[at:])
    origins += range(at, len(text) + 1)
    return "".join(parts), origins


def _complaint(text: str) -> str | None:
    try:
        promql_parser.parse(text)
    except ValueError as error:
        return str(error)
    return None


_Place = tuple[int, int, str, str]  # start, end, message, hint


def _located(text: str, message: str) -> _Place:
    tokens = tokens_of(text)
    finders: tuple[Callable[[str, str, list[Token]], _Place | None], ...] = (
        _nothing, _unclosed, _lexical, _misplaced_token, _smallest_part, _shortest_prefix,
    )  # fmt: skip
    for find in finders:
        place = find(text, message, tokens)
        if place is not None:
            return place
    return 0, 1, message, ""


def _nothing(text: str, message: str, tokens: list[Token]) -> _Place | None:
    return None if tokens else (0, 1, "no expression", "")


def _unclosed(text: str, message: str, tokens: list[Token]) -> _Place | None:
    """Quotes and brackets that are never closed, or never opened."""
    if message.startswith("unterminated quoted string"):
        token = next((token for token in tokens if token.kind == "unterminated"), tokens[-1])
        return token.start, token.start + 1, f"the quote {token.text[0]} is never closed", ""
    is_open = message.startswith(("unclosed left", "unexpected end of input inside"))
    if is_open and (opened := open_brackets(tokens)):
        last = opened[-1]
        return last.start, last.end, f"the bracket `{last.text}` is never closed", f"expected `{CLOSERS[last.text]}`"
    if message.startswith("unexpected right parenthesis"):
        for number, token in enumerate(tokens):
            if token.text == ")" and not any(each.text == "(" for each in open_brackets(tokens[:number])):
                return token.start, token.end, "a `)` that closes nothing", ""
    return None


def _lexical(text: str, message: str, tokens: list[Token]) -> _Place | None:
    """What the lexer refuses: it reads from left to right, so the shortest text that it refuses ends there."""
    if not message.startswith(("unexpected", "bad number", "unknown escape")):
        return None
    low, high = 1, len(text)
    while low < high:
        middle = (low + high) // 2
        if _complaint(text[:middle]) == message:
            high = middle
        else:
            low = middle + 1
    if _complaint(text[:low]) != message:
        return None
    named = re.search(r"'(.+?)'|: (\S+)$", message)
    named_text = next((group for group in named.groups() if group), "") if named else ""
    start = text.rfind(named_text, 0, low) if named_text else -1
    if start >= 0 and start + len(named_text) >= low - 1:  # a word ends only with the character after it
        return start, start + len(named_text), message, ""
    return low - 1, low, message, ""


def _misplaced_token(text: str, message: str, tokens: list[Token]) -> _Place | None:
    """A token in the wrong place: the first with which no continuation is right."""
    if message != _GRAMMAR:
        return None
    low, high = 0, len(tokens)  # tokens[:low] can go on; with tokens[:high] it is wrong, or it just ends too early
    while low < high:
        middle = (low + high + 1) // 2
        if _can_go_on(text, tokens[:middle]):
            low = middle
        else:
            high = middle - 1
    if low == len(tokens):
        end = tokens[-1].end
        return end, end + 1, "the expression ends too early", f"something is missing after `{tokens[-1].text}`"
    wrong = tokens[low]
    return wrong.start, wrong.end, f"unexpected `{wrong.text[:40]}`", ""


def _can_go_on(text: str, tokens: list[Token]) -> bool:
    prefix = text[: tokens[-1].end] if tokens else ""
    for fitting in _FITTING:
        tried = prefix + fitting
        closing = "".join(CLOSERS[token.text] for token in reversed(open_brackets(tokens_of(tried))))
        complaints = (
            _complaint(tried + closing),
            _complaint(tried + closing + " x"),
            _complaint(tried + closing + " (x)"),
        )
        if any(_is_about_meaning(complaint) for complaint in complaints):
            return True
    return False


def _is_about_meaning(complaint: str | None) -> bool:
    """Whether the text was right in form: nothing to complain of, or only what it means."""
    return (
        complaint is None
        or not complaint.startswith((_GRAMMAR, "un", "bad", "no expression"))
        or complaint.startswith("unknown function")
    )


def _smallest_part(text: str, message: str, tokens: list[Token]) -> _Place | None:
    """What is right in form but not in meaning: the smallest call, selector or bracket that has the same fault."""
    for start, end in sorted(_parts(tokens), key=lambda part: (part[1] - part[0], part[0])):
        if _complaint(text[start:end]) == message:
            return _worded(text, message, (start, end), tokens)
    return None


def _worded(text: str, message: str, part: tuple[int, int], tokens: list[Token]) -> _Place:
    start, end = part
    inside = [token for token in tokens if start <= token.start < end]
    if message.startswith("illegal regex"):
        pattern = next((token for token in inside if token.kind == "string" and token.text[1:-1] in message), inside[0])
        return pattern.start, pattern.end, f"not a regular expression: {pattern.text}", ""
    wanted = re.match(r"expected type (\w+) in call to function '(\w+)', got (\w+)", message)
    if wanted:
        words = {"matrix": "a range vector", "vector": "an instant vector", "scalar": "a number", "string": "a text"}
        worded = f"{wanted[2]}() takes {words.get(wanted[1], wanted[1])}, not {words.get(wanted[3], wanted[3])}"
        hint = "add a range such as [5m]" if wanted[1] == "matrix" and wanted[3] == "vector" else ""
        if len(inside) > 2 and not any(token.text == "," for token in inside):
            return inside[2].start, inside[-2].end, worded, hint
        return start, inside[0].end, worded, hint
    worded = (
        message.replace("function with name '", "function `").replace("'", "`") if "with name" in message else message
    )
    return start, inside[0].end, worded, ""


def _parts(tokens: list[Token]) -> Iterator[tuple[int, int]]:
    """Every bracketed part, with the name before it and without."""
    stack: list[int] = []
    for number, token in enumerate(tokens):
        if token.text in CLOSERS:
            stack.append(number)
        elif token.text in CLOSERS.values() and stack:
            opener = stack.pop()
            before = tokens[opener - 1] if opener else None
            if before is not None and before.kind == "word":
                yield before.start, token.end
            yield tokens[opener].start, token.end


def _shortest_prefix(text: str, message: str, tokens: list[Token]) -> _Place | None:
    """Otherwise the last token of the shortest beginning that has the same fault once its brackets are closed."""
    for number in range(1, len(tokens) + 1):
        prefix = text[: tokens[number - 1].end]
        closing = "".join(CLOSERS[token.text] for token in reversed(open_brackets(tokens[:number])))
        if _complaint(prefix + closing) == message:
            wrong = tokens[number - 1]
            return wrong.start, wrong.end, message, ""
    return None
