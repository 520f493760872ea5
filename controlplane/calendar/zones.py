"""Time zones from the `tzdata` distribution, never from the machine: the same rules are compiled everywhere."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

_PACKAGE: Final = "tzdata"
_SECOND: Final = timedelta(seconds=1)


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every IANA name, links included."""
    return frozenset(resources.files(_PACKAGE).joinpath("zones").read_text().split())


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """A zone by its IANA name. Raises KeyError for a name that is none."""
    if name not in zone_names():
        raise KeyError(name)
    with resources.files(_PACKAGE).joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def instant(local: datetime, of: ZoneInfo) -> datetime:
    """When the clock on the wall first shows `local` (naive) or, where it is turned past that time, a later one."""
    at = local.replace(tzinfo=of, fold=0).astimezone(UTC)
    if at.astimezone(of).replace(tzinfo=None) == local:
        return at
    low, high = local.replace(tzinfo=of, fold=1).astimezone(UTC), at  # the change lies between them
    before = low.astimezone(of).utcoffset()
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        middle -= timedelta(microseconds=middle.microsecond)
        if middle <= low:
            break
        low, high = (middle, high) if middle.astimezone(of).utcoffset() == before else (low, middle)
    return high
