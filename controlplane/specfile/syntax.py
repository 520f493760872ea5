"""libyaml's complaints in plain words, each at the place that a user has to look at."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from yaml import MarkedYAMLError, YAMLError
from yaml._yaml import CParser
from yaml.events import CollectionEndEvent, CollectionStartEvent, Event, ScalarEvent

from controlplane.specfile.composing import MAX_DEPTH
from controlplane.specfile.faults import Fault

_RULE: Final = "yaml-syntax"
_TAB_HINT: Final = "indent with spaces"
_OPENERS: Final = {"[": "]", "{": "}"}
_TOO_DEEP: Final = "exceeded maximum nesting depth"  # libyaml looks far ahead of what it hands out

_WIDE_SPACE: Final = re.compile(r"^ *([\xa0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000]+)", re.MULTILINE)
_CONFLICT: Final = re.compile(r"^<{7} [^\r\n]*", re.MULTILINE)
_NO_SPACE: Final = re.compile(r"[ \t]*(?:- )*([\w./-]+):(?!//)[^\s:][^\r\n]*")

# libyaml's problem → (message, hint), where the problem alone says enough
_PLAIN: Final[dict[str, tuple[str, str]]] = {
    "mapping values are not allowed in this context": (
        "a colon that cannot stand here",
        "either the indentation is wrong, or the text holds a colon and needs quotes",
    ),
    "block sequence entries are not allowed in this context": (
        "a list item cannot begin here",
        "put it on a line of its own, or quote the text if it begins with a dash",
    ),
    "did not find expected key": (
        "expected a key of the mapping that goes on here",
        "check the indentation of this line, and quotes and brackets before it",
    ),
    "did not find expected '-' indicator": (
        "expected another `- ` item of the list that goes on here",
        "check the indentation of this line",
    ),
    "did not find expected node content": ("expected a value here", ""),
    "found unknown escape character": (
        "an escape that YAML does not know",
        "write \\\\ for a backslash, or use single quotes",
    ),
    "found invalid Unicode character escape code": ("an escape that stands for no character", ""),
    "did not find expected hexdecimal number": ("expected hexadecimal digits in this escape", ""),
    "found an indentation indicator equal to 0": ("the indentation indicator must be 1 to 9", ""),
    "did not find expected comment or line break": ("expected the end of the line here", ""),
    "found undefined tag handle": ("a tag that no %TAG line declares", "text that begins with ! needs quotes"),
    "found unknown directive name": ("a % directive that YAML does not know", "text that begins with % needs quotes"),
    "found incompatible YAML document": ("a YAML version that cannot be read", "remove the %YAML line"),
    "did not find expected alphabetic or numeric character": (
        "expected a name after & or *",
        "text that begins with & or * needs quotes",
    ),
    "could not find expected ':'": (
        "expected a colon after this key",
        "check the indentation, and write `key: value` with a space after the colon",
    ),
}


def fault_of(error: YAMLError, text: str, offset: int) -> Fault:
    """The fault that stands for an error of libyaml in `text`, a piece that begins at `offset` of its file."""
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return Fault(offset, offset + len(text), f"not readable as YAML: {error}", "", _RULE)
    at = min(error.problem_mark.index, len(text))
    begin = error.context_mark.index if error.context_mark is not None else at
    fault = (
        _about_depth(error, text, at)
        or _about_conflict(text)
        or _about_tab(text, at)
        or _about_wide_space(text, at)
        or _about_quotes(text, at)
        or _about_closing(error, text, at, begin)
        or _about_start(error, text, at)
    )
    fault = fault or _about_colon(error, text, at)
    if fault is None:
        message, hint = _PLAIN.get(error.problem or "", (error.problem or "broken YAML", ""))
        start, end = _visible(text, at)
        is_cut = end >= len(text) and not text.endswith(("\n", "\r"))
        fault = Fault(start, end, message, "the file ends here: was it cut off?" if is_cut else hint, _RULE)
    return Fault(fault.start + offset, fault.end + offset, fault.message, fault.hint, fault.rule)


def _about_depth(error: MarkedYAMLError, text: str, at: int) -> Fault | None:
    """As the composer tells it, at the bracket that is too much; what stands before the first counts as one level."""
    if error.problem != _TOO_DEEP:
        return None
    opened: list[int] = []
    for place, character in enumerate(text[:at]):
        if character in _OPENERS:
            opened.append(place)
        elif character in _OPENERS.values() and opened:
            opened.pop()
    within = 1 if opened and text[: opened[0]].strip() else 0
    place = opened[min(MAX_DEPTH + 1 - within, len(opened) - 1)] if opened else at
    return Fault(place, place + 1, f"nested deeper than {MAX_DEPTH} levels", rule="too-deep")


def _about_conflict(text: str) -> Fault | None:
    found = _CONFLICT.search(text)
    if found is None:
        return None
    return Fault(found.start(), found.end(), "a merge conflict that nobody resolved", "keep one side", "merge-conflict")


def _about_colon(error: MarkedYAMLError, text: str, at: int) -> Fault | None:
    """A missing space after the colon of the line before makes one text of both lines."""
    if error.problem != "mapping values are not allowed in this context":
        return None
    line_start = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    before = text[:line_start].rstrip()
    found = _NO_SPACE.fullmatch(before, max(before.rfind("\n"), before.rfind("\r")) + 1)
    if found is None:
        return None
    return Fault(found.start(1), found.end(1) + 1, "no space after the colon", f"write `{found[1]}: …`", _RULE)


def _about_tab(text: str, at: int) -> Fault | None:
    if text[at : at + 1] != "\t":
        return None
    end = at
    while text[end : end + 1] == "\t":
        end += 1
    return Fault(at, end, "a tab where only spaces may indent", _TAB_HINT, "tab")


def _about_wide_space(text: str, at: int) -> Fault | None:
    """A no-break space that indents, in the line at fault or the one before: editors show it like a space."""
    before = text.rfind("\n", 0, max(0, text.rfind("\n", 0, at))) + 1
    found = _WIDE_SPACE.search(text, before, text.find("\n", at) % (len(text) + 1))
    if found is None:
        return None
    message = f"the character U+{ord(found[1][0]):04X} where only spaces may indent"
    return Fault(found.start(1), found.end(1), message, _TAB_HINT, _RULE)


def _about_closing(error: MarkedYAMLError, text: str, at: int, begin: int) -> Fault | None:
    """Quotes and brackets that are never closed: the fault is at the opening one."""
    problem = error.problem or ""
    if error.context == "while scanning a quoted scalar" and problem.startswith("found unexpected"):
        quote = text[begin : begin + 1]
        return Fault(begin, begin + 1, f"the quote {quote} is never closed", "the document ends first", "unclosed")
    if problem == "did not find expected node content" and not text[at:].strip():
        opened = _last_open_bracket(text)
        if opened is not None:
            message = f"the bracket `{text[opened]}` is never closed"
            return Fault(opened, opened + 1, message, f"expected `{_OPENERS[text[opened]]}`", "unclosed")
    if error.context in ("while parsing a flow sequence", "while parsing a flow mapping"):
        opener = _opener(text, begin)
        if not text[at:].strip() or text[at : at + 3] in ("---", "..."):
            message = f"the bracket `{opener}` is never closed"
            return Fault(begin, begin + 1, message, f"expected `{_OPENERS[opener]}`", "unclosed")
        message = f"expected a comma or `{_OPENERS[opener]}` here"
        return Fault(*_visible(text, at), message, f"the list or mapping began with `{opener}`", _RULE)
    return None


def _last_open_bracket(text: str) -> int | None:
    """Where the innermost bracket stands that is open where the text breaks."""
    found: list[int] = []
    for event in _events(text):
        if isinstance(event, CollectionStartEvent) and event.start_mark is not None:
            found.append(event.start_mark.index)
        elif isinstance(event, CollectionEndEvent):
            found.pop()
    return next((at for at in reversed(found) if text[at] in _OPENERS), None)


def _events(text: str) -> Iterator[Event]:
    """What libyaml finds in the text until it breaks off."""
    parser = CParser(text)
    with suppress(YAMLError):
        while (event := parser.get_event()) is not None:
            yield event


def _opener(text: str, begin: int) -> str:
    found = re.compile(r"[\[{]").search(text, begin)
    return found.group() if found else "["


def _about_quotes(text: str, at: int) -> Fault | None:
    """Quotes that end lines further down, at the next ones: what was between those now stands where it cannot."""
    opened = _quotes_over_lines(text, at) if _after_quotes(text, at) else None
    if opened is None:
        return None
    lines = text.count("\n", opened, at)
    hint = f"it goes on to the next {text[opened]}, {lines} line{'s' if lines > 1 else ''} further down"
    return Fault(opened, opened + 1, f"the quote {text[opened]} is not closed on its line", hint, "unclosed")


def _about_start(error: MarkedYAMLError, text: str, at: int) -> Fault | None:
    character = text[at : at + 1]
    if error.problem == "found character that cannot start any token":
        return Fault(at, at + 1, f"text cannot begin with `{character}`", "put it in quotes", _RULE)
    if error.problem == "did not find expected key" and character in ("]", "}"):
        return Fault(at, at + 1, f"a `{character}` that closes nothing", "", _RULE)
    if error.problem == "did not find expected key" and _after_quotes(text, at):
        return Fault(
            *_visible(text, at), "text after the closing quote", "quote all of it, or double the quotes", _RULE
        )
    return None


def _after_quotes(text: str, at: int) -> bool:
    line = text[:at].rsplit("\n", 1)[-1].rstrip()
    return line.endswith(('"', "'"))


def _quotes_over_lines(text: str, at: int) -> int | None:
    """Where the quoted text begins that ends just before `at`, when that is on an earlier line."""
    last: ScalarEvent | None = None
    for event in _events(text):
        last = event if isinstance(event, ScalarEvent) else last
    if last is None or last.start_mark is None or last.end_mark is None or text[last.end_mark.index : at].strip():
        return None
    return last.start_mark.index if last.start_mark.line < last.end_mark.line and last.style in ("'", '"') else None


def _visible(text: str, at: int) -> tuple[int, int]:
    """[at, end) of the word at `at`; at the end of the text, the last character that is not blank."""
    if not text[at:].strip():
        last = len(text.rstrip())
        return last, last + 1
    if text[at].isspace():
        at += len(text[at:]) - len(text[at:].lstrip())
    word = re.compile(r"[^\s,:\[\]{}]+|\S").match(text, at)
    return at, word.end() if word else at + 1
