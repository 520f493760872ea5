"""DORA metrics of 10 M deployments and as many changes in 90 days, of 300 services in 20 teams, out of their sheets."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from benchmarks.report import Figure, progress, show
from controlplane.model.delivery import Sheet, SheetKey
from exporters.dora.measuring.windows import Level, for_scopes
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.sheets.columns import CHANGE, DEPLOYMENT, INCIDENT, STAGES, DaySheet
from exporters.dora.sheets.packing import pack

DEPLOYMENTS: Final = 10_000_000
SERVICES: Final = 300
TEAMS: Final = 20
DAYS: Final = 90
SECONDS_AT_MOST: Final = 5.0
_START: Final = datetime(2026, 3, 1, tzinfo=UTC)  # Berlin's clocks change on the 29th
_POLICY: Final = DeliveryPolicy(
    teams={f"s{number}": f"team{number % TEAMS}" for number in range(SERVICES)}, time_zone="Europe/Berlin"
)


def run() -> None:
    """Print the table."""
    progress("writing sheets")
    sheets = _sheets()
    size = sum(len(sheet.body) for sheet in sheets) / 1e6
    one = _seconds(lambda: _report(sheets, [Level.SERVICE]))
    every = _seconds(lambda: _report(sheets, list(Level)))
    figures = [
        Figure("by service", one, "s", SECONDS_AT_MOST, detail=f"{size:.0f} MB of sheets"),
        Figure("by service, team and environment at once", every, "s", detail="for information"),
    ]
    show("dora windows: 10 M deployments and changes in 90 days", figures)


def _report(sheets: list[Sheet], levels: list[Level]) -> int:
    start = _START + timedelta(hours=7)  # not at midnight: days at the edges are cut
    return len(for_scopes(sheets, start, _START + timedelta(days=DAYS), _POLICY, levels))


def _seconds(work: Callable[[], object]) -> float:
    """Of processor time: other work on the machine plays no part."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _sheets() -> list[Sheet]:
    chance = np.random.default_rng(8)
    count = DEPLOYMENTS // SERVICES // DAYS
    return [
        Sheet(
            SheetKey(f"s{service}", "production", (_START + timedelta(days=day)).date()),
            pack(_day(chance, count)),
        )
        for service in range(SERVICES)
        for day in range(DAYS)
    ]


def _day(chance: np.random.Generator, count: int) -> DaySheet:
    deployments, changes = np.zeros(count, DEPLOYMENT), np.zeros(count, CHANGE)
    incidents = np.zeros(max(count // 20, 1), INCIDENT)
    deployments["second"] = changes["second"] = np.sort(chance.integers(0, 86400, count))
    deployments["failure"] = chance.random(count) < 0.05
    deployments["recovery"] = np.where(deployments["failure"], chance.integers(60, 9000, count), -1)
    changes["lead"] = chance.lognormal(10, 1.5, count).clip(0, 3e7)
    for stage in STAGES:
        changes[stage.value] = changes["lead"] // 3
    incidents["second"] = np.sort(chance.integers(0, 86400, len(incidents)))
    incidents["restore"] = chance.integers(60, 9000, len(incidents))
    return DaySheet(deployments, changes, incidents)
