"""A month's showback or chargeback as one HTML file that needs nothing else: no script, no font, no picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from markupsafe import Markup

from controlplane import wording
from exporters.unit_cost.texts import grouped
from finops.allocation.model import Step
from finops.allocation.showback import Shown, Statement, shown
from finops.allocation.tables import StepOutcome
from finops.allocation.words import cents, change, figure_words, period_words, step_words
from flyball.money.showback_views import UNALLOCATED, plain, signed, tie
from flyball.money.showing_back import NO_PLAN, MonthReport
from flyball.money.unit_cost_views import named
from flyball.money.unit_costs import PastUnitCost
from flyball.web.pages import STATIC, environment

_SHEETS: Final = ("tokens.css", "console.css", "replay.css", "showback.css")
_WHOLE: Final = Decimal(100)
_ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Used:
    """One step as the page shows it, with everybody's part of its weights."""

    outcome: StepOutcome
    words: str
    parts: tuple[tuple[str, Decimal, Decimal], ...]  # target, weight, per cent


@dataclass(frozen=True, slots=True)
class UnitCostRowView:
    """A unit cost of one target."""

    target: str
    value: Decimal | None
    cost: Decimal
    units: Decimal
    above: bool


@dataclass(frozen=True, slots=True)
class UnitCostView:
    """A unit cost, by target."""

    past: PastUnitCost
    title: str
    per: str
    rows: tuple[UnitCostRowView, ...]


def as_html(report: MonthReport, made_at: datetime) -> str:
    """The page. Everything that comes from bills or users is escaped; colours follow the reader's scheme."""
    it = report.showback
    plan = it.plan
    return environment().get_template("showback.html").render(
        {
            "report": report,
            "showback": it,
            "plan": plan,
            "has_plan": plan.name != NO_PLAN,
            "title": "Chargeback" if report.chargeback else "Showback",
            "month": f"{it.month:%B %Y}",
            "made_at": made_at,
            "latest": _latest(it.complete_until, it.month),
            "sheets": [Markup((STATIC / name).read_text()) for name in _SHEETS],  # noqa: S704 -- our own files
            "statements": [(each, shown(each), _used(each, report)) for each in it.statements],
            "unit_costs": [_unit_cost(each) for each in report.unit_costs if each.rows],
            "figure": figure_words(plan.figure),
            "period": period_words(plan.period),
            "unallocated": UNALLOCATED,
            "cents": cents, "change": change, "plain": plain, "signed": signed, "tie": tie, "grouped": grouped,
            "share": _share, "part_of": _part_of, "largest": _largest, "money": wording.money,
        }
    )  # fmt: skip


def _latest(until: datetime | None, month: datetime) -> datetime | None:
    """The moment up to which an unfinished month is known, None for one that is complete."""
    following = (month + 32 * _ONE_DAY).replace(day=1)
    return until if until is not None and until < following else None


def _used(statement: Statement, report: MonthReport) -> Sequence[Used]:
    plan = report.showback.plan
    steps: Mapping[str, Step] = {step.name: step for step in plan.steps}
    return [Used(each, step_words(steps[each.step], plan), tuple(_parts(each))) for each in statement.outcomes]


def _parts(outcome: StepOutcome) -> Sequence[tuple[str, Decimal, Decimal]]:
    whole = sum((weight for _, weight in outcome.weights), Decimal(0))
    if not whole:
        return []
    return [(target, weight, weight / whole * _WHOLE) for target, weight in outcome.weights if weight]


def _unit_cost(past: PastUnitCost) -> UnitCostView:
    it = past.unit_cost
    rows = (
        UnitCostRowView(
            named(past.by, row.group, "all"),
            row.value,
            row.cost,
            row.units,
            row.value is not None and it.target is not None and row.value > it.target,
        )
        for row in past.rows
    )
    return UnitCostView(past, it.display_name or it.name, f"{grouped(it.per)} {it.units.what}", tuple(rows))


def _share(amount: Decimal, whole: Decimal) -> str:
    """A part of the largest account as a length in per cent."""
    return f"{min(max(amount / whole * _WHOLE, Decimal(0)), _WHOLE):.2f}" if whole > 0 else "0"


def _part_of(amount: Decimal, whole: Decimal) -> str:
    return wording.percent(float(amount / whole)) if whole else wording.MISSING


def _largest(accounts: Sequence[Shown]) -> Decimal:
    return max((each.total for each in accounts), default=Decimal(0))
