"""A replay as JSON: docs/reference/replay.md describes the shape."""

import json
from datetime import datetime, timedelta
from math import isfinite

from controlplane.burn_rate import Urgency, duration
from controlplane.model.slo import CalendarWindow
from slo.replay.incidents import Score, ToldIncident, Verdict
from slo.replay.notifications import Notification
from slo.replay.outcome import BudgetPoint, Outcome
from slo.replay.run import Replay, ReplayedBudget
from slo.replay.suggestion import Suggestion, Trial

_JSON = bool | int | float | str | None | list["_JSON"] | dict[str, "_JSON"]  # figures of a report may be floats


def as_json(replay: Replay) -> str:
    """The whole of it, indented, with a newline at the end. Ratios are 0 … 1, lengths seconds, times RFC 3339 UTC."""
    document: dict[str, _JSON] = {
        "since": _time(replay.since),
        "until": _time(replay.until),
        "slos": [_budget(budget) for budget in replay.budgets],
        "incidents": _verdict(replay.verdict),
        "currentIncidents": _verdict(replay.current_verdict),
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _budget(budget: ReplayedBudget) -> _JSON:
    slo = budget.proposed.slo
    return {
        "slo": slo.name,
        "service": slo.service,
        "group": dict(budget.group),
        "proposed": _outcome(budget.proposed),
        "current": _outcome(budget.current) if budget.current else None,
        "suggestion": _suggestion(budget.suggestion) if budget.suggestion else None,
    }


def _outcome(outcome: Outcome) -> _JSON:
    slo = outcome.slo
    window = "calendar" if isinstance(slo.window, CalendarWindow) else "rolling"
    return {
        "objective": str(slo.objective),
        "window": {"kind": window, "length": duration(slo.window.length)},
        "method": slo.alerting.method.value,
        "pages": len(outcome.told(Urgency.PAGE)),
        "tickets": len(outcome.told(Urgency.TICKET)),
        "ticketsMuted": outcome.muted,
        "coverage": outcome.coverage,
        "events": outcome.every,
        "badEvents": outcome.bad,
        "budgetRemaining": outcome.remaining,
        "lowest": _point(outcome.lowest) if outcome.lowest else None,
        "alerts": [_notification(each) for each in outcome.notifications],
        "missing": [
            {
                "start": _time(gap.start),
                "end": _time(gap.end),
                "urgency": gap.urgency.value if gap.urgency else None,
            }
            for gap in outcome.gaps
        ],
        "budget": [_point(point) for point in outcome.course],
    }


def _notification(told: Notification) -> _JSON:
    return {
        "urgency": told.urgency.value,
        "start": _time(told.start),
        "end": _time(told.end),
        "stillFiring": told.still_firing,
        "tier": {
            "short": duration(told.tier.short),
            "long": duration(told.tier.long),
            "budgetShare": str(told.tier.budget_share),
        },
        "burnRate": _number(told.burn_rate),
        "budgetSpent": _number(told.spent),
        "budgetRemaining": _number(told.remaining),
        "secondsAfterBurnBegan": _seconds(told.after),
    }


def _point(point: BudgetPoint) -> _JSON:
    return {"at": _time(point.at), "remaining": point.remaining, "coverage": point.coverage}


def _suggestion(found: Suggestion) -> _JSON:
    return {
        "objective": str(found.objective) if found.objective is not None else None,
        "certainty": found.certainty.value,
        "windows": found.windows,
        "trials": [_trial(trial) for trial in found.trials],
    }


def _trial(trial: Trial) -> _JSON:
    return {
        "objective": str(trial.objective),
        "lowestRemaining": trial.worst,
        "keptByWindowsLikeThePast": trial.kept,
        "pagesIn30Days": trial.pages,
        "budgetEvents": trial.budget_events,
        "obstacles": [obstacle.name.lower() for obstacle in trial.obstacles],
    }


def _verdict(verdict: Verdict | None) -> _JSON:
    if verdict is None:
        return None
    return {
        "pages": _score(verdict.pages),
        "tickets": _score(verdict.tickets),
        "alerts": _score(verdict.alerts),
        "leftOut": verdict.left_out,
        "told": [_told(each) for each in verdict.told],
    }


def _score(score: Score) -> _JSON:
    return {
        "sent": score.sent,
        "right": score.right,
        "precision": score.precision,
        "incidents": score.incidents,
        "found": score.found,
        "recall": score.recall,
    }


def _told(each: ToldIncident) -> _JSON:
    incident = each.incident
    return {
        "name": incident.name,
        "start": _time(incident.start),
        "end": _time(incident.end),
        "slo": incident.slo,
        "service": incident.service,
        "severity": incident.urgency.value,
        "toldBy": each.by.value if each.by else None,
        "toldBySlo": each.slo,
        "secondsAfterStart": _seconds(each.after),
    }


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _seconds(length: timedelta | None) -> int | None:
    return None if length is None else round(length.total_seconds())


def _number(value: float) -> float | None:
    return value if isfinite(value) else None
