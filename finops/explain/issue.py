"""The cost issue (MC-COST): an event that asks somebody to look, with the figures and the traces that explain it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from controlplane import conventions as names
from controlplane.model.event import JSON, Event
from finops.explain.explaining import Report
from finops.explain.model import Explanation, Mover, Trace
from finops.explain.views import trace_url

CODE: Final = "MC-COST"
MOST_MOVERS: Final = 5
ALERTS: Final = (
    names.ALERT_BUDGET_BURN,
    names.ALERT_BUDGET_SPENT,
    names.ALERT_SPEND_SPIKE,
    names.ALERT_UNIT_COST,
)
_MOST_TEXT: Final = 500


def issue_of_report(report: Report, *, now: datetime, traces_at: str = "") -> Event:
    """The issue of an explained change: the same periods, ledger and selection always make the same id.

    `traces_at` is a URL with `{trace_id}`.
    """
    asked = report.asked
    about: dict[str, JSON] = {
        "ledger": asked.ledger.value,
        "from": asked.periods.start.isoformat(),
        "to": asked.periods.end.isoformat(),
        "against": asked.periods.against_start.isoformat(),
        "by": list(asked.by),
        "where": {name: list(values) for name, values in sorted(asked.where.items())},
    }
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]
    scope = ", ".join(f"{name}={'|'.join(values)}" for name, values in sorted(asked.where.items())) or "all spend"
    return Event(
        id=f"{names.EVENT_COST_ISSUE}:explained:{digest}",
        kind=names.EVENT_COST_ISSUE,
        subject=_bounded(f"{CODE} {scope}"),
        occurred_at=now,
        data={"code": CODE, "about": about, **_figures(report, traces_at)},
    )


def issue_of_alert(fired: Event, report: Report | None = None, *, traces_at: str = "") -> Event | None:
    """The issue that a fired alert of a budget opens; None for any other alert. Each alert has one, by its id.

    Without a report it says that nothing could be explained.
    """
    labels, annotations = _texts(fired.data.get("labels")), _texts(fired.data.get("annotations"))
    alert = labels.get("alertname", fired.subject)
    if fired.kind != names.EVENT_ALERT_FIRED or alert not in ALERTS:
        return None
    budget, unit_cost = labels.get(names.BUDGET, ""), labels.get(names.UNIT_COST, "")
    about: dict[str, JSON] = {
        "alert": alert,
        "budget": budget,
        "unit_cost": unit_cost,
        "severity": labels.get(names.SEVERITY, ""),
        "currency": labels.get(names.CURRENCY, ""),
        "summary": _bounded(annotations.get(names.SUMMARY, "")),
        "runbook_url": _bounded(annotations.get(names.RUNBOOK_URL, "")),
        "fired": fired.id,
    }
    figures: Mapping[str, JSON] = _figures(report, traces_at) if report is not None else {"explained": False}
    return Event(
        id=f"{names.EVENT_COST_ISSUE}:{fired.id}",
        kind=names.EVENT_COST_ISSUE,
        subject=_bounded(f"{CODE} {budget or unit_cost or alert}"),
        occurred_at=fired.occurred_at,
        data={"code": CODE, "about": about, **figures},
    )


def _figures(report: Report, traces_at: str) -> dict[str, JSON]:
    return {
        "explained": bool(report.explanations),
        "changes": [
            {"at": each.at.isoformat(), "kind": each.kind, "subject": each.subject, "detail": each.detail}
            for each in report.changes[-MOST_MOVERS:]
        ],
        "currencies": [_currency(each, report.asked.by) for each in report.explanations],
        "traces": [_trace(each, traces_at) for each in report.traces],
    }


def _currency(found: Explanation, by: Sequence[str]) -> JSON:
    return {
        "currency": found.currency,
        "before": f"{found.before:f}",
        "after": f"{found.after:f}",
        "change": f"{found.change:f}",
        "effects": {name: f"{value:f}" for name, value in found.effects.by_name().items() if value},
        "movers": [_mover(each, by) for each in found.groups[:MOST_MOVERS] if each.change],
    }


def _mover(mover: Mover, by: Sequence[str]) -> JSON:
    return {
        "group": dict(zip(by, mover.group, strict=True)),
        "before": f"{mover.before:f}",
        "after": f"{mover.after:f}",
        "change": f"{mover.change:f}",
    }


def _trace(trace: Trace, traces_at: str) -> JSON:
    url = trace_url(traces_at, trace.trace_id)
    told: dict[str, JSON] = {"service": trace.service, "trace_id": trace.trace_id, "at": trace.at.isoformat()}
    return told | ({"url": url} if url else {})


def _texts(value: JSON) -> Mapping[str, str]:
    return {str(name): str(text) for name, text in value.items()} if isinstance(value, dict) else {}


def _bounded(text: str) -> str:
    printable = "".join(character for character in text if character.isprintable())
    return printable if len(printable) <= _MOST_TEXT else printable[: _MOST_TEXT - 1] + "…"
