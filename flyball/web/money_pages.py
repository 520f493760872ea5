"""The pages about money and their JSON twins, as routes for a Starlette application."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from controlplane import conventions as names
from controlplane import dashboard_uids
from controlplane.model.spend import Ledger
from finops.budgets.advice import containing
from flyball.web import api, money_api, money_charts, money_movers, pages
from flyball.web.gathering import Gathering
from flyball.web.money_daily import daily_of
from flyball.web.money_gathering import (
    CHANGES,
    EVENTS_LENGTH,
    SOURCE_EVENTS,
    MoneyGathering,
    MoneyScene,
    alerts_about,
    money_alerts,
)
from flyball.web.money_rows import BudgetRow, UnitCostRow, outlook_words, part_words
from flyball.web.money_words import event_words, explain_command
from flyball.web.slo_page import RANGES
from flyball.web.state import ConsoleOptions, ConsoleState, MoneyState
from slo.status import quoted

ROWS_PER_PAGE: Final = 100
PARTS_SHOWN: Final = 200
_MOST_OUTER: Final = 20
_FIRING_SHOWN: Final = 20
_WORDS: Final[Mapping[str, object]] = {
    "part_words": part_words,
    "outlook_words": outlook_words,
    "event_words": event_words,
}


def money_routes(
    state: ConsoleState, money: MoneyState, options: ConsoleOptions, gathering: Gathering
) -> list[BaseRoute]:  # fmt: skip
    """`/money`, `/money/sources`, `/money/unit-costs/…`, `/money/…` and `/api/v1/{budgets,unit-costs}`."""
    own = _MoneyPages(MoneyGathering(state, money, gathering), options)
    return [
        Route("/money", own.index),
        Route("/money/sources", own.sources),
        Route("/money/unit-costs/{name:path}", own.unit_cost),
        Route("/money/{name:path}", own.budget),
        Route("/budgets/{name:path}", own.to_budget),
        Route("/api/v1/budgets", own.api_budgets),
        Route("/api/v1/budgets/{name:path}", own.api_budget),
        Route("/api/v1/unit-costs", own.api_unit_costs),
    ]


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which ledger and which dimension a reader wants to see."""

    kind: Ledger
    by: str
    kinds: tuple[Ledger, ...]

    def link(self, **changes: str) -> str:
        """The query of the same page with another choice."""
        return "?" + urlencode({"ledger": self.kind.value, "by": self.by} | changes)


