"""The pages about incidents: who has them, what happened, what it costs; and what people do to them from there."""

import asyncio
from collections.abc import Callable
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from alerts.incidents.desk import Changed, Desk, Refused, UnknownIncident
from alerts.incidents.views import incident_data
from controlplane.model.follow_up import Role
from controlplane.model.incident import Priority
from controlplane.ports import Permanent, Transient
from flyball.web import api, incident_views, pages
from flyball.web.forms import sent_by
from flyball.web.gathering import Gathering
from flyball.web.guards import principal_of
from flyball.web.incident_gathering import IncidentFile, IncidentGathering, IncidentsState
from flyball.web.remembered import Reading
from flyball.web.state import ConsoleState

VIA: Final = "console"
_Act = Callable[[Desk, str, str, dict[str, str], IncidentGathering], Changed]


def incident_routes(
    state: ConsoleState, incidents: IncidentsState, gathering: Gathering, desk: Desk | None
) -> list[BaseRoute]:
    """`/incidents`, `/incidents/{incident}`, what is posted there, and JSON twins. Without a desk they only show."""
    own = _IncidentPages(IncidentGathering(state, incidents, gathering), desk)
    return [
        Route("/incidents", own.index),
        Route("/incidents/", own.to_index),
        Route("/incidents/{incident}", own.incident),
        Route("/incidents/{incident}/{what}", own.change, methods=["POST"]),
        Route("/api/v1/incidents", own.api_incidents),
        Route("/api/v1/incidents/{incident}", own.api_incident),
        Route("/api/v1/incidents/{incident}/{what}", own.api_change, methods=["POST"]),
    ]


class _IncidentPages:
    """The endpoints. Those that show are plain functions, so Starlette runs them in threads and slow servers block
    nobody."""

    def __init__(self, gathering: IncidentGathering, desk: Desk | None) -> None:
        self._gathering = gathering
        self._desk = desk

    def index(self, request: Request) -> Response:
        seen = self._gathering.listed()
        values = {"scene": self._gathering.scene(), "seen": seen, "now": self._gathering.now(), "words": incident_views}
        return pages.render(request, "incidents.html", values)

    def to_index(self, request: Request) -> Response:
        return RedirectResponse(request.scope.get("root_path", "") + "/incidents", status_code=308)

    def incident(self, request: Request) -> Response:
        seen, found = self._known(request)
        principal = principal_of(request)
        return pages.render(
            request,
            "incident.html",
            {
                "scene": self._gathering.scene(),
                "seen": seen,
                "file": found,
                "one": found.page.seen.incident,
                "now": self._gathering.now(),
                "principal": principal,
                "may_act": principal.may(Role.RESPONDER) and self._desk is not None,
                "priorities": [each.value for each in Priority],
                "words": incident_views,
            },
        )

    def api_incidents(self, request: Request) -> Response:
        seen = self._gathering.listed()
        if seen.value is None:
            return api.answer({"error": seen.failure}, 503)
        told = {
            "open": [incident_data(each) for each in seen.value.open],
            "ended": [incident_data(each) for each in seen.value.ended],
        }
        return api.answer({**told, "failure": seen.failure or None})

    def api_incident(self, request: Request) -> Response:
        seen, found = self._known(request)
        return api.answer({**incident_views.file_data(found), "failure": seen.failure or None})

    async def change(self, request: Request) -> Response:
        """A form of the page: done, then back to where it was sent from."""
        changed = await self._changed(request)
        root = request.scope.get("root_path", "")
        return RedirectResponse(f"{root}/incidents/{pages.path_part(changed.incident.id)}", status_code=303)

    async def api_change(self, request: Request) -> Response:
        """The same for programs."""
        changed = await self._changed(request)
        return api.answer({"changed": changed.is_new, **incident_data(changed.incident)})

    async def _changed(self, request: Request) -> Changed:
        what = request.path_params["what"]
        if what not in _ACTS or self._desk is None:
            raise HTTPException(404, f"One can {', '.join(_ACTS)} an incident, not “{what}” it.")
        principal, fields = await sent_by(request, Role.RESPONDER)
        desk, act, incident = self._desk, _ACTS[what], request.path_params["incident"]

        def do() -> Changed:
            return act(desk, incident, principal.name, fields, self._gathering)

        try:
            changed = await asyncio.to_thread(do)
        except UnknownIncident as error:
            raise HTTPException(404, str(error)) from None
        except Refused as error:
            raise HTTPException(422, str(error)) from None
        except (Transient, Permanent) as error:
            raise HTTPException(503, f"The database does not answer: {error}") from error
        self._gathering.forget()
        return changed

    def _known(self, request: Request) -> tuple[Reading[IncidentFile | None], IncidentFile]:
        asked = request.path_params["incident"]
        seen = self._gathering.file(asked)
        if seen.value is None and seen.failure:
            raise HTTPException(503, f"The database does not answer: {seen.failure}")
        if seen.value is None:
            raise HTTPException(404, f"There is no incident “{asked}”.")
        return seen, seen.value


def _acknowledge(desk: Desk, incident: str, by: str, fields: dict[str, str], it: IncidentGathering) -> Changed:
    return desk.acknowledge(incident, by=by, via=VIA, now=it.now())


def _resolve(desk: Desk, incident: str, by: str, fields: dict[str, str], it: IncidentGathering) -> Changed:
    return desk.resolve(incident, by=by, via=VIA, why=fields.get("why", ""), now=it.now())


def _note(desk: Desk, incident: str, by: str, fields: dict[str, str], it: IncidentGathering) -> Changed:
    return desk.note(incident, text=fields.get("text", ""), by=by, via=VIA, now=it.now())


def _assign(desk: Desk, incident: str, by: str, fields: dict[str, str], it: IncidentGathering) -> Changed:
    return desk.assign(incident, role=fields.get("role", ""), who=fields.get("who", ""), by=by, now=it.now())


def _rank(desk: Desk, incident: str, by: str, fields: dict[str, str], it: IncidentGathering) -> Changed:
    try:
        priority = Priority(fields.get("priority", ""))
    except ValueError:
        raise Refused("say a priority: P0, P1, P2, P3 or P4") from None
    return desk.set_priority(incident, priority=priority, by=by, why=fields.get("why", ""), now=it.now())


_ACTS: Final[dict[str, _Act]] = {
    "acknowledge": _acknowledge,
    "resolve": _resolve,
    "note": _note,
    "assign": _assign,
    "priority": _rank,
}
