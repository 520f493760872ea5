"""Lengths of time in documents about alerts."""

from datetime import timedelta

from alerts.reporting import Report
from controlplane.burn_rate import duration
from controlplane.calendar.moments import length_of

Path = tuple[str | int, ...]


def length(
    report: Report, text: str | None, path: Path, *, least: timedelta = timedelta(0), most: timedelta
) -> timedelta | None:
    """A length within bounds; None for what is left out, and None with a problem for any other."""
    if text is None:
        return None
    found = length_of(text)
    if found is None:
        report.error(*path, message=f"`{text}` is not a length", hint="such as 30s, 5m, 4h or 1d")
    elif not least <= found <= most:
        report.error(*path, message=f"must be between {duration(least)} and {duration(most)}, is {text}")
    else:
        return found
    return None
