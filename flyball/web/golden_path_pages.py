"""The page of golden paths and its JSON twin, as routes for a Starlette application."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from controlplane import check_names
from controlplane.model.event import RecordedEvent
from controlplane.ports import Permanent, Transient
from controlplane.problems import Problem, has_errors, in_order
from flyball.path_coverage import path_coverage
from flyball.web import api, pages
from flyball.web.gathering import Alerts, Gathering
from flyball.web.remembered import Reading, Remembered
from flyball.web.state import ConsoleState
from synthetics.golden_paths.coverage import Coverage, FoundGap, NotKnown, PathCoverage, State
from synthetics.golden_paths.disagreement import Disagreement, Standing, standings
from synthetics.golden_paths.drawing import BOX_HEIGHT, BOX_WIDTH, Drawing, drawing_of
from synthetics.golden_paths.graph import Look, graph_of
from synthetics.golden_paths.model import GoldenPath, RouteInventory
from synthetics.golden_paths.views import as_data, conclusion, state_words

REMEMBERED: Final = timedelta(days=430)
SHOWN_CHANGES: Final = 20
_KINDS: Final = (check_names.EVENT_PATH_DISAGREES, check_names.EVENT_PATH_AGREES)
_MEANINGS: Final[Mapping[Disagreement, str]] = {
    Disagreement.COVERAGE_HOLE: "coverage hole: its SLOs burn, and no check sees it",
    Disagreement.DNS_OR_REGION: "DNS or region: checks fail, and its SLOs are calm",
}
_CHIPS: Final[Mapping[State, str]] = {
    State.COVERED: "ok",
    State.ACCEPTED: "partial",
    State.GAPS: "ticket",
    State.UNKNOWN: "no_data",
}


class GoldenPathState(Protocol):
    """What the page needs beyond the console's state. Safe to use from several threads."""

    def golden_paths(self) -> Sequence[GoldenPath]:
        """Those that are applied: of the last good files."""
        ...

    def route_inventories(self) -> Sequence[RouteInventory]:
        """Those that are applied."""
        ...


@dataclass(frozen=True, slots=True)
class NoGoldenPaths:
    """A `GoldenPathState` without any."""

    def golden_paths(self) -> Sequence[GoldenPath]:
        """None."""
        return ()

    def route_inventories(self) -> Sequence[RouteInventory]:
        """None."""
        return ()


@dataclass(frozen=True, slots=True)
class Changes:
    """When checks and SLOs began to contradict each other, and when they ended; latest first."""

    standings: Mapping[str, Standing]
    events: tuple[RecordedEvent, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class PathRow:
    """A path as the page shows it; `standing.kind` None: checks and SLOs agree, as far as is known."""

    coverage: PathCoverage
    standing: Standing

    @property
    def chip(self) -> tuple[str, str]:
        """Shape and word of its state."""
        return _CHIPS[self.coverage.state], state_words(self.coverage)

    @property
    def meaning(self) -> str:
        """What contradicts what; empty when nothing does."""
        return _MEANINGS[self.standing.kind] if self.standing.kind else ""


@dataclass(frozen=True, slots=True)
class PathScene:
    """What the page shows: the time, what is wrong, what fires, and how fresh coverage is."""

    now: datetime
    problems: Sequence[Problem]
    alerts: Alerts
    measured: Reading[Coverage]
    changes: Changes

    @property
    def age(self) -> timedelta | None:
        """Of the coverage shown; None when there is none."""
        return None if self.measured.taken_at is None else max(self.now - self.measured.taken_at, timedelta(0))

    @property
    def broken(self) -> bool:
        """Whether the files as they stand cannot be applied."""
        return has_errors(self.problems)

    @property
    def rows(self) -> tuple[PathRow, ...]:
        """Paths that need somebody first: contradictions, gaps, what is unknown."""
        found = self.measured.value.paths if self.measured.value else ()
        rows = [PathRow(each, self.changes.standings.get(each.path.name, Standing())) for each in found]
        order = (State.GAPS, State.UNKNOWN, State.ACCEPTED, State.COVERED)
        return tuple(sorted(rows, key=lambda row: (row.standing.kind is None, order.index(row.coverage.state))))

    @property
    def gaps(self) -> tuple[FoundGap, ...]:
        """Open ones first, then those that are accepted."""
        found = self.measured.value.gaps if self.measured.value else ()
        return tuple(sorted(found, key=lambda gap: gap.accepted is not None))

    @property
    def unknown(self) -> tuple[NotKnown, ...]:
        """What could not be found out."""
        return self.measured.value.not_known if self.measured.value else ()


def golden_path_routes(state: ConsoleState, declared: GoldenPathState, gathering: Gathering) -> list[BaseRoute]:
    """`/golden-paths` and `/api/v1/golden-paths`."""
    own = _GoldenPathPages(state, declared, gathering)
    return [Route("/golden-paths", own.index), Route("/api/v1/golden-paths", own.api_index)]


class _GoldenPathPages:
    """The endpoints. They are plain functions, so Starlette runs them in threads and slow servers block nobody."""

    def __init__(self, state: ConsoleState, declared: GoldenPathState, gathering: Gathering) -> None:
        self._state = state
        self._declared = declared
        self._gathering = gathering
        self._measured: Remembered[Coverage] = Remembered(state.clock, fresh_for=timedelta(seconds=30))

    def index(self, request: Request) -> Response:
        scene = self._scene()
        found = scene.measured.value
        drawing: Drawing | None = drawing_of(graph_of(found)) if found and found.paths else None
        return pages.render(
            request,
            "golden_paths.html",
            {
                "scene": scene,
                "found": found,
                "drawing": drawing,
                "box": (BOX_WIDTH, BOX_HEIGHT),
                "calm": Look.CALM,
                "concluded": conclusion(found) if found else "",
                "disagrees": check_names.EVENT_PATH_DISAGREES,
                "chips": _CHIPS,
            },
        )

    def api_index(self, request: Request) -> Response:
        scene = self._scene()
        found = scene.measured.value
        told = {
            name: {"kind": standing.kind.value, "since": pages.iso(standing.since) if standing.since else None}
            for name, standing in scene.changes.standings.items()
            if standing.kind and found and found.of(name)
        }
        taken = scene.measured.taken_at
        freshness = {"measured_at": pages.iso(taken) if taken else None, "failure": scene.measured.failure or None}
        return api.answer({**(as_data(found) if found else {}), "disagreements": told, **freshness})

    def _scene(self) -> PathScene:
        paths, inventories = tuple(self._declared.golden_paths()), tuple(self._declared.route_inventories())
        metrics, store = self._state.metrics, self._state.store

        def ask(now: datetime) -> Coverage:
            return path_coverage(paths, inventories, now, backend=metrics, store=store)

        now = self._state.clock.now()
        return PathScene(
            now=now,
            problems=in_order(self._state.problems()),
            alerts=self._gathering.alerts(),
            measured=self._measured.get((paths, inventories), ask),
            changes=self._changes(now),
        )

    def _changes(self, now: datetime) -> Changes:
        try:
            with self._state.store.transaction(read_only=True) as transaction:
                found = transaction.events.between(now - REMEMBERED, now + timedelta(days=1), _KINDS)
        except (Transient, Permanent) as error:
            return Changes({}, failure=str(error))
        return Changes(standings(found), tuple(reversed(found[-SHOWN_CHANGES:])))
