"""Clock times of a zone as times: the hour that is there twice, and the hour that is not there at all."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from alerts.anomaly.csv_series.model import Flags, Numbers, Seconds

_BLOCK: Final = 900.0  # seconds: zones change at quarters of an hour
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_REPEAT: Final = 7200.0


def in_utc(clock: Seconds, zone: ZoneInfo) -> Seconds | None:
    """Seconds of a clock in `zone` (n,), in the order of the file, as seconds after the epoch.

    An hour that the clock shows twice in autumn is taken for the second one from where the rows go back in it.
    None where some lie in the hour that spring leaves out: then no such clock wrote them.
    """
    known = np.isfinite(clock)
    if not known.any():
        return clock
    blocks, inverse = np.unique(np.floor(clock[known] / _BLOCK), return_inverse=True)
    first, second, exists = _offsets(blocks * _BLOCK, zone)
    if not exists.all():
        return None
    early, late = first[inverse], second[inverse]
    moved = np.full_like(clock, np.nan)
    is_second = _went_back(clock[known], early != late)
    moved[known] = clock[known] - np.where(is_second, late, early)
    return moved


def _offsets(starts: Seconds, zone: ZoneInfo) -> tuple[Numbers, Numbers, Flags]:
    """Offsets from UTC of clock times, the first and the second time around, and whether the clock shows them."""
    early, late, exists = np.empty_like(starts), np.empty_like(starts), np.ones(len(starts), dtype=np.bool_)
    for place, start in enumerate(starts):
        local = (_EPOCH + timedelta(seconds=float(start))).replace(tzinfo=zone)
        offsets = [(local.replace(fold=fold).utcoffset() or timedelta()).total_seconds() for fold in (0, 1)]
        early[place], late[place] = offsets
        if offsets[0] < offsets[1]:  # a gap: PEP 495
            exists[place] = False
    return early, late, exists


def _went_back(clock: Seconds, ambiguous: Flags) -> Flags:
    """Which of the ambiguous times are the second ones: from the row on at which the clock went back."""
    second = np.zeros(len(clock), dtype=np.bool_)
    places = np.flatnonzero(ambiguous)
    if not len(places):
        return second
    falls = clock[-1] < clock[0]
    order = places[::-1] if falls else places
    last, is_second = -np.inf, False
    for place in order:
        at = clock[place]
        if at - last > _LONGEST_REPEAT:
            is_second = False
        elif at < last:
            is_second = True
        second[place] = is_second
        last = at
    return second
