"""The panels of the page on which all money stands: budgets, where it goes, unit costs, and how far to trust it."""

from collections.abc import Sequence
from typing import Any, Final

from grafanalib import core

from controlplane import conventions as names
from controlplane import dashboard_uids
from controlplane.model.budget import Budget
from dashboards import palette, panels
from dashboards.layout import Band
from dashboards.money_scope import OUR_ALERTS
from dashboards.overview import column, literally
from dashboards.promql_text import quoted
from dashboards.scope import LEDGER_LOOKBACK

SHOWN: Final = 200  # rows of the table
_UID: Final = "dashboard"
_BY: Final = f"{names.BUDGET}, {names.CURRENCY}"
_PRICED: Final = f'{names.SPEND_ROLLING}{{{names.CURRENCY}="$currency"}}'
_DAY_SECONDS: Final = 86_400


def _latest(metric: str) -> str:
    return f"max by ({_BY}) (last_over_time({metric}[{LEDGER_LOOKBACK}]))"


_SHARE: Final = _latest(names.BUDGET_SPENT_RATIO)
_MIDDLE: Final = f'max by ({_BY}) ({names.BUDGET_FORECAST}{{{names.FORECAST_BOUND}="middle"}})'
_WORST: Final = f"topk({SHOWN}, {_SHARE})"


def overview_bands(budgets: Sequence[Budget], *, shared: bool) -> list[Band]:
    """Budgets first, then where the money goes, then unit costs, then what the figures rest on."""
    return [
        Band(4, _counts()),
        Band(10, (_table(budgets, shared=shared),)),
        Band(8, (_burning(), _spend_by(names.SERVICE))),
        Band(8, (_spend_by(names.RESOURCE), _spend_by(names.TENANT))),
        Band(8, (unit_cost_table(), _estimates())),
        Band(8, (_corrections(), _unpriced())),
        Band(8, (_live(), _freshness(), _faults())),
    ]


def _counts() -> tuple[core.Panel, ...]:
    def counted(title: str, description: str, expr: str, steps: Sequence[core.Threshold] = panels.QUIET) -> core.Stat:
        return panels.stat(title, description, f"count({expr}) or vector(0)", "none", thresholds=list(steps))

    def firing(severity: str) -> str:
        return f'count by ({names.BUDGET}) (ALERTS{{{OUR_ALERTS},{panels.FIRING},{names.SEVERITY}="{severity}"}})'

    low = (core.Threshold("text", 0, 0.0), core.Threshold(palette.LOW, 1, 1.0))
    return (
        counted("Budgets", "Budgets whose spending is known.", _SHARE),
        counted("Spent", "Budgets with nothing left.", f"{_SHARE} >= 1", panels.ALARM),
        counted("Ahead of pace", "Budgets of which more was spent than the pace expects by now.",
                f"{_SHARE} > on ({_BY}) {_latest(names.BUDGET_PACE_RATIO)}", low),
        counted("Forecast over", "Budgets that are forecast to cost more than their amount.",
                f"{_MIDDLE} > on ({_BY}) {_latest(names.BUDGET_AMOUNT)}", low),
        counted("Pages", "Budgets that page now.", firing(names.SEVERITY_PAGE), panels.ALARM),
        counted("Tickets", "Budgets with a ticket now.", firing(names.SEVERITY_TICKET), low),
        counted("Silent prices", "Prices whose usage nobody measures any more: what they cost is missing from sums.",
                f'ALERTS{{alertname="{names.ALERT_COST_STALE}",{names.BUDGET}="",{panels.FIRING}}}', low),
    )  # fmt: skip


def _table(budgets: Sequence[Budget], *, shared: bool) -> core.Table:
    worst = f"and on ({_BY}) {_WORST}"
    columns = {
        "Spent": _led(budgets, shared=shared),
        "Pace": f"{_latest(names.BUDGET_PACE_RATIO)} {worst}",
        "Burn rate, 1 h": f"max by ({_BY}) ({names.budget_burn_rate('1h')}) {worst}",
        "Spent so far": f"{_latest(names.BUDGET_SPENT)} {worst}",
        "Amount": f"{_latest(names.BUDGET_AMOUNT)} {worst}",
        "Forecast": f"{_MIDDLE} {worst}",
    }
    refs = "ABCDEF"
    targets = [panels.instant(expr, ref=ref, table=True) for ref, expr in zip(refs, columns.values(), strict=True)]
    renamed = {names.BUDGET: "Budget", names.CURRENCY: "Currency"}
    renamed |= {f"Value #{ref}": name for ref, name in zip(refs, columns, strict=True)}
    order = {field: index for index, field in enumerate(renamed)}
    return core.Table(
        title="All budgets, the most spent first",
        description=f"The {SHOWN} budgets of which the largest share is spent. A name leads to the budget's dashboard.",
        targets=targets, unit="locale", overrides=_columns(),
        sortBy=[core.TableSortByField("Spent", desc=True)],
        thresholds=list(panels.QUIET),
        transformations=[
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": {"Time": True}, "includeByName": {},
                                           "indexByName": order, "renameByName": renamed}},
        ],
    )  # fmt: skip


