"""Checks as JSON: durations are in seconds, times UTC, null where there is no data."""

from collections.abc import Mapping
from datetime import datetime

from controlplane.model.check import CheckResult
from flyball.web import pages
from flyball.web.api import JSON
from flyball.web.check_gathering import CheckPast
from flyball.web.remembered import Reading
from synthetics import check_history
from synthetics.check_history import HourOfRuns
from synthetics.grid import Cell, Observed, RegionHead, Row


def freshness(seen: Reading[Observed]) -> dict[str, JSON]:
    """When the log was read, and why that is not fresh if it is not."""
    return {"read_at": _time(seen.taken_at), "failure": seen.failure or None}


def region(head: RegionHead) -> dict[str, JSON]:
    """A region: when its prober reported last, how much it holds back, and whether it reaches its own target."""
    contact = head.contact
    return {
        "region": head.region.name,
        "title": head.region.title,
        "state": head.kind,
        "reported_at": _time(contact.reported_at) if contact else None,
        "buffered": contact.buffered if contact else None,
        "version": (contact.version or None) if contact else None,
        "self_check": _result(head.self_check),
    }


def check(row: Row) -> dict[str, JSON]:
    """One check, with what each region says."""
    it, verdict = row.check, row.verdict
    return {
        "name": it.name,
        "kind": it.kind.value,
        "title": it.title,
        "target": it.target or None,
        "interval_seconds": it.every.total_seconds(),
        "verdict": verdict.kind.value if verdict else None,
        "since": _time(verdict.since) if verdict else None,
        "flapping": verdict.flapping if verdict else False,
        "regions_needed": verdict.needed if verdict else None,
        "summary": row.sentence,
        "regions": [_cell(cell) for cell in row.cells if cell.state is not None],
        "source": it.source or None,
    }


def past(reading: Reading[CheckPast]) -> Mapping[str, JSON]:
    """Recent failures, and the hours of a week in which anything ran."""
    if reading.value is None:
        return {"failures": None, "hours": None, "past_failure": reading.failure or None}
    hours: list[JSON] = [
        _hour(strip.region, hour) for strip in reading.value.strips for hour in strip.hours if hour.runs
    ]
    failures: list[JSON] = [_result(it) for it in check_history.failures(reading.value.results)]
    return {"failures": failures, "hours": hours, "past_failure": reading.failure or None}


def _cell(cell: Cell) -> JSON:
    return {
        "region": cell.region,
        "state": cell.kind,
        "since": _time(cell.since),
        "detail": cell.detail or None,
        "latest": _result(cell.latest),
    }


def _result(result: CheckResult | None) -> JSON:
    if result is None:
        return None
    ends = check_history.certificate_ends_at(result)
    return {
        "region": result.region,
        "started_at": _time(result.started_at),
        "duration_seconds": result.duration_seconds,
        "outcome": result.outcome.value,
        "reason": result.reason or None,
        "detail": result.detail or None,
        "timings": [{"name": it.name, "seconds": it.seconds} for it in result.timings],
        "trace_id": result.trace_id or None,
        "certificate_ends_at": _time(ends),
        "confirms": result.confirms,
    }


def _hour(region: str, hour: HourOfRuns) -> JSON:
    return {"region": region, "start": _time(hour.start), "ok": hour.ok, "failed": hour.failed, "fault": hour.fault}


def _time(at: datetime | None) -> str | None:
    return pages.iso(at) if at else None
