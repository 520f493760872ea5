"""Sheets written down by hand."""

from datetime import UTC, date, datetime, timedelta

import numpy as np

from controlplane.model.delivery import Sheet, SheetKey
from exporters.dora.sheets.columns import CHANGE, DEPLOYMENT, INCIDENT, UNKNOWN, DaySheet
from exporters.dora.sheets.packing import pack

MONDAY = date(2026, 3, 2)
HOUR = 3600


def day(number: int) -> date:
    """The first is Monday, 2 March 2026."""
    return MONDAY + timedelta(days=number - 1)


def midnight(number: int) -> datetime:
    return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=number)


def deployed(
    hour: float, *, failure: int = 0, rework: int = 0, recovery: int = UNKNOWN, run: int = 0
) -> tuple[int, ...]:
    return (int(hour * HOUR), failure, rework, 0, recovery, run)


def delivered(hour: float, lead: int, coding: int = -1, review: int = -1, deploy: int = -1) -> tuple[int, ...]:
    return (int(hour * HOUR), lead, coding, review, deploy)


def incident(hour: float, restore: int) -> tuple[int, ...]:
    return (int(hour * HOUR), restore, 1, 0, 4)


def sheet(
    number: int,
    deployments: list[tuple[int, ...]] | None = None,
    changes: list[tuple[int, ...]] | None = None,
    incidents: list[tuple[int, ...]] | None = None,
    *,
    service: str = "shop",
    environment: str = "production",
) -> Sheet:
    rows = DaySheet(
        np.array(deployments or [], DEPLOYMENT), np.array(changes or [], CHANGE), np.array(incidents or [], INCIDENT)
    )
    return Sheet(SheetKey(service, environment, day(number)), pack(rows))
