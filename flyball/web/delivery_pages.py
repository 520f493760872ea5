"""The pages about deliveries and their JSON twins, as routes for a Starlette application."""

import asyncio
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from controlplane.model.delivery import DeploymentOutcome
from controlplane.model.follow_up import Role
from controlplane.ports import Permanent, Transient
from exporters.dora.report.correcting import AUTOMATIC, NONE, Corrected, Wish, corrected_data
from exporters.dora.report.finding import NotFound
from exporters.dora.report.single import Dossier
from exporters.dora.report.single_views import deployments_data, dossier_data, incident_data
from exporters.dora.report.views import report_data
from flyball.web import api, delivery_words, pages
from flyball.web.delivery_charts import deployments_chart, spreads, times_chart
from flyball.web.delivery_events import EventPages, readable
from flyball.web.delivery_gathering import (
    RANGES,
    USUAL_RANGE,
    Choice,
    DeliveryGathering,
    DeliveryState,
    ServiceFile,
)
from flyball.web.delivery_rows import rhythm, row_view, row_views
from flyball.web.forms import sent_by
from flyball.web.gathering import Gathering
from flyball.web.guards import principal_of
from flyball.web.remembered import Reading
from flyball.web.state import ConsoleState

_ALL: Final = "all"
_API: Final = "/api/v1/delivery"


def delivery_routes(state: ConsoleState, deliveries: DeliveryState, gathering: Gathering) -> list[BaseRoute]:
    """`/delivery`, `/delivery/{service}`, `/delivery/deployments/{id}`, `/delivery/events`, and JSON twins.

    `/delivery/services/{service}` is the same page, for services that are called as another page is.
    """
    gathered = DeliveryGathering(state, deliveries, gathering)
    own, events = _DeliveryPages(gathered), EventPages(gathered)
    return [
        Route("/delivery", own.index),
        Route("/delivery/", own.to_index),
        Route("/delivery/events", events.index),
        Route("/delivery/events/one", events.one),
        Route("/delivery/deployments/{deployment:path}", own.deployment),
        Route("/delivery/incidents/{incident:path}", own.attribute, methods=["POST"]),
        Route("/delivery/services/{service:path}", own.service),
        Route("/delivery/{service:path}", own.service),
        Route(_API, own.api_index),
        Route(f"{_API}/events", events.api_index),
        Route(f"{_API}/events/one", events.api_one),
        Route(f"{_API}/deployments/{{deployment:path}}", own.api_deployment),
        Route(f"{_API}/incidents/{{incident:path}}", own.api_attribute, methods=["POST"]),
        Route(f"{_API}/services/{{service:path}}", own.api_service),
    ]


