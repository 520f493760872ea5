"""The mark by which a ticket is found again: it is made of what the ticket is about."""

import hashlib
import re
from typing import Final

_LENGTH: Final = 20
_MARK: Final = re.compile(r"<!-- flyball-ticket: ([0-9a-f]{20}) -->")


def digest(key: str) -> str:
    """Twenty hexadecimal digits: tickets of one project are not confused."""
    return hashlib.sha256(key.encode()).hexdigest()[:_LENGTH]


def marked(body: str, key: str) -> str:
    """A body in Markdown with the mark, which nobody sees, as its last line."""
    return f"{body.rstrip()}\n\n<!-- flyball-ticket: {digest(key)} -->\n"


ROOM: Final = len(marked("", "")) + 2
"""Characters that the mark takes."""


def has_mark(body: str, key: str) -> bool:
    """Whether the body carries the mark of this key, at its end: one that somebody quotes does not count."""
    lines = body.rstrip().splitlines()
    found = _MARK.fullmatch(lines[-1].strip()) if lines else None
    return found is not None and found[1] == digest(key)
