"""The pages about downshift ladders and their JSON twins, as routes for a Starlette application."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from finops.ladder.explanation import Explanation, explained
from finops.ladder.explanation_views import explain_data
from finops.ladder.lines import number, reading_in_words, tier_in_words
from finops.ladder.savings.believing import saves_nothing
from finops.ladder.standing import Standing
from finops.ladder.views import standing_data, step_data
from flyball.web import api, pages
from flyball.web.gathering import Gathering
from flyball.web.ladder_gathering import LadderGathering, LadderPast, LaddersState
from flyball.web.ladder_strip import stretches
from flyball.web.remembered import Reading
from flyball.web.state import ConsoleState

_STEPS_SHOWN: Final = 50


def ladder_routes(state: ConsoleState, ladders: LaddersState, gathering: Gathering) -> list[BaseRoute]:
    """`/ladders`, `/ladders/{name}`, `/api/v1/ladders` and `/api/v1/ladders/{name}`."""
    own = _LadderPages(LadderGathering(state, ladders, gathering))
    return [
        Route("/ladders", own.index),
        Route("/ladders/", own.to_index),
        Route("/ladders/{name:path}", own.ladder),
        Route("/api/v1/ladders", own.api_ladders),
        Route("/api/v1/ladders/{name:path}", own.api_ladder),
    ]


class _LadderPages:
    """The endpoints. They are plain functions, so Starlette runs them in threads and slow servers block nobody."""

    def __init__(self, gathering: LadderGathering) -> None:
        self._gathering = gathering

    def index(self, request: Request) -> Response:
        seen = self._gathering.all()
        values = {"scene": self._gathering.scene(), "seen": seen, "stopped": self._gathering.why_stopped()}
        return pages.render(request, "ladders.html", {**values, **_WORDS, "summary": summary(seen.value or ())})

    def to_index(self, request: Request) -> Response:
        return RedirectResponse(request.scope.get("root_path", "") + "/ladders", status_code=308)

    def ladder(self, request: Request) -> Response:
        scene, seen, past = self._gathering.scene(), *self._known(request)
        one = past.standing
        top = one.ladder.top if one.ladder else one.tier
        return pages.render(
            request,
            "ladder.html",
            {
                "scene": scene,
                "seen": seen,
                "stopped": self._gathering.why_stopped(),
                "one": one,
                "told": explained(one),
                "steps": past.steps[:_STEPS_SHOWN],
                "strip": stretches(past.steps, one.tier, top, past.start, past.end),
                "past": past,
                **_WORDS,
            },
        )

    def api_ladders(self, request: Request) -> Response:
        seen = self._gathering.all()
        told = [standing_data(one) for one in seen.value or ()]
        answer = {"kill_switch": self._gathering.why_stopped() or None, "ladders": told, **_freshness(seen)}
        return api.answer(answer, 503 if seen.value is None else 200)

    def api_ladder(self, request: Request) -> Response:
        seen, past = self._known(request)
        steps = [step_data(step) for step in past.steps]
        stopped = {"kill_switch": self._gathering.why_stopped() or None}
        return api.answer({**explain_data(explained(past.standing)), "steps": steps, **stopped, **_freshness(seen)})

    def _known(self, request: Request) -> tuple[Reading[LadderPast], LadderPast]:
        """One that is declared, or that has left something behind."""
        name = request.path_params["name"]
        seen = self._gathering.past(name)
        if seen.value is None:
            raise HTTPException(503, f"The database does not answer: {seen.failure}")
        one = seen.value.standing
        if one.ladder is None and one.state is None and not seen.value.steps:
            raise HTTPException(404, f"There is no ladder named “{name}” in the files that are applied.")
        return seen, seen.value


def summary(standings: Sequence[Standing]) -> str:
    """How the whole stands, in a sentence; empty when nothing is declared."""
    if not standings:
        return ""
    reduced = [one for one in standings if one.tier]
    if not reduced:
        return "Full service: no tier is in force."
    return "; ".join(f"{one.name} is at {tier_in_words(one.ladder, one.tier)}" for one in reduced) + "."


def why(told: Explanation) -> list[str]:
    """The sentences of the last decision."""
    last = told.standing.last
    moved = [last.move.reason] if last and last.move else []
    return list(dict.fromkeys([*moved, *(note.text for note in (last.notes if last else ()))]))


def _freshness(seen: Reading[LadderPast] | Reading[tuple[Standing, ...]]) -> dict[str, api.JSON]:
    return {"read_at": _time(seen.taken_at), "failure": seen.failure or None}


def _time(at: datetime | None) -> str | None:
    return pages.iso(at) if at else None


def _flag(value: object) -> str:
    return "unset" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


_WORDS: Final = {
    "tier_in_words": tier_in_words,
    "reading_in_words": reading_in_words,
    "number": number,
    "why": why,
    "flag": _flag,
    "saves_nothing": saves_nothing,
}