class _DeliveryPages:
    """The endpoints. Those that show are plain functions, so Starlette runs them in threads and slow servers block
    nobody."""

    def __init__(self, gathering: DeliveryGathering) -> None:
        self._gathering = gathering

    def index(self, request: Request) -> Response:
        policy, choice = self._gathering.policy(), self._choice(request)
        seen = self._gathering.overview(choice)
        report = seen.value.report if seen.value else None
        return pages.render(
            request,
            "deliveries.html",
            {
                "scene": self._gathering.scene(),
                "seen": seen,
                "report": report,
                "views": row_views(report, dict(policy.teams)) if report else [],
                "environments": _offered(seen.value.environments if seen.value else (), choice),
                "teams": sorted(set(policy.teams.values())),
                "choice": choice,
                "ranges": RANGES,
                "words": delivery_words,
            },
        )

    def to_index(self, request: Request) -> Response:
        return RedirectResponse(request.scope.get("root_path", "") + "/delivery", status_code=308)

    def service(self, request: Request) -> Response:
        choice = self._choice(request)
        seen, file = self._known(request, choice)
        row = file.report.rows[0] if file.report.rows else None
        principal = principal_of(request)
        weeks = row.metrics.weeks if row else ()
        return pages.render(
            request,
            "delivery.html",
            {
                "scene": self._gathering.scene(),
                "seen": seen,
                "name": request.path_params["service"],
                "file": file,
                "row": row,
                "view": row_view(row, self._gathering.policy().team(row.metrics.scope.service)) if row else None,
                "charts": [chart for chart in (deployments_chart(weeks), times_chart(weeks)) if weeks],
                "spreads": spreads(row.metrics) if row else (),
                "rhythm": rhythm(row) if row else "",
                "environments": _offered(file.environments, choice),
                "choice": choice,
                "ranges": RANGES,
                "principal": principal,
                "may_act": principal.may(Role.RESPONDER),
                "words": delivery_words,
            },
        )

    def deployment(self, request: Request) -> Response:
        seen, found = self._dossier(request)
        principal = principal_of(request)
        return pages.render(
            request,
            "deployment.html",
            {
                "scene": self._gathering.scene(),
                "seen": seen,
                "file": found,
                "fact": found.deployment,
                "window": self._gathering.policy().effects.window,
                "judged": found.judged,
                "stopped": found.deployment.outcome is DeploymentOutcome.FAILED,
                "principal": principal,
                "may_act": principal.may(Role.RESPONDER),
                "words": delivery_words,
            },
        )

    def api_index(self, request: Request) -> Response:
        seen = self._gathering.overview(self._choice(request))
        if seen.value is None:
            return api.answer({"error": seen.failure}, 503)
        return api.answer({**report_data(seen.value.report), "failure": seen.failure or None})

    def api_service(self, request: Request) -> Response:
        seen, file = self._known(request, self._choice(request))
        told = {
            **report_data(file.report),
            **deployments_data(file.judged),
            "incidents": [incident_data(each) for each in file.incidents],
        }
        return api.answer({**told, "failure": seen.failure or None})

    def api_deployment(self, request: Request) -> Response:
        seen, found = self._dossier(request)
        return api.answer({**dossier_data(found), "failure": seen.failure or None})

    async def attribute(self, request: Request) -> Response:
        """The form of a page: done, then back to its service."""
        done = await self._corrected(request)
        root = request.scope.get("root_path", "")
        where = f"{root}/delivery/services/{pages.path_part(done.incident.service)}"
        environment = pages.path_part(done.incident.environment)
        return RedirectResponse(f"{where}?environment={environment}#incidents-title", status_code=303)

    async def api_attribute(self, request: Request) -> Response:
        """The same for programs."""
        return api.answer(corrected_data(await self._corrected(request)))

    async def _corrected(self, request: Request) -> Corrected:
        principal, fields = await sent_by(request, Role.RESPONDER)
        wish = Wish(request.path_params["incident"], _target(fields), principal.name, fields.get("note", ""))
        try:
            return await asyncio.to_thread(self._gathering.correct, wish)
        except NotFound as error:
            raise HTTPException(404, str(error)) from None
        except (Transient, Permanent) as error:
            raise HTTPException(503, f"The database does not answer: {error}") from error

    def _choice(self, request: Request) -> Choice:
        """What the query says; the policy's first production environment where it says none."""
        asked, policy = request.query_params, self._gathering.policy()
        usual = policy.production[0] if policy.production else ""
        environment = readable(asked.get("environment", "")) or usual
        days = asked.get("days", "")
        return Choice(
            "" if environment == _ALL else policy.environment(environment),
            readable(asked.get("team", "")),
            int(days) if days in {str(each) for each in RANGES} else USUAL_RANGE,
        )

    def _known(self, request: Request, choice: Choice) -> tuple[Reading[ServiceFile | None], ServiceFile]:
        service = request.path_params["service"]
        seen = self._gathering.service(service, choice)
        if seen.value is None and seen.failure:
            raise HTTPException(503, f"The database does not answer: {seen.failure}")
        if seen.value is None:
            raise HTTPException(404, f"No deployment and no incident of a service “{service}” is known.")
        return seen, seen.value

    def _dossier(self, request: Request) -> tuple[Reading[Dossier | None], Dossier]:
        id_ = request.path_params["deployment"]
        seen = self._gathering.deployment(id_)
        if seen.value is None and seen.failure:
            raise HTTPException(503, f"The database does not answer: {seen.failure}")
        if seen.value is None:
            raise HTTPException(404, f"There is no deployment “{id_}”.")
        return seen, seen.value


def _target(fields: dict[str, str]) -> str:
    """What an incident is to be held against, by the form's choice and its field."""
    what, to = fields.get("what", "deployment"), fields.get("to", "").strip()
    if what in (NONE, AUTOMATIC):
        return what
    if what != "deployment" or not to:
        raise HTTPException(422, "Say `what`: deployment (and `to`, which one), none or automatic.")
    return to


def _offered(known: tuple[str, ...], choice: Choice) -> list[str]:
    """Environments to choose from, with the one that is chosen."""
    return sorted({*known, *([choice.environment] if choice.environment else [])})