class _MoneyPages:
    """The endpoints. They are plain functions, so Starlette runs them in threads and slow servers block nobody."""

    def __init__(self, gathering: MoneyGathering, options: ConsoleOptions) -> None:
        self._gathering = gathering
        self._options = options

    def index(self, request: Request) -> Response:
        scene = self._gathering.scene()
        rows = scene.rows()
        count = max(math.ceil(len(rows) / ROWS_PER_PAGE), 1)
        page = pages.page_number(request.query_params.get("page", "1"), count)
        choice = self._choice(request)
        return self._page(
            request,
            "money.html",
            scene,
            firing=money_alerts(scene.alerts),
            firing_shown=_FIRING_SHOWN,
            rows=rows[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE],
            total=len(rows),
            page=page,
            pages=count,
            unit_costs=scene.unit_costs(),
            choice=choice,
            movers=self._gathering.movers(choice.kind, choice.by) if choice.kinds else None,
            dimensions=money_movers.DIMENSIONS,
        )

    def budget(self, request: Request) -> Response:
        scene = self._gathering.scene()
        row = _budget(request, scene)
        choice = self._choice(request)
        past, daily = self._gathering.history(row), self._gathering.daily(row, choice.kind)
        happened = self._gathering.happenings(row.period[0], scene.now, CHANGES)
        days = None
        if daily.value is not None:
            start = row.period[0].replace(hour=0, minute=0, second=0, microsecond=0)
            days = daily_of(
                daily.value, currency=row.budget.currency, start=start, end=row.period[1], now=scene.now
            )  # fmt: skip
        drawn = []
        if past.value:
            drawn = [
                money_charts.pace_chart(row, past.value, happened.events),
                money_charts.burn_chart(row, past.value),
            ]
        return self._page(
            request,
            "budget.html",
            scene,
            row=row,
            past=past,
            charts=drawn,
            daily=daily,
            days=days,
            daily_chart=money_charts.daily_chart(days.days, row) if days else None,
            choice=choice,
            alerts=alerts_about(scene.alerts, names.BUDGET, row.budget.name),
            happened=happened,
            within=containing(row.budget, scene.budgets)[:_MOST_OUTER],
            links=self._links(row),
            explain=explain_command(row.budget, scene.now),
        )

    def to_budget(self, request: Request) -> Response:
        root = request.scope.get("root_path", "")
        return RedirectResponse(f"{root}/money/{pages.path_part(request.path_params['name'])}", status_code=308)

    def unit_cost(self, request: Request) -> Response:
        scene = self._gathering.scene()
        row = _unit_cost(request, scene)
        span = RANGES.get(request.query_params.get("range", "7d")) or RANGES["7d"]
        past = self._gathering.course(row.name, row.currency, span.length)
        chart = (
            money_charts.unit_cost_chart(
                past.value, currency=row.currency, target=row.target, span=span.name, per=row.per
            )
            if past.value
            else None
        )
        return self._page(
            request,
            "unit_cost.html",
            scene,
            row=row,
            past=past,
            chart=chart,
            ranges=RANGES,
            span=span,
            parts_shown=row.parts[:PARTS_SHOWN],
            alerts=alerts_about(scene.alerts, names.UNIT_COST, row.name),
        )

    def sources(self, request: Request) -> Response:
        scene = self._gathering.scene()
        happened = self._gathering.happenings(
            scene.now - EVENTS_LENGTH, scene.now + timedelta(seconds=1), SOURCE_EVENTS
        )
        return self._page(request, "money_sources.html", scene, happened=happened)

    def api_budgets(self, request: Request) -> Response:
        scene = self._gathering.scene()
        rows = scene.rows()
        count = max(math.ceil(len(rows) / ROWS_PER_PAGE), 1)
        page = pages.page_number(request.query_params.get("page", "1"), count)
        shown = [money_api.budget(row) for row in rows[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE]]
        paging = {"total": len(rows), "page": page, "pages": count}
        return api.answer({"budgets": shown, **paging, **money_api.freshness(scene)})

    def api_budget(self, request: Request) -> Response:
        scene = self._gathering.scene()
        row = _budget(request, scene)
        past = self._gathering.history(row)
        return api.answer({**money_api.budget(row), **money_api.history(past), **money_api.freshness(scene)})

    def api_unit_costs(self, request: Request) -> Response:
        scene = self._gathering.scene()
        shown = [money_api.unit_cost(row) for row in scene.unit_costs()]
        return api.answer({"unit_costs": shown, **money_api.freshness(scene)})

    def _choice(self, request: Request) -> _Choice:
        kinds = self._gathering.ledger_kinds()
        asked, by = request.query_params.get("ledger", ""), request.query_params.get("by", "")
        kind = next((it for it in kinds if it.value == asked), kinds[0] if kinds else Ledger.ESTIMATED)
        return _Choice(kind, by if by in money_movers.DIMENSIONS else money_movers.DIMENSIONS[0], kinds)

    def _links(self, row: BudgetRow) -> list[tuple[str, str]]:
        """Name and address of every place outside that shows this budget; only those that a browser may be sent to."""
        name, options = row.budget.name, self._options
        selector = f"{{{names.BUDGET}={quoted(name)}}}"
        prometheus, grafana = options.prometheus_url.rstrip("/"), options.grafana_url.rstrip("/")
        graph = urlencode({"g0.expr": f"{names.BUDGET_SPENT}{selector}", "g0.tab": "0", "g0.range_input": "30d"})
        silence = urlencode({"filter": selector})
        found = (
            ("Runbook", row.budget.runbook_url),
            ("Dashboard", f"{grafana}/d/{dashboard_uids.budget_uid(name)}" if grafana else ""),
            ("Prometheus", f"{prometheus}/graph?{graph}" if prometheus else ""),
            ("Alertmanager", f"{options.alertmanager_url.rstrip('/')}/#/alerts?{silence}"),
        )
        return [(title, pages.web_link(url)) for title, url in found if pages.web_link(url)]

    def _page(self, request: Request, template: str, scene: MoneyScene, **values: object) -> Response:
        given = {"scene": scene, "names": names, "options": self._options}
        return pages.render(request, template, {**given, **_WORDS, **values})


def _budget(request: Request, scene: MoneyScene) -> BudgetRow:
    name = request.path_params["name"]
    for row in scene.rows():
        if row.budget.name == name:
            return row
    raise HTTPException(404, f"There is no budget named “{name}” in the files that are applied.")


def _unit_cost(request: Request, scene: MoneyScene) -> UnitCostRow:
    name, currency = request.path_params["name"], request.query_params.get("currency", "")
    rows = [row for row in scene.unit_costs() if row.name == name]
    if not rows:
        raise HTTPException(404, f"There is no unit cost named “{name}”, in the files or in Prometheus.")
    return next((row for row in rows if row.currency == currency), rows[0])
