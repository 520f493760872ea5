"""Asks Prometheus for routes and the store for runs. What cannot be found out is told as such, never as nothing."""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import duration
from controlplane.check_ports import CheckLog
from controlplane.model.check import CheckResult, Outcome, RegionState, Verdict
from controlplane.model.series import Sample
from controlplane.ports import MetricsBackend, Permanent, Transient
from synthetics.golden_paths.coverage import labels_asked, matches
from synthetics.golden_paths.disagreement import TrafficDrop
from synthetics.golden_paths.evidence import (
    BurningSLO,
    CheckEvidence,
    CheckKey,
    InventoryAnswer,
    RouteTraffic,
    SLIEvidence,
)
from synthetics.golden_paths.model import GoldenPath, Labels, RouteInventory

_RECENT: Final = 5  # results of each check and region in which a run that counts is looked for first
_HOUR: Final = timedelta(hours=1)
_LOOKED_BACK: Final = timedelta(days=35)  # longer than a path may allow
# The Site Reliability Workbook, chapter 5: 14.4 times over an hour spends 2 % of a budget of 30 days, and pages.
_PAGE_SPEED: Final = 14.4
_FEWEST: Final = 3  # bad events: of fewer nobody is told (controlplane.model.alerting)
_RATES: Final = (names.burn_rate("5m"), names.burn_rate("1h"))
_BAD: Final = names.bad_events("1h")


def routes_seen(
    backend: MetricsBackend, inventories: Sequence[RouteInventory], paths: Sequence[GoldenPath], now: datetime
) -> tuple[InventoryAnswer, ...]:
    """What each inventory finds. An unreachable Prometheus, an absent metric or label is a `failure`, never raised."""
    further = labels_asked(paths)
    return tuple(_answer(backend, inventory, further, now) for inventory in inventories)


def traffic_query(inventory: RouteInventory, further: Sequence[str] = ()) -> str:
    """PromQL: requests by route within the inventory's time."""
    return f"sum by ({_by(inventory, further)}) (increase({selected(inventory)}[{duration(inventory.within)}]))"


def _by(inventory: RouteInventory, further: Sequence[str]) -> str:
    own = (inventory.service_label, inventory.method_label, inventory.route_label)
    return ", ".join(dict.fromkeys(label for label in (*own, *further) if label))


def selected(inventory: RouteInventory) -> str:
    """The inventory's series."""
    chosen = [_matcher(label, values) for label, values in inventory.selector]
    return f"{inventory.metric}{{{', '.join(chosen)}}}"


