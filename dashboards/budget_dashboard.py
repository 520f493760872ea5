"""Dashboards for money: an overview, unit costs, and one for each budget or, above a number of them, a shared one."""

import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from grafanalib import core

from controlplane import conventions as names
from controlplane import dashboard_uids
from controlplane.model.budget import Budget
from dashboards import money_panels, palette, panels
from dashboards.deployments import deployments_mark
from dashboards.frame import (
    DashboardFile,
    DashboardOptions,
    common,
    datasource_of,
    datasource_variable,
    link,
    mark,
    reduced_mark,
    variable,
)
from dashboards.grafana_json import dashboard_text
from dashboards.layout import Band, placed
from dashboards.money_overview import overview_bands, unit_cost_course, unit_cost_table
from dashboards.money_scope import OUR_ALERTS, MoneyScope, any_scope, scope_of
from dashboards.promql_text import inert_text, inert_url

TAGS: Final = ("flyball", "money")


def money_dashboards(budgets: Sequence[Budget], options: DashboardOptions) -> tuple[DashboardFile, ...]:
    """Every dashboard for these budgets, the overview first; the same budgets in any order give the same bytes.

    Above `options.shared_above` budgets they share one dashboard with a variable. No budgets leave the overview and
    unit costs: prices may be there without.
    """
    ordered = sorted(budgets, key=lambda budget: budget.name)
    shared = len(ordered) > options.shared_above
    drawn = {"money.json": _overview(ordered, options, shared=shared), "unit-costs.json": _unit_costs(options)}
    if shared:
        drawn["budget-shared.json"] = _any(options)
    else:
        drawn |= {_file_name(budget): _detail(budget, options) for budget in ordered}
    return tuple(DashboardFile(name, dashboard_text(it, datasource_of(options))) for name, it in drawn.items())


def _file_name(budget: Budget) -> str:
    plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", budget.name)
    return f"budget-{budget.name}.json" if plain else f"{dashboard_uids.budget_uid(budget.name)}.json"


def _overview(budgets: Sequence[Budget], options: DashboardOptions, *, shared: bool) -> core.Dashboard:
    return core.Dashboard(
        title="Money: budgets, unit costs, bills",
        uid=dashboard_uids.MONEY,
        description="Every budget of money, the most spent first; where the money goes; how far to trust the figures.",
        links=_links(options, "/money", home=False),
        panels=placed(overview_bands(budgets, shared=shared)),
        templating=core.Templating(list=[*datasource_variable(options), _currency()]),
        **common(TAGS),
    )


def _unit_costs(options: DashboardOptions) -> core.Dashboard:
    picked = variable(
        names.UNIT_COST, "Unit cost", f"label_values({names.UNIT_COST_RATIO}{{}}, {names.UNIT_COST})"
    )  # fmt: skip
    return core.Dashboard(
        title="Unit costs",
        uid=dashboard_uids.UNIT_COSTS,
        description="What a unit of work costs, against what it may cost.",
        links=_links(options, "/money/unit-costs/${unit_cost:percentencode}"),
        panels=placed([Band(12, (unit_cost_course(),)), Band(10, (unit_cost_table(),))]),
        templating=core.Templating(list=[*datasource_variable(options), picked]),
        **common(TAGS),
    )


def _detail(budget: Budget, options: DashboardOptions) -> core.Dashboard:
    scope = scope_of(budget)
    return core.Dashboard(
        title=inert_text(f"Budget: {budget.display_name or budget.name}"),
        uid=dashboard_uids.budget_uid(budget.name),
        description=inert_text(budget.description),
        links=[*_links(options, f"/money/{quote(budget.name, safe='')}"), *_runbook(budget)],
        panels=placed(_bands(scope)),
        templating=core.Templating(list=datasource_variable(options)),
        annotations=core.Annotations(list=_marks(scope, _services(budget))),
        **common(TAGS),
    )


def _any(options: DashboardOptions) -> core.Dashboard:
    known = f"{names.BUDGET_INFO}{{}}"
    return core.Dashboard(
        title="Budget",
        uid=dashboard_uids.ANY_BUDGET,
        description="One budget of money: pick it above. Where the money goes is told of the whole currency.",
        links=_links(options, "/money/${budget:percentencode}"),
        panels=placed(_bands(any_scope())),
        templating=core.Templating(
            list=[
                *datasource_variable(options),
                variable(names.BUDGET, "Budget", f"label_values({known}, {names.BUDGET})"),
                variable(names.CURRENCY, "Currency",
                         f'label_values({names.BUDGET_INFO}{{{names.BUDGET}="$budget"}}, {names.CURRENCY})'),
            ]
        ),
        annotations=core.Annotations(list=_marks(any_scope(), ())),
        **common(TAGS),
    )  # fmt: skip


def _bands(scope: MoneyScope) -> list[Band]:
    """From the answer at the top to the evidence at the bottom."""
    return [
        Band(4, money_panels.figures(scope)),
        Band(4, (money_panels.bars(scope),)),
        Band(9, (money_panels.course(scope), money_panels.hourly(scope))),
        Band(8, tuple(money_panels.burn_rates(scope, each) for each in (names.SEVERITY_PAGE, names.SEVERITY_TICKET))),
        Band(8, (money_panels.spend_by(scope, names.SERVICE, "Where it goes: services"),)),
        Band(8, (money_panels.spend_by(scope, names.RESOURCE, "Where it goes: resources"),
                 money_panels.spend_by(scope, names.TENANT, "Where it goes: tenants"))),
        Band(6, (money_panels.alert_table(scope), money_panels.forecast_quality(scope)), (8, 16)),
    ]  # fmt: skip


def _currency() -> core.Template:
    return variable(names.CURRENCY, "Currency", f"label_values({names.SPEND_ROLLING}{{}}, {names.CURRENCY})")


def _links(options: DashboardOptions, console_path: str, *, home: bool = True) -> list[core.DashboardLink]:
    links = []
    if home:
        links.append(link("Money", f"/d/{dashboard_uids.MONEY}", "dashboard", tooltip="All budgets"))
    links.append(
        link(
            "All SLOs",
            f"/d/{dashboard_uids.OVERVIEW}",
            "dashboard",
            tooltip="Every SLO, the least left first",
        )
    )
    if options.external_url:
        console = inert_url(options.external_url.rstrip("/")) + console_path
        links.append(link("Console", console, "external link", tooltip="The same in Flyball's console"))
    return links


def _runbook(budget: Budget) -> list[core.DashboardLink]:
    if not budget.runbook_url:
        return []
    return [link("Runbook", inert_url(budget.runbook_url), "doc", tooltip="What to do when this burns")]


def _services(budget: Budget) -> tuple[str, ...]:
    return next((values for label, values in budget.scope if label == names.SERVICE), ())


def _marks(scope: MoneyScope, services: Sequence[str]) -> list[dict[str, Any]]:
    """Deployments of what the budget pays for, and its alerts, drawn across every chart."""
    firing = f"max by ({names.SEVERITY}) ({scope.series('ALERTS', OUR_ALERTS, panels.FIRING)})"
    return [
        deployments_mark(money_panels.new_versions(services), *money_panels.of_services(services)),
        mark("Alerts", firing, palette.SPENT, "{{severity}} fires", names.SEVERITY),
        reduced_mark(),
    ]  # fmt: skip
