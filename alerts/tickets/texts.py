"""Other people's words in tickets: nothing in them is markup, a mention or a command of a tracker."""

import re
from typing import Final

_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>|~$])")
_AT_THE_BEGIN: Final = re.compile(r"^([#>/=]|[-+](?=[\s-]|$)|[0-9]{1,9}[.)](?=\s|$))")  # headings, lists, commands
_MENTION: Final = re.compile(r"([@#])(?=\w)")
_JOINER: Final = "\u2060"  # of no width: `@ann` stays readable, and tells nobody
_URL: Final = re.compile(r"https?://[^\s<>()\[\]\"'`\\|]{1,1000}")


def one_line(text: str, most: int) -> str:
    """Printable characters of it, on one line, cut with `…`."""
    flat = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def plain(text: str, most: int = 500) -> str:
    """Text for Markdown where it reads as it was written: no markup, no mention, no `/command` at a line's begin."""
    safe = _MARKUP.sub(r"\\\1", _MENTION.sub(rf"\1{_JOINER}", one_line(text, most)))
    return _AT_THE_BEGIN.sub(rf"{_JOINER}\1", safe)


def title(text: str, most: int = 200) -> str:
    """A title: trackers show it as it is, but look for mentions."""
    return _MENTION.sub(rf"\1{_JOINER}", one_line(text, most))


def link(text: str, url: str) -> str:
    """A link in Markdown; only its words when the address is none that is safe to follow."""
    return f"[{plain(text, 200)}]({url})" if _URL.fullmatch(url) else plain(text, 200)


def cut(body: str, most: int) -> str:
    """A body within a tracker's limit, whole lines first; that something is missing is said."""
    if len(body) <= most:
        return body
    said = "\n\n(cut here: the tracker takes no more)"
    kept = body[: most - len(said)]
    whole, line_end, _ = kept.rpartition("\n")
    return (whole if line_end and len(whole) > most // 2 else kept) + said