def _columns() -> list[dict[str, Any]]:
    url = f"/d/${{__data.fields.{_UID}}}?var-budget=${{__data.fields.Budget:percentencode}}"
    steps = [{"color": palette.HEALTHY, "value": None}, {"color": palette.LOW, "value": 0.8},
             {"color": palette.SPENT, "value": 1}]  # fmt: skip
    bar = {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}
    hidden = {"viz": True, "legend": False, "tooltip": False}
    return [
        column("Budget", links=[{"title": "Dashboard", "url": url}]),
        column("Spent", unit="percentunit", min=0, max=1, thresholds={"mode": "absolute", "steps": steps},
               **{"custom.cellOptions": bar}),
        column("Pace", unit="percentunit"),
        column("Burn rate, 1 h", unit="suffix:×"),
        column(_UID, **{"custom.hideFrom": hidden, "custom.hidden": True}),
    ]  # fmt: skip


def _led(budgets: Sequence[Budget], *, shared: bool) -> str:
    """The most spent budgets, each with the uid of its dashboard; names that are no uids one by one."""
    if shared:
        return f'label_replace({_WORST}, {quoted(_UID)}, {quoted(dashboard_uids.ANY_BUDGET)}, "", "")'
    linked = f"label_replace({_WORST}, {quoted(_UID)}, {quoted('budget-$1')}, {quoted(names.BUDGET)}, {quoted('(.*)')})"
    for budget in budgets:
        uid = dashboard_uids.budget_uid(budget.name)
        if uid != f"budget-{budget.name}":
            linked = (
                f"label_replace({linked}, {quoted(_UID)}, {quoted(uid)}, {quoted(names.BUDGET)}, "
                f"{quoted(literally(budget.name))})"
            )
    return linked


def _burning() -> core.TimeSeries:
    return panels.chart(
        "Spending fastest against the pace",
        "The ten budgets that spend fastest over the last hour; at 1 a budget lasts exactly its window.",
        [panels.ranged(f"topk(10, max by ({names.BUDGET}) ({names.budget_burn_rate('1h')}))", "{{budget}}")],
        "suffix:×", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip


def _spend_by(label: str) -> core.TimeSeries:
    priced = _PRICED.replace("}", f',{label}!=""}}')
    return panels.chart(
        f"$currency an hour, by {label}",
        f"In the picked currency, over the last 5 minutes, the largest twelve at each time. What has no {label} is "
        "left out.",
        [panels.ranged(f"topk(12, 12 * sum by ({label}) ({priced}))", f"{{{{{label}}}}}")],
        "locale", colorMode="palette-classic", axisSoftMin=0, valueMin=0, fillOpacity=30, lineWidth=1,
        stacking={"group": "A", "mode": "normal"},
    )  # fmt: skip


# --- unit costs -------------------------------------------------------------------------------------------------------
def unit_cost_table() -> core.Table:
    """Every unit cost against its target."""
    by = f"{names.UNIT_COST}, {names.CURRENCY}"
    cost = f"max by ({by}) (last_over_time({names.UNIT_COST_RATIO}[{LEDGER_LOOKBACK}]))"
    target = f"max by ({by}) (last_over_time({names.UNIT_COST_TARGET}[{LEDGER_LOOKBACK}]))"
    renamed = {names.UNIT_COST: "Unit cost", names.CURRENCY: "Currency", "Value #A": "Highest", "Value #B": "Target",
               "Value #C": "Of the target"}  # fmt: skip
    steps = [{"color": palette.HEALTHY, "value": None}, {"color": palette.LOW, "value": 0.9},
             {"color": palette.SPENT, "value": 1}]  # fmt: skip
    of_target = {"unit": "percentunit", "min": 0, "max": 1.5, "thresholds": {"mode": "absolute", "steps": steps},
                 "custom.cellOptions": {"type": "color-text"}}  # fmt: skip
    url = f'/d/{dashboard_uids.UNIT_COSTS}?var-unit_cost=${{__data.fields["Unit cost"]:percentencode}}'
    return core.Table(
        title="Unit costs against their targets",
        description="Money for so many units as each unit cost says; of split ones the highest.",
        targets=[panels.instant(cost, ref="A", table=True), panels.instant(target, ref="B", table=True),
                 panels.instant(f"{cost} / on ({by}) {target}", ref="C", table=True)],
        unit="none", thresholds=list(panels.QUIET),
        overrides=[column("Of the target", **of_target),
                   column("Unit cost", links=[{"title": "Its course", "url": url}])],
        sortBy=[core.TableSortByField("Of the target", desc=True)],
        transformations=[
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": {"Time": True}, "includeByName": {},
                                           "indexByName": {key: at for at, key in enumerate(renamed)},
                                           "renameByName": renamed}},
        ],
    )  # fmt: skip


