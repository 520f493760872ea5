"""Who is on call, and what to do: the pages of schedules and runbooks, and their JSON twins."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from alerts.runbooks.model import Runbook
from alerts.schedules.model import Schedule
from alerts.schedules.turns import turns
from alerts.schedules.views import on_call_data, on_call_view, turns_data
from flyball.web import api, pages
from flyball.web.gathering import Gathering
from flyball.web.incident_gathering import IncidentsState
from flyball.web.runbook_text import runbook_html
from flyball.web.state import ConsoleState

AHEAD: Final = timedelta(days=14)
MOST_BYTES: Final = 512 * 1024
ReadRunbook = Callable[[str], bytes]


def reading_below(root: Path) -> ReadRunbook:
    """Reads files of a workspace by their path from its root on; nothing outside of it. Raises OSError."""
    folder = root.resolve()

    def read(path: str) -> bytes:
        found = (folder / path).resolve()
        if not found.is_relative_to(folder):
            raise FileNotFoundError(path)
        with found.open("rb") as file:
            return file.read(MOST_BYTES)

    return read


def on_call_routes(
    state: ConsoleState, incidents: IncidentsState, gathering: Gathering, read: ReadRunbook
) -> list[BaseRoute]:
    """`/on-call`, `/runbooks`, `/runbooks/{name}` and `/api/v1/on-call`."""
    own = _OnCallPages(state, incidents, gathering, read)
    return [
        Route("/on-call", own.on_call),
        Route("/runbooks", own.runbooks),
        Route("/runbooks/{name}", own.runbook),
        Route("/api/v1/on-call", own.api_on_call),
    ]


class _OnCallPages:
    """The endpoints. They are plain functions, so Starlette runs them in threads."""

    def __init__(self, state: ConsoleState, incidents: IncidentsState, gathering: Gathering, read: ReadRunbook) -> None:
        self._state = state
        self._incidents = incidents
        self._gathering = gathering
        self._read = read

    def on_call(self, request: Request) -> Response:
        now = self._state.clock.now()
        schedules = [
            (on_call_view(each, now), turns(each, now, now + AHEAD)) for each in self._incidents.alerts().schedules
        ]
        values = {"scene": self._gathering.scene(), "schedules": schedules, "people": self._people(), "now": now}
        return pages.render(request, "on_call.html", values)

    def api_on_call(self, request: Request) -> Response:
        return api.answer({"schedules": [self._data(each) for each in self._incidents.alerts().schedules]})

    def runbooks(self, request: Request) -> Response:
        values = {"scene": self._gathering.scene(), "runbooks": self._incidents.alerts().runbooks}
        return pages.render(request, "runbooks.html", values)

    def runbook(self, request: Request) -> Response:
        name = request.path_params["name"]
        found = next((each for each in self._incidents.alerts().runbooks if each.name == name), None)
        if found is None:
            raise HTTPException(404, f"There is no runbook named “{name}” in the files that are applied.")
        text, failure = self._text(found)
        values = {"scene": self._gathering.scene(), "one": found, "html": runbook_html(text), "failure": failure}
        return pages.render(request, "runbook.html", values)

    def _text(self, runbook: Runbook) -> tuple[str, str]:
        if not runbook.file:
            return "", ""
        try:
            return self._read(runbook.file).decode("utf-8", "replace"), ""
        except OSError as error:
            return "", f"{runbook.file} cannot be read: {error.strerror or 'it is not there'}"

    def _people(self) -> dict[str, str]:
        return {each.name: each.display_name or each.name for each in self._incidents.alerts().receivers}

    def _data(self, schedule: Schedule) -> dict[str, api.JSON]:
        now = self._state.clock.now()
        ahead = turns_data(schedule, turns(schedule, now, now + AHEAD))
        return {**on_call_data(on_call_view(schedule, now)), "turns": ahead["turns"]}
