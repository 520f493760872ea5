"""Times as people type them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_LENGTH: Final = re.compile(r"([0-9]{1,6})([mhdw])")


def moment_before(text: str, before: datetime) -> datetime:
    """`30d` is that long before `before`; anything else is a time in RFC 3339, UTC where it names no zone.

    Raises ValueError with a hint.
    """
    length = _LENGTH.fullmatch(text.strip())
    try:
        if length:
            return before - int(length[1]) * _UNITS[length[2]]
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise ValueError(
            f"neither a length such as 30d or 36h, nor a time such as 2026-11-02T07:00:00Z: {text}"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
