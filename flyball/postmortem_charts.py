"""What SLOs and money did during an incident, as charts: read from Prometheus, placed for the page."""

import dataclasses
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from alerts.postmortems.model import Postmortem
from controlplane import conventions as names
from controlplane import wording
from controlplane.model.alert import Alert
from controlplane.model.incident import TimelineKind
from controlplane.model.series import Series
from controlplane.ports import MetricsBackend, Permanent, Transient
from flyball.web import charts
from flyball.web.charts import Chart, Mark
from flyball.web.money_frame import Frame, MoneyChart, Stroke
from slo.status import FiringPeriod, Points, SLOHistory, quoted

MOST_SLOS: Final = 4
MOST_BUDGETS: Final = 4
_MOST_STEPS: Final = 240
_LEAST_MARGIN: Final = timedelta(minutes=30)
_MINUTE: Final = timedelta(minutes=1)
_HOURLY: Final = 12  # rolling series hold the money of five minutes
_ROOM: Final = 1.06
_MARKED: Final = {
    TimelineKind.DEPLOYMENT: "deployment",
    TimelineKind.FLAG: "flag",
    TimelineKind.TIER: "tier",
    TimelineKind.ACKNOWLEDGED: "acknowledged",
    TimelineKind.RESOLVED: "resolved",
}
_MOST_MARKS: Final = 30
_SEVERITIES: Final = (names.SEVERITY_PAGE, names.SEVERITY_TICKET)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Charts, those of SLOs first; `note` says why some are missing."""

    slos: tuple[Chart, ...] = ()
    money: tuple[MoneyChart, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Span:
    start: datetime
    end: datetime
    step: timedelta


def drawn(it: Postmortem, metrics: MetricsBackend) -> Drawn:
    """Some time before the incident to some time after; a backend that fails leaves a note instead of charts."""
    span = _span(it)
    try:
        slos = tuple(chart for name in _slos(it) for chart in _slo_charts(it, name, metrics, span))
        return Drawn(slos, tuple(_money_charts(it, metrics, span)))
    except (Transient, Permanent) as error:
        return Drawn(note=f"There are no charts: {error}")


def _span(it: Postmortem) -> _Span:
    began, end = it.moments.began, max(it.end, it.moments.began + _MINUTE)
    margin = max(_LEAST_MARGIN, (end - began) / 4)
    start, until = began - margin, min(end + margin, max(it.made_at, end))
    step = _MINUTE * max(math.ceil((until - start) / _MOST_STEPS / _MINUTE), 1)
    return _Span(start, until, step)


def _slos(it: Postmortem) -> list[str]:
    """Those that its price tag counts, then those of its alerts."""
    priced = [slo for slo, _ in it.incident.price.budget_burned] if it.incident.price else []
    found = dict.fromkeys([*priced, it.incident.labels.get(names.SLO, ""), *_labels(it.alerts, names.SLO)])
    return [name for name in found if name][:MOST_SLOS]


def _slo_charts(it: Postmortem, slo: str, metrics: MetricsBackend, span: _Span) -> list[Chart]:
    own = f"{names.SLO}={quoted(slo)}"

    def events(kind: str) -> str:
        return f'sum({names.ROLLING_EVENTS}{{{own},{names.EVENT}="{kind}"}})'

    good = f"1 - {events(names.EVENT_BAD)} / {events(names.EVENT_ALL)}"
    objective = metrics.query(f"max({names.OBJECTIVE}{{{own}}})", span.end)
    history = SLOHistory(
        start=span.start,
        end=span.end,
        step=max(span.step, 5 * _MINUTE),  # a line goes on over a scrape that failed
        budget=_course(metrics, f"min({names.BUDGET_REMAINING}{{{own}}})", span),
        sli=_course(metrics, good, span),
        firing=_firing(it, span, slo),
    )
    found = [charts.sli_chart(history, objective[0].value)] if objective else []
    found.append(charts.budget_chart(history))
    return [
        dataclasses.replace(
            each,
            title=f"{each.title.rpartition(',')[0]}: {slo}",
            marks=charts.labelled([*_marks(it, span), *each.marks]),
        )
        for each in found
    ]


def _money_charts(it: Postmortem, metrics: MetricsBackend, span: _Span) -> list[MoneyChart]:
    """Of the budgets that are concerned; where none is, of the service."""
    extra = [budget for budget, _, _ in it.incident.price.extra_spend] if it.incident.price else []
    found = dict.fromkeys([*extra, it.incident.labels.get(names.BUDGET, ""), *_labels(it.alerts, names.BUDGET)])
    charted = []
    for budget in [name for name in found if name][:MOST_BUDGETS]:
        own = f"{{{names.BUDGET}={quoted(budget)}}}"
        charted += _spend(
            it, metrics, span, f"budget {budget}", f"{names.BUDGET_ROLLING}{own}", f"{names.BUDGET_EXPECTED}{own}"
        )
    if not charted and it.incident.service:
        own = f"{{{names.SERVICE}={quoted(it.incident.service)}}}"
        charted += _spend(it, metrics, span, it.incident.service, f"{names.SPEND_ROLLING}{own}", "")
    return [dataclasses.replace(each, name=f"money-{number}") for number, each in enumerate(charted)]


def _spend(
    it: Postmortem, metrics: MetricsBackend, span: _Span, of: str, spent: str, expected: str
) -> list[MoneyChart]:
    by_currency = _by_currency(metrics, spent, span)
    pace = _by_currency(metrics, expected, span) if expected else {}
    return [
        _money_chart(it, span, of, currency, points, pace.get(currency, ())) for currency, points in by_currency.items()
    ]


def _money_chart(it: Postmortem, span: _Span, of: str, currency: str, spent: Points, expected: Points) -> MoneyChart:
    high = max([value for _, value in (*spent, *expected)], default=0.0) * _ROOM or 1.0
    frame = Frame(span.start, span.end, high)
    gap = max(span.step, 5 * _MINUTE)
    before, during = _mean(spent, span.start, it.moments.began), _mean(spent, it.moments.began, it.end)
    told = f"{wording.money(before, currency)} an hour before, {wording.money(during, currency)} during the incident."
    lines = (Stroke("pace", frame.path(expected, gap=gap)), Stroke("money", frame.path(spent, gap=gap)))
    wanted = [("", spent[-1][0], spent[-1][1], "spent")] + (
        [("pace", expected[-1][0], expected[-1][1], "expected")] if expected else []
    )
    return MoneyChart(
        name="money",
        title=f"Spent an hour: {of}",
        description=told + (" Behind it: what the pace expects." if expected else ""),
        lines=tuple(each for each in lines if each.path),
        labels=frame.spread(wanted),
        y_ticks=frame.y_ticks(currency),
        x_ticks=charts.time_ticks(span.start, span.end),
        marks=charts.labelled(_marks(it, span)),
        columns=(f"Spent an hour, {currency}", f"Expected, {currency}"),
        rows=_rows(spent, dict(expected)),
    )


def _rows(spent: Points, expected: dict[datetime, float]) -> tuple[tuple[datetime, tuple[tuple[str, str], ...]], ...]:
    def cell(value: float | None) -> tuple[str, str]:
        return wording.money(value, ""), wording.MISSING if value is None else repr(value)

    return tuple((at, (cell(value), cell(expected.get(at)))) for at, value in charts.thinned(spent))


def _marks(it: Postmortem, span: _Span) -> list[Mark]:
    """The incident as a band, and what was done meanwhile."""
    left, right = _share(it.moments.began, span), _share(it.end, span)
    told = f"{it.incident.name}: {wording.utc(it.moments.began)} to {wording.utc(it.end)}"
    found = [Mark("incident", left, max(round(right - left, 2), 0.2), "", "start", told)]
    for entry in it.timeline:
        kind = _MARKED.get(entry.kind)
        if kind is not None and span.start <= entry.at <= span.end and len(found) < _MOST_MARKS:
            text = re.sub(r"\s+", " ", entry.text)[:200]
            found.append(Mark(kind, _share(entry.at, span), 0, kind, "", f"{text}: {wording.utc(entry.at)}"))
    return found


def _firing(it: Postmortem, span: _Span, slo: str) -> tuple[FiringPeriod, ...]:
    """When alerts of an SLO fired, by severity: those that overlap are one band. Odd severities are tickets."""
    found: dict[str, list[FiringPeriod]] = {severity: [] for severity in _SEVERITIES}
    for alert in sorted(it.alerts, key=lambda each: each.starts_at):
        start, end = max(alert.starts_at, span.start), min(alert.ends_at or it.end, span.end)
        if alert.labels.get(names.SLO) != slo or start > end:
            continue
        severity = alert.labels.get(names.SEVERITY, "")
        bands = found.get(severity, found[names.SEVERITY_TICKET])
        if bands and start <= bands[-1].end:
            bands[-1] = dataclasses.replace(bands[-1], end=max(bands[-1].end, end))
        else:
            shown = severity if severity in found else names.SEVERITY_TICKET
            bands.append(FiringPeriod(alert.labels.get("alertname", ""), shown, start, end))
    return tuple(band for bands in found.values() for band in bands[:_MOST_MARKS])


def _course(metrics: MetricsBackend, expr: str, span: _Span) -> Points:
    found = metrics.query_range(expr, span.start, span.end, span.step)
    return _finite(found[0]) if found else ()


def _by_currency(metrics: MetricsBackend, selector: str, span: _Span) -> dict[str, Points]:
    expr = f"{_HOURLY} * sum by ({names.CURRENCY}) ({selector})"
    found = metrics.query_range(expr, span.start, span.end, span.step)
    courses = {each.labels.get(names.CURRENCY, ""): _finite(each) for each in found}
    return {currency: points for currency, points in sorted(courses.items()) if points}


def _finite(series: Series) -> Points:
    return tuple((at, value) for at, value in series.points if math.isfinite(value))


def _mean(points: Points, since: datetime, until: datetime) -> Decimal | None:
    """Of the values in [since, until); None without any."""
    values = [value for at, value in points if since <= at < until]
    return Decimal(repr(sum(values) / len(values))) if values else None


def _labels(alerts: Sequence[Alert], name: str) -> list[str]:
    return [alert.labels.get(name, "") for alert in alerts]


def _share(at: datetime, span: _Span) -> float:
    share = (at - span.start) / (span.end - span.start) * 100
    return round(min(max(share, 0.0), 100.0), 2)