def quoted(text: str) -> str:
    """A PromQL string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _matcher(label: str, values: Sequence[str]) -> str:
    if len(values) == 1:
        return f"{label}={quoted(values[0])}"
    return f"{label}=~{quoted('|'.join(_literal(value) for value in values))}"


def _literal(text: str) -> str:
    """The text as RE2, where nothing in it means anything."""
    return "".join(f"\\{character}" if character in r"\.+*?()|[]{}^$" else character for character in text)


def _answer(
    backend: MetricsBackend, inventory: RouteInventory, further: Sequence[str], now: datetime
) -> InventoryAnswer:
    try:
        samples = backend.query(traffic_query(inventory, further), now)
    except (Transient, Permanent) as error:
        return InventoryAnswer(inventory, failure=f"Prometheus does not tell: {error}")
    if not samples:
        return InventoryAnswer(inventory, failure=f"Prometheus has no {selected(inventory)}")
    routes = tuple(
        _traffic(inventory, further, sample)
        for sample in samples
        if sample.labels.get(inventory.route_label) and math.isfinite(sample.value)
    )
    if not routes:
        return InventoryAnswer(inventory, failure=f"{inventory.metric} has no label `{inventory.route_label}`")
    return InventoryAnswer(inventory, tuple(route for route in routes if route.per_day > 0))


def _traffic(inventory: RouteInventory, further: Sequence[str], sample: Sample) -> RouteTraffic:
    labels: Labels = tuple((label, sample.labels[label]) for label in further if label in sample.labels)
    return RouteTraffic(
        route=sample.labels[inventory.route_label],
        service=sample.labels.get(inventory.service_label, ""),
        method=sample.labels.get(inventory.method_label, "") if inventory.method_label else "",
        labels=labels,
        per_day=max(sample.value, 0.0) / inventory.days,
    )


def traffic_drop(
    backend: MetricsBackend, inventories: Sequence[RouteInventory], path: GoldenPath, now: datetime
) -> TrafficDrop | None:
    """Requests a second of the path's routes in the last ten minutes, and at the same time yesterday.

    None where either is not known. Raises what the backend raises.
    """
    moments = [_rate_at(backend, inventories, path, now, offset) for offset in ("", " offset 1d")]
    current, yesterday = moments
    return None if current is None or yesterday is None else TrafficDrop(current, yesterday)


def _rate_at(
    backend: MetricsBackend, inventories: Sequence[RouteInventory], path: GoldenPath, now: datetime, offset: str
) -> float | None:
    further = labels_asked([path])
    found = []
    for inventory in inventories:
        expr = f"sum by ({_by(inventory, further)}) (rate({selected(inventory)}[10m]{offset}))"
        for sample in backend.query(expr, now):
            if sample.labels.get(inventory.route_label) and math.isfinite(sample.value):
                traffic = _traffic(inventory, further, sample)
                if any(matches(route, traffic, inventory) for route in path.routes):
                    found.append(sample.value)
    return sum(found) if found else None


# --- SLOs -------------------------------------------------------------------------------------------------------------
def slis_burning(backend: MetricsBackend, paths: Sequence[GoldenPath], now: datetime) -> SLIEvidence:
    """Which SLOs of these paths burn at the speed of a page, and which are known to be calm.

    One burns when an alert of it pages, or when it spends 14.4 times its budget over 5 minutes and over an hour with
    three bad events at least. One without data is neither. Raises what the backend raises.
    """
    slos = sorted({slo for path in paths for slo in path.slos})
    if not slos:
        return SLIEvidence()
    chosen = _matcher(names.SLO, slos)
    no_burn = quoted(f"{names.ALERT_NO_DATA}|{names.ALERT_CALENDAR_ENDS}")
    page = f'{names.SEVERITY}={quoted(names.SEVERITY_PAGE)},alertstate="firing",alertname!~{no_burn}'
    paging = {each.labels.get(names.SLO, "") for each in backend.query(f"ALERTS{{{page},{chosen}}}", now)}
    figures = _figures(backend, chosen, now)
    burning = []
    for slo in slos:
        rate = min(figures.get((slo, _RATES[0]), 0.0), figures.get((slo, _RATES[1]), 0.0))
        is_fast = rate > _PAGE_SPEED and figures.get((slo, _BAD), 0.0) >= _FEWEST
        if slo in paging or is_fast:
            burning.append(BurningSLO(slo, rate or None, slo in paging))
    known = {slo for slo, name in figures if name == names.ROLLING_EVENTS}
    return SLIEvidence(tuple(burning), frozenset(known - {each.slo for each in burning}))


def _figures(backend: MetricsBackend, chosen: str, now: datetime) -> dict[tuple[str, str], float]:
    """By SLO and series: the worst of its groups and replicas."""
    pattern = "|".join((*_RATES, _BAD, names.ROLLING_EVENTS))
    bad = f"{names.EVENT}!={quoted(names.EVENT_BAD)}"
    found: dict[tuple[str, str], float] = {}
    for sample in backend.query(f"{{__name__=~{quoted(pattern)},{bad},{chosen}}}", now):
        if math.isfinite(sample.value):
            key = (sample.labels.get(names.SLO, ""), sample.labels.get("__name__", ""))
            found[key] = max(sample.value, found.get(key, sample.value))
    return found


# --- runs -------------------------------------------------------------------------------------------------------------
def checks_run(log: CheckLog, paths: Sequence[GoldenPath], now: datetime) -> dict[CheckKey, CheckEvidence]:
    """What the store knows of every journey and probe of these paths. Raises what the store raises."""
    wanted = dict.fromkeys(key for path in paths for key in path.checks)
    if not wanted:
        return {}
    latest = _latest_runs(log.latest(_RECENT, now - _HOUR))
    verdicts = {(each.check_kind, each.check): each for each in log.verdicts()}
    return {key: _evidence(latest.get(key) or _older_run(log, key, now), verdicts.get(key)) for key in wanted}


def _latest_runs(results: Iterable[CheckResult]) -> dict[CheckKey, datetime]:
    """When each check ran last; a fault of the prober is no run of the check."""
    found: dict[CheckKey, datetime] = {}
    for result in results:
        if result.outcome is not Outcome.FAULT:
            key = (result.kind, result.check)
            found[key] = max(result.started_at, found.get(key, result.started_at))
    return found


def _older_run(log: CheckLog, key: CheckKey, now: datetime) -> datetime | None:
    """A run that counts behind the newest results, or longer ago; by its hour where the run itself is forgotten."""
    hours = [hour for hour in log.hours(now - _LOOKED_BACK, now, [key[1]]) if hour.kind is key[0]]
    newest = max((hour.start for hour in hours if hour.ok + hour.failed), default=None)
    if newest is None:
        return None
    return _latest_runs(log.between(key[0], key[1], newest, newest + _HOUR)).get(key, newest)


def _evidence(at: datetime | None, verdict: Verdict | None) -> CheckEvidence:
    if verdict is None:
        return CheckEvidence(at)
    down = [region for region in verdict.regions if region.state is RegionState.DOWN]
    detail = next((region.detail for region in down if region.detail), "")
    return CheckEvidence(at, verdict.kind, verdict.since, tuple(region.region for region in down), detail)
