"""The console's numbers as JSON: exact, with null where there is no data."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from starlette.responses import JSONResponse

from controlplane import conventions as names
from controlplane.model.alert import AlertStatus, StoredAlert
from flyball.web import pages
from flyball.web.gathering import PastOfSLO, Scene
from flyball.web.remembered import Reading
from slo.status import Points
from slo.views import SLORow, spent_in_last_hour, time_left

JSON = None | bool | int | float | str | Sequence["JSON"] | Mapping[str, "JSON"]  # with floats, unlike the event log's


def answer(body: Mapping[str, JSON], status: int = 200) -> JSONResponse:
    """A JSON response that nobody keeps."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return JSONResponse(dict(body), status, headers=headers)


def freshness(scene: Scene) -> dict[str, JSON]:
    """When the numbers were measured, and why they are not fresh if they are not."""
    taken = scene.measured.taken_at
    return {"measured_at": pages.iso(taken) if taken else None, "failure": scene.measured.failure or None}


def row(it: SLORow) -> dict[str, JSON]:
    """One SLO. Ratios are of 1, the objective is a decimal string, durations are in seconds."""
    slo, measured, gone = it.slo, it.measured, time_left(it.slo, it.measured)
    outlook = it.bar.forecast if it.bar else None
    return {
        "name": slo.name,
        "title": it.title,
        "service": slo.service,
        "owner": slo.owner or None,
        "objective": str(slo.objective),
        "window_seconds": int(slo.window.length.total_seconds()),
        "standing": it.standing.name.lower(),
        "summary": it.sentence,
        "budget_remaining_ratio": measured.budget_remaining,
        "raw_budget_remaining_ratio": measured.raw_budget_remaining,
        "window_coverage_ratio": measured.coverage,
        "seconds_to_reset": None if measured.resets_in is None else measured.resets_in.total_seconds(),
        "burn_rate_1h": measured.burn_rate_1h,
        "budget_spent_last_hour_ratio": spent_in_last_hour(measured),
        "seconds_to_exhaustion": None if gone is None else gone.total_seconds(),
        "budget_remaining_tomorrow": None
        if outlook is None
        else {"low": outlook.low, "expected": outlook.expected, "high": outlook.high},
        "firing": list(it.firing),
        "source": str(slo.source),
    }


def past(reading: Reading[PastOfSLO]) -> dict[str, JSON]:
    """Burn rates by series name, and histories as pairs of time and ratio."""
    if reading.value is None:
        return {"burn": None, "history": None}
    history = reading.value.history
    told: dict[str, JSON] = {
        "step_seconds": int(history.step.total_seconds()),
        "budget_remaining_ratio": _points(history.budget),
        "good_ratio": _points(history.sli),
    }
    return {"burn": dict(reading.value.burn), "history": told}


def alert(stored: StoredAlert, now: datetime) -> dict[str, JSON]:
    """One alert as received."""
    it = stored.alert
    return {
        "slo": it.labels.get(names.SLO),
        "severity": it.labels.get(names.SEVERITY),
        "status": it.status.value,
        "starts_at": pages.iso(it.starts_at),
        "ends_at": pages.iso(it.ends_at) if it.ends_at else None,
        "seconds": ((it.ends_at if it.ends_at and it.status is AlertStatus.RESOLVED else now) - it.starts_at)
        .total_seconds(),
        "fingerprint": it.fingerprint,
        "labels": dict(it.labels),
        "annotations": dict(it.annotations),
        "deliveries": stored.deliveries,
        "first_received_at": pages.iso(stored.first_received_at),
        "last_received_at": pages.iso(stored.last_received_at),
    }  # fmt: skip


def _points(points: Points) -> list[JSON]:
    return [[pages.iso(at), value] for at, value in points]