def unit_cost_course() -> core.TimeSeries:
    """One unit cost over time, by what it is split by, against its target."""
    picked = f'{{{names.UNIT_COST}="$unit_cost"}}'
    return panels.chart(
        "Cost of a unit against the target",
        "The twelve highest at each time, by what the unit cost is split by; dashed: what it may cost.",
        [panels.ranged(f"topk(12, {names.UNIT_COST_RATIO}{picked})", "__auto"),
         panels.ranged(f"max by ({names.UNIT_COST}) ({names.UNIT_COST_TARGET}{picked})", "target", ref="B")],
        "none", colorMode="palette-classic", axisSoftMin=0,
        overrides=[panels.coloured("target", palette.SPENT, dashed=True)],
    )  # fmt: skip


# --- what the figures rest on -----------------------------------------------------------------------------------------
def _estimates() -> core.TimeSeries:
    before, after = (
        f'12 * sum({it}{{{names.CURRENCY}="$currency"}})' for it in (names.ESTIMATE_ROLLING, names.SPEND_ROLLING)
    )
    return panels.chart(
        "$currency an hour, estimated and corrected by the bill",
        "Money an hour in the picked currency: usage × price, and the same times billed ÷ estimated.",
        [panels.ranged(before, "estimated"), panels.ranged(after, "as billed", ref="B")], "locale",
        axisSoftMin=0,
        overrides=[panels.coloured("estimated", palette.UNKNOWN, dashed=True),
                   panels.coloured("as billed", palette.HEALTHY)],
    )  # fmt: skip


def _corrections() -> core.TimeSeries:
    ratio = f'max by ({names.SERVICE}) ({names.CORRECTION_RATIO}{{{names.CURRENCY}="$currency"}})'
    return panels.chart(
        "Billed ÷ estimated",
        "How much the bill differs from the estimate, by service: 1 is exact, above 1 the estimate is too low.",
        [panels.ranged(ratio, "{{service}}")], "suffix:×", colorMode="palette-classic",
    )  # fmt: skip


def _unpriced() -> core.TimeSeries:
    usage = f"topk(12, sum by ({names.PRICE}, {names.RESOURCE}, model) ({names.UNPRICED_USAGE}))"
    return panels.chart(
        "Usage without a price",
        "Units of the last 5 minutes for which no price is known: they are in no sum above.",
        [panels.ranged(usage, "{{price}} {{resource}} {{model}}")], "locale", colorMode="palette-classic",
        axisSoftMin=0,
    )  # fmt: skip


def _live() -> core.TimeSeries:
    age = f"time() - max by ({names.PRICE}) ({names.USAGE_AT})"
    return panels.chart(
        "How old live usage is",
        "Time since the usage behind a price was last measured; after 10 minutes somebody is told.",
        [panels.ranged(age, "{{price}}")], "s", colorMode="palette-classic", axisSoftMin=0, axisSoftMax=600,
    )  # fmt: skip


def _freshness() -> core.TimeSeries:
    age = f"time() - max by (source) ({names.BILLED_UNTIL})"
    return panels.chart(
        "How old the bills are",
        "Time since the end of the latest charge period that a source has delivered.",
        [panels.ranged(age, "{{source}}")], "s", colorMode="palette-classic", axisSoftMin=0,
        axisSoftMax=2 * _DAY_SECONDS,
    )  # fmt: skip


def _faults() -> core.TimeSeries:
    faults = f"topk(12, sum by (source, fault) ({names.BILLED_FAULTS}))"
    return panels.chart(
        "Faulty values in bills",
        "Faults of the latest import of each source, by kind; good rows beside them count.",
        [panels.ranged(faults, "{{source}}: {{fault}}")], "none", colorMode="palette-classic", axisSoftMin=0,
    )  # fmt: skip
