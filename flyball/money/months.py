"""Calendar months in UTC, as bills have them."""

import re
from datetime import UTC, datetime
from typing import Final

_MONTH: Final = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
_DECEMBER: Final = 12


def month_of(text: str) -> datetime | None:
    """The begin of `2026-11`; None when the text is no month."""
    match = _MONTH.fullmatch(text)
    return datetime(int(match[1]), int(match[2]), 1, tzinfo=UTC) if match else None


def next_month(month: datetime) -> datetime:
    """The begin of the month after."""
    return month.replace(year=month.year + month.month // _DECEMBER, month=month.month % _DECEMBER + 1)


def month_before(at: datetime) -> datetime:
    """The begin of the month before the one of a moment."""
    utc = at.astimezone(UTC)
    this = datetime(utc.year, utc.month, 1, tzinfo=UTC)
    return this.replace(year=this.year - (this.month == 1), month=(this.month - 2) % _DECEMBER + 1)
