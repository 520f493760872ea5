"""The pages about checks from outside and their JSON twins, as routes for a Starlette application."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from controlplane.model.check import CheckKind, CheckResult, Outcome
from flyball.web import api, check_api, check_charts, pages
from flyball.web.check_gathering import CheckGathering
from flyball.web.check_state import ChecksState
from flyball.web.gathering import Gathering
from flyball.web.state import ConsoleState
from synthetics import check_history
from synthetics.grid import Grid, Row

ROWS_PER_PAGE: Final = 100
_KINDS: Final[Mapping[str, CheckKind]] = {kind.value: kind for kind in (CheckKind.PROBE, CheckKind.JOURNEY)}


def check_routes(state: ConsoleState, checks: ChecksState, gathering: Gathering) -> list[BaseRoute]:
    """`/checks`, `/checks/{kind}/{name}`, `/api/v1/checks` and `/api/v1/checks/{name}`."""
    own = _CheckPages(CheckGathering(state, checks, gathering), checks)
    return [
        Route("/checks", own.index),
        Route("/checks/", own.to_index),
        Route("/checks/{kind}/{name:path}", own.check),
        Route("/api/v1/checks", own.api_checks),
        Route("/api/v1/checks/{name:path}", own.api_check),
    ]


class _CheckPages:
    """The endpoints. They are plain functions, so Starlette runs them in threads and slow servers block nobody."""

    def __init__(self, gathering: CheckGathering, checks: ChecksState) -> None:
        self._gathering = gathering
        self._checks = checks

    def index(self, request: Request) -> Response:
        scene = self._gathering.scene()
        grid, seen = self._gathering.grid(scene.now)
        rows = grid.rows
        count = max(math.ceil(len(rows) / ROWS_PER_PAGE), 1)
        page = pages.page_number(request.query_params.get("page", "1"), count)
        shown = rows[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE]
        return pages.render(
            request,
            "checks.html",
            {
                "scene": scene,
                "grid": grid,
                "seen": seen,
                "groups": _groups(shown),
                "summary": summary(grid),
                "total": len(rows),
                "page": page,
                "pages": count,
                "run_bars": check_charts.run_bars,
                "seconds": check_charts.seconds,
            },
        )

    def to_index(self, request: Request) -> Response:
        return RedirectResponse(request.scope.get("root_path", "") + "/checks", status_code=308)

    def check(self, request: Request) -> Response:
        scene = self._gathering.scene()
        grid, seen = self._gathering.grid(scene.now)
        row = _named(grid, request.path_params["name"], _KINDS.get(request.path_params["kind"]))
        past = self._gathering.past(row.check, _regions(row))
        results = past.value.results if past.value else ()
        courses = check_history.courses(_of_interest(row, results), _regions(row))
        return pages.render(
            request,
            "check.html",
            {
                "scene": scene,
                "grid": grid,
                "seen": seen,
                "row": row,
                "past": past,
                "courses": courses,
                "parts_names": check_charts.names_of_parts(courses),
                "failures": check_history.failures(results),
                "certificate": _certificate(row),
                "strips": [check_charts.strip(it) for it in past.value.strips] if past.value else [],
                "days": check_charts.day_ticks(past.value.strips) if past.value else (),
                "users": self._checks.users(row.check.kind, row.check.name),
                "run_bars": check_charts.run_bars,
                "seconds": check_charts.seconds,
                "places": check_charts.places,
                "failed_outcome": Outcome.FAILED,
            },
        )

    def api_checks(self, request: Request) -> Response:
        now = self._gathering.scene().now
        grid, seen = self._gathering.grid(now)
        count = max(math.ceil(len(grid.rows) / ROWS_PER_PAGE), 1)
        page = pages.page_number(request.query_params.get("page", "1"), count)
        shown = grid.rows[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE]
        paging = {"total": len(grid.rows), "page": page, "pages": count}
        regions = [check_api.region(it) for it in grid.regions]
        told = {"checks": [check_api.check(row) for row in shown], "regions": regions}
        return api.answer({**told, **paging, **check_api.freshness(seen)})

    def api_check(self, request: Request) -> Response:
        now = self._gathering.scene().now
        grid, seen = self._gathering.grid(now)
        asked = request.query_params.get("kind", "")
        row = _named(grid, request.path_params["name"], _KINDS.get(asked), any_kind=not asked)
        past = self._gathering.past(row.check, _regions(row))
        users = [
            {"what": it.what, "title": it.title} for it in self._checks.users(row.check.kind, row.check.name)
        ]  # fmt: skip
        known = {**check_api.check(row), **check_api.past(past), "used_by": users}
        return api.answer({**known, **check_api.freshness(seen)})


def summary(grid: Grid) -> str:
    """How the whole stands, in a sentence; empty when nothing is declared."""
    rows = grid.rows
    if not rows:
        return ""
    parts = []
    for kind, one, many in (
        ("global", "is down everywhere", "are down everywhere"),
        ("regional", "fails in a region", "fail in a region"),
        ("flapping", "flaps", "flap"),
        ("unknown", "is not known", "are not known"),
        ("pending", "was not run yet", "were not run yet"),
    ):
        count = sum(row.kind == kind for row in rows)
        parts += [f"{count} {one if count == 1 else many}"] if count else []
    well = sum(row.kind == "up" for row in rows)
    if not parts:
        return f"All {well} checks are up." if well > 1 else "The one check is up."
    return f"{', '.join([*parts, f'{well} up'] if well else parts)}."


def _groups(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """With a heading for each kind."""
    titles = (("Probes", CheckKind.PROBE), ("Journeys", CheckKind.JOURNEY))
    found = [(title, [row for row in rows if row.check.kind is kind]) for title, kind in titles]
    return [(title, of_kind) for title, of_kind in found if of_kind]


def _named(grid: Grid, name: str, kind: CheckKind | None, *, any_kind: bool = False) -> Row:
    kinds = tuple(_KINDS.values()) if any_kind else (kind,) if kind else ()
    for each in kinds:
        if row := grid.row(each, name):
            return row
    raise HTTPException(404, f"There is no check named “{name}” in the files that are applied.")


def _regions(row: Row) -> tuple[str, ...]:
    return tuple(cell.region for cell in row.cells if cell.state is not None)


def _of_interest(row: Row, results: Sequence[CheckResult]) -> list[CheckResult]:
    """What may hold the latest run of a region: those that are known anyway, and those that were read."""
    return [*results, *(cell.latest for cell in row.cells if cell.latest)]


def _certificate(row: Row) -> datetime | None:
    ends = [check_history.certificate_ends_at(cell.latest) for cell in row.cells if cell.latest]
    return min((it for it in ends if it), default=None)
