"""OpenSLO's duration-shorthand: `5m`, `4w`."""

import re
from datetime import timedelta
from typing import Final

_SHORTHAND: Final = re.compile(r"([0-9]{1,9})([A-Za-z])")
_UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_UNEVEN: Final = {"M": ("months", "30d"), "Q": ("quarters", "90d"), "Y": ("years", "365d")}


def span_of(text: str) -> tuple[timedelta | None, str]:
    """How long a duration-shorthand is, or why that cannot be said: months, quarters and years differ in length."""
    match = _SHORTHAND.fullmatch(text)
    if match is None or match[2] not in _UNITS | _UNEVEN:
        wrong = f"`{text[:40]}` is not a duration"
        if match is not None and match[2].lower() in _UNITS:
            return None, f"{wrong}, did you mean `{text.lower()}`?"
        return None, f"{wrong}: a whole number and m, h, d or w, as in 5m, 1h or 3d"
    if match[2] in _UNEVEN:
        what, instead = _UNEVEN[match[2]]
        return None, f"{what} differ in length: write days, such as {instead}"
    try:
        return int(match[1]) * _UNITS[match[2]], ""
    except OverflowError:
        return timedelta.max, ""
