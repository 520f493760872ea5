"""A replay as one HTML file that needs nothing else: no script, no font, no picture from anywhere."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from markupsafe import Markup

from controlplane import conventions as names
from controlplane import wording
from controlplane.burn_rate import Urgency
from flyball.web.charts import Chart, Mark, budget_chart
from flyball.web.pages import STATIC, environment
from slo.replay import sentences
from slo.replay.incidents import Incident
from slo.replay.outcome import Outcome
from slo.replay.run import Replay, ReplayedBudget
from slo.status import FiringPeriod, SLOHistory

_SEVERITIES: Final = {Urgency.PAGE: names.SEVERITY_PAGE, Urgency.TICKET: names.SEVERITY_TICKET}
_SHEETS: Final = ("tokens.css", "console.css", "replay.css")


@dataclass(frozen=True, slots=True)
class BudgetView:
    """One budget as the page shows it. `standing` colours its bar: ok, low, spent or no_data."""

    budget: ReplayedBudget
    name: str
    title: str
    definition: str
    lines: tuple[str, ...]
    chart: Chart
    standing: str

    @property
    def outcome(self) -> Outcome:
        """What the proposed definition would have done."""
        return self.budget.proposed


def as_html(replay: Replay, prometheus_url: str) -> str:
    """The page. Everything that users wrote is escaped; colours follow the reader's scheme, or the switch."""
    told = [found.incident for found in replay.verdict.told] if replay.verdict else []
    views = [_view(budget, replay, told) for budget in replay.budgets]
    return environment().get_template("replay.html").render(
        {
            "replay": replay,
            "views": views,
            "sheets": [Markup((STATIC / name).read_text()) for name in _SHEETS],  # noqa: S704 -- our own files
            "prometheus": prometheus_url,
            "length": wording.duration(replay.until - replay.since),
            "has_current": any(budget.current for budget in replay.budgets),
            "page": Urgency.PAGE,
            "ticket": Urgency.TICKET,
            "say": sentences,
            "verdicts": [
                (title, verdict)
                for title, verdict in (("Proposed", replay.verdict), ("Before this change", replay.current_verdict))
                if verdict is not None
            ],
        }
    )  # fmt: skip


def _view(budget: ReplayedBudget, replay: Replay, incidents: Sequence[Incident]) -> BudgetView:
    outcome = budget.proposed
    slo = outcome.slo
    return BudgetView(
        budget=budget,
        name=budget.name,
        title=slo.display_name or budget.name,
        definition=sentences.definition(slo),
        lines=tuple(line for line in _lines(budget) if line),
        chart=_chart(outcome, replay, [each for each in incidents if each.concerns(slo.name, slo.service)]),
        standing=_standing(outcome.remaining),
    )


def _lines(budget: ReplayedBudget) -> Iterator[str]:
    outcome = budget.proposed
    yield sentences.budget(outcome)
    yield sentences.coverage(outcome)
    yield sentences.gaps(outcome)
    yield sentences.muted(outcome)
    if budget.current:
        yield sentences.compared(outcome, budget.current)


def _standing(remaining: float | None) -> str:
    if remaining is None:
        return "no_data"
    return "spent" if remaining <= 0 else "low" if remaining < 0.25 else "ok"


def _chart(outcome: Outcome, replay: Replay, incidents: Sequence[Incident]) -> Chart:
    points = outcome.course
    step = (points[1].at - points[0].at) if len(points) > 1 else timedelta(minutes=5)
    history = SLOHistory(
        start=replay.since,
        end=replay.until,
        step=2 * step,  # points are the lowest of their step, so up to two steps apart
        budget=tuple((point.at, point.remaining) for point in points if point.remaining is not None),
        firing=tuple(
            FiringPeriod(names.ALERT_BURN, _SEVERITIES[told.urgency], told.start, told.end)
            for told in outcome.notifications
        ),
    )
    chart = budget_chart(history)
    marks = [*(_incident_mark(incident, replay) for incident in incidents), *chart.marks]
    return dataclasses.replace(chart, marks=tuple(marks))


def _incident_mark(incident: Incident, replay: Replay) -> Mark:
    span = replay.until - replay.since
    left = min(max((incident.start - replay.since) / span, 0.0), 1.0) * 100
    right = min(max((incident.end - replay.since) / span, 0.0), 1.0) * 100
    named = incident.name or "incident"
    told = f"{named}: {wording.utc(incident.start)} to {wording.utc(incident.end)}"
    return Mark("incident", round(left, 2), max(round(right - left, 2), 0.2), "", "start", told)
