"""Which steps are learnt from."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import numpy as np

from alerts.anomaly.calendars.model import Calendars, DeploymentTime
from alerts.anomaly.detector.model import Booleans, Grid
from alerts.anomaly.detector.phases import local_days


def fitted(calendars: Calendars, grid: Grid, services: Sequence[str]) -> Booleans | None:
    """False where a step is not learnt from: (1, T), (S, T) where series differ, None where all are learnt from.

    `services` is each series' label `service`, empty where it has none. A step counts as special by the local day in
    which it begins, and as after a deployment where any part of it is.
    """
    common = np.ones(grid.count, dtype=np.bool_)
    if calendars.days and grid.count:
        special = [day.toordinal() for day in calendars.days]
        common &= ~np.isin(local_days(grid, calendars.zone), special)
    _mask(common, grid, (each for each in calendars.deployments if each.is_of_all))
    own = [each for each in calendars.deployments if not each.is_of_all]
    deployed = sorted({each.service for each in own}.intersection(services) - {""})
    if not deployed:
        return None if common.all() else common[None, :]
    rows = np.repeat(common[None, :], len(deployed) + 1, axis=0)
    for number, service in enumerate(deployed, start=1):
        _mask(rows[number], grid, (each for each in own if each.service == service))
    if rows.all():
        return None
    numbers = {service: number for number, service in enumerate(deployed, start=1)}
    return rows[[numbers.get(service, 0) for service in services]]


def _mask(row: Booleans, grid: Grid, times: Iterable[DeploymentTime]) -> None:
    for each in times:
        first = _seconds(each.start) // grid.step - grid.first
        behind = -(-_seconds(each.end) // grid.step) - grid.first
        row[max(0, first) : max(0, behind)] = False


def _seconds(moment: datetime) -> timedelta:
    return timedelta(seconds=moment.timestamp())
