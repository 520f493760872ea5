"""Names that a user may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_SHOWN: Final = 80  # characters of a name that a message repeats


def short(name: str) -> str:
    """A name, cut when it is none."""
    return name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"


def did_you_mean(written: str, known: Iterable[str]) -> str | None:
    """The known name that is nearest to what was written, letter case aside; None when none is near."""
    by_lower = {name.lower(): name for name in known}
    found = get_close_matches(written.lower()[:_SHOWN], by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def choices(known: Iterable[str]) -> str:
    """`a`, `b` or `c`."""
    names = [f"`{name}`" for name in known]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
