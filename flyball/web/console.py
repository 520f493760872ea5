"""The web console: its pages and their JSON twins, as routes for a Starlette application."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from alerts.incidents.desk import Desk
from controlplane import conventions as names
from controlplane.model.slo import SLO
from flyball.web import api, charts, pages
from flyball.web.anomaly_pages import anomaly_routes
from flyball.web.anomaly_state import AnomaliesState, NoAnomalies
from flyball.web.check_pages import check_routes
from flyball.web.check_state import ChecksState, NoChecks
from flyball.web.delivery_gathering import DeliveryState, NoDeliveries
from flyball.web.delivery_pages import delivery_routes
from flyball.web.gathering import RECENT_ALERTS, SPARK_LENGTH, SPARK_STEP, Gathering, Scene
from flyball.web.golden_path_pages import GoldenPathState, NoGoldenPaths, golden_path_routes
from flyball.web.incident_gathering import IncidentsState, NoIncidents
from flyball.web.incident_pages import incident_routes
from flyball.web.ladder_gathering import LaddersState, NoLadders
from flyball.web.ladder_pages import ladder_routes
from flyball.web.money_pages import money_routes
from flyball.web.on_call_pages import ReadRunbook, on_call_routes
from flyball.web.slo_page import RANGES, chosen_group, slo_page
from flyball.web.snippets import told_problems
from flyball.web.state import ConsoleOptions, ConsoleState, MoneyState, NoMoney
from slo.views import SLORow, group_rows, matching

ROWS_PER_PAGE: Final = 100
_FIRING_SHOWN: Final = 20
_PROBLEMS_SHOWN: Final = 500
_LARGEST_FORM: Final = 16 * 1024
_YEAR_SECONDS: Final = 365 * 86400
_NO_OPTIONS: Final = ConsoleOptions()
_NO_MONEY: Final = NoMoney()
_NO_CHECKS: Final = NoChecks()
_NO_PATHS: Final = NoGoldenPaths()
_NO_LADDERS: Final = NoLadders()
_NO_INCIDENTS: Final = NoIncidents()
_NO_DELIVERIES: Final = NoDeliveries()
_NO_ANOMALIES: Final = NoAnomalies()


def console_routes(
    state: ConsoleState,
    options: ConsoleOptions = _NO_OPTIONS,
    money: MoneyState = _NO_MONEY,
    checks: ChecksState = _NO_CHECKS,
    golden_paths: GoldenPathState = _NO_PATHS,
    ladders: LaddersState = _NO_LADDERS,
    incidents: IncidentsState = _NO_INCIDENTS,
    desk: Desk | None = None,
    read_runbook: ReadRunbook | None = None,
    deliveries: DeliveryState = _NO_DELIVERIES,
    anomalies: AnomaliesState = _NO_ANOMALIES,
) -> list[BaseRoute]:
    """All of them: `/`, `/slos/…`, `/money/…`, `/ladders/…`, `/incidents/…`, …, `/anomalies/…`, `/api/v1/…`."""
    gathering = Gathering(state)
    console = _Console(gathering, options)
    return [
        Route("/", console.slos),
        Route("/slos", console.to_slos),
        Route("/slos/{name:path}", console.slo),
        Route("/alerts", console.alerts),
        Route("/problems", console.problems),
        Route("/theme", console.theme, methods=["POST"]),
        Route("/api/v1/slos", console.api_slos),
        Route("/api/v1/slos/{name:path}", console.api_slo),
        Route("/api/v1/alerts", console.api_alerts),
        *money_routes(state, money, options, gathering),
        *check_routes(state, checks, gathering),
        *golden_path_routes(state, golden_paths, gathering),
        *ladder_routes(state, ladders, gathering),
        *incident_routes(state, incidents, gathering, desk),
        *on_call_routes(state, incidents, gathering, read_runbook or _no_file),
        *delivery_routes(state, deliveries, gathering),
        *anomaly_routes(state, anomalies, gathering),
        Mount("/static", pages.Static(), name="static"),
    ]


def exception_handlers() -> Mapping[int | type[Exception], Callable[[Request, Exception], Response]]:
    """For `Starlette(exception_handlers=…)`: errors as pages, or as JSON below `/api/` and `/hooks/`."""
    return {HTTPException: _refused, 500: _failed}


@dataclass(frozen=True, slots=True)
class _Listing:
    """One page of the rows that a reader asked for."""

    rows: list[SLORow]
    total: int
    page: int
    pages: int
    text: str
    service: str

    @property
    def first(self) -> int:
        return (self.page - 1) * ROWS_PER_PAGE + 1


class _Console:
    """The endpoints. They are plain functions, so Starlette runs them in threads and slow servers block nobody."""

    def __init__(self, gathering: Gathering, options: ConsoleOptions) -> None:
        self._options = options
        self._gathering = gathering

    def slos(self, request: Request) -> Response:
        scene = self._gathering.scene()
        listing = _listing(request, scene)
        rows = self._gathering.with_histories(listing.rows)
        return self._page(
            request,
            "slos.html",
            scene,
            listing=listing,
            rows=[(row, _spark(row, scene)) for row in rows],
            services=sorted({slo.service for slo in scene.slos}),
            firing_shown=scene.alerts.firing[:_FIRING_SHOWN],
        )

    def to_slos(self, request: Request) -> Response:
        return RedirectResponse(request.scope.get("root_path", "") + "/", status_code=308)

    def slo(self, request: Request) -> Response:
        scene = self._gathering.scene()
        slo = _named(request, scene)
        chosen = request.query_params.get("range", "30d")
        span = RANGES.get(chosen) or RANGES["30d"]
        whole = scene.row(slo)
        row = chosen_group(whole, request.query_params)
        past = self._gathering.past(slo, span.length, span.step, dict(row.group))
        values = slo_page(row, past, scene, self._options)
        return self._page(request, "slo.html", scene, **values, ranges=RANGES, span=span, group_rows=group_rows(whole))

    def alerts(self, request: Request) -> Response:
        return self._page(request, "alerts.html", self._gathering.scene(), most=RECENT_ALERTS)

    def problems(self, request: Request) -> Response:
        scene = self._gathering.scene()
        told = told_problems(scene.problems[:_PROBLEMS_SHOWN], self._options.sources())
        return self._page(request, "problems.html", scene, told=told)

    async def theme(self, request: Request) -> Response:
        """Remember light or dark without scripts, then go back to where the reader was."""
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LARGEST_FORM:
                raise HTTPException(413, "That is too much for a choice of colours.")
        form = dict(parse_qsl(body.decode("ascii", "replace")))
        chosen, back = form.get("theme", ""), form.get("back", "")
        root = request.scope.get("root_path", "")
        local = back.isprintable() and back.startswith("/") and not back.startswith(("//", "/\\"))
        response = RedirectResponse(back if local else f"{root}/", status_code=303)
        if chosen in pages.THEMES:
            response.set_cookie(pages.THEME_COOKIE, chosen, max_age=_YEAR_SECONDS, samesite="lax", path=f"{root}/")
        return response

    def api_slos(self, request: Request) -> Response:
        scene = self._gathering.scene()
        listing = _listing(request, scene)
        found = {"slos": [api.row(row) for row in listing.rows]}
        paging = {"total": listing.total, "page": listing.page, "pages": listing.pages}
        return api.answer({**found, **paging, **api.freshness(scene)})

    def api_slo(self, request: Request) -> Response:
        scene = self._gathering.scene()
        slo = _named(request, scene)
        span = RANGES["30d"]
        row = scene.row(slo)
        chosen = chosen_group(row, request.query_params)
        past = self._gathering.past(slo, span.length, span.step, dict(chosen.group))
        groups = [{**api.row(each), "group": dict(each.group)} for each in group_rows(row)]
        return api.answer({**api.row(row), "groups": groups, **api.past(past), **api.freshness(scene)})

    def api_alerts(self, request: Request) -> Response:
        scene = self._gathering.scene()
        told = {kind: [api.alert(it, scene.now) for it in getattr(scene.alerts, kind)] for kind in ("firing", "recent")}
        return api.answer({**told, "failure": scene.alerts.failure or None}, 503 if scene.alerts.failure else 200)

    def _page(self, request: Request, template: str, scene: Scene, **values: object) -> Response:
        return pages.render(request, template, {"scene": scene, "names": names, "options": self._options, **values})


def _no_file(path: str) -> bytes:
    raise FileNotFoundError(path)


def _listing(request: Request, scene: Scene) -> _Listing:
    text, service = request.query_params.get("q", "").strip(), request.query_params.get("service", "")
    rows = matching(scene.rows(), text=text, service=service)
    count = max(math.ceil(len(rows) / ROWS_PER_PAGE), 1)
    page = pages.page_number(request.query_params.get("page", "1"), count)
    shown = rows[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE]
    return _Listing(shown, len(rows), page, count, text, service)


def _named(request: Request, scene: Scene) -> SLO:
    name = request.path_params["name"]
    for slo in scene.slos:
        if slo.name == name:
            return slo
    raise HTTPException(404, f"There is no SLO named “{name}” in the files that are applied.")


def _spark(row: SLORow, scene: Scene) -> charts.Lines | None:
    if not row.history:
        return None
    return charts.sparkline(row.history, scene.now - SPARK_LENGTH, scene.now, SPARK_STEP)


def _refused(request: Request, error: Exception) -> Response:
    status, said = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "")
    headers = error.headers if isinstance(error, HTTPException) else None
    if _wants_json(request):
        return JSONResponse({"error": said}, status, headers=headers)
    title = "Not found" if status == 404 else said if status == 405 else "That did not work"
    values = {"title": title, "status": status, "said": said if said not in ("Not Found", title) else ""}
    response = pages.render(request, "error.html", values, status)
    response.headers.update(headers or {})
    return response


def _failed(request: Request, error: Exception) -> Response:
    """Says nothing of the error itself: that is in the log."""
    if _wants_json(request):
        return JSONResponse({"error": "Flyball failed to answer; the reason is in its log."}, 500)
    values = {"title": "Something broke here", "status": 500, "said": "The reason is in Flyball’s log."}
    return pages.render(request, "error.html", values, 500)


def _wants_json(request: Request) -> bool:
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    return path.startswith(("/api/", "/hooks/", "/usage/"))
