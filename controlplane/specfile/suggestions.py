"""Names that a user may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(written: str, known: Iterable[str]) -> str | None:
    """The known name that is nearest to what was written, letter case aside; None when none is near."""
    by_lower = {name.lower(): name for name in known}
    found = get_close_matches(written.lower()[:80], by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def choices(known: Iterable[str]) -> str:
    """`a`, `b` or `c`."""
    names = [f"`{name}`" for name in known]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
