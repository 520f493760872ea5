"""Patterns that are matched against what a target sends: RE2, which takes time in proportion to the text, always."""

from functools import lru_cache
from typing import Any, Final, Protocol

_MOST_MEMORY: Final = 8 * 1024 * 1024
_REMEMBERED: Final = 2000
_NOT_IN_RE2: Final = ("(?=", "(?!", "(?<=", "(?<!", "\\1", "\\2", "(?>")


class Pattern(Protocol):
    """What `re2.compile` gives."""

    def search(self, text: bytes | str) -> Any:
        """The first match, or None."""
        ...


class BadPattern(ValueError):
    """It is no RE2; the message says why."""


@lru_cache(maxsize=_REMEMBERED)
def compiled(pattern: str) -> Pattern:
    """A pattern, ready to search bytes (as UTF-8) and texts. Raises BadPattern."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MOST_MEMORY
    try:
        made: Pattern = re2.compile(pattern, options=options)
    except re2.error as error:
        said = error.args[0] if error.args else "it cannot be read"
        raise BadPattern(said.decode(errors="replace") if isinstance(said, bytes) else str(said)) from None
    return made


def pattern_fault(pattern: str) -> tuple[str, str] | None:
    """What is wrong with a pattern, and the way out; None when all is well."""
    try:
        compiled(pattern)
    except BadPattern as bad:
        has_other = any(form in pattern for form in _NOT_IN_RE2)
        hint = "RE2 has no look-around and no back-references: use notMatches, or two assertions" if has_other else ""
        return f"not a regular expression (RE2): {bad}", hint
    return None
