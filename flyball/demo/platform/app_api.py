"""IntelGraph's API: what its pages do, as JSON, and the reference workflows."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from flyball.demo.platform.app_extras import answer_extra, sign_up
from flyball.demo.platform.app_graph import Entity
from flyball.demo.platform.app_http import AppRequest, AppResponse, as_json
from flyball.demo.platform.app_pages import entity_problem, hops_of
from flyball.demo.platform.app_reduced import REDUCED_HEADER, TEXTS
from flyball.demo.platform.app_state import WORKFLOWS, AppState

_SLOWER_WORK: Final = 12  # what makes a request late makes a workflow so many times later
_FIELD: Final = re.compile(r"\b(search|entity|neighbours|createEntity)\s*\(([^)]*)\)")
_ARGUMENT: Final = re.compile(r'(\w+)\s*:\s*("(?:[^"\\]|\\.)*"|\$\w+|\d+)')
Arguments = Mapping[str, str]


class AppAPI:
    """Everything below `/api/`, and `/healthz`."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._fields: Final[Mapping[str, Callable[[Arguments], object]]] = {
            "search": lambda given: [_told(it) for it in state.search(given.get("text", ""))],
            "entity": self._entity,
            "neighbours": self._neighbours,
            "createEntity": self._create,
        }

    def answer(self, request: AppRequest) -> AppResponse:
        """The answer to a request whose path is ours."""
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["healthz"]:
                return as_json(HTTPStatus.OK, {"status": "ok"})
            case "POST", ["api", "sign-in"]:
                return self._sign_in(request)
            case "POST", ["api", "tenants"]:
                return sign_up(request, str((request.json() or {}).get("name", "")))
        if not self._state.is_allowed(request.bearer):
            return _refused(HTTPStatus.UNAUTHORIZED, "the bearer token is missing or wrong")
        return self._inside(request)

    def _inside(self, request: AppRequest) -> AppResponse:
        match request.method, request.path.strip("/").split("/"):
            case "POST", ["api", "graphql"]:
                return self._graphql(request)
            case "POST", ["api", "workflows", name] if name in WORKFLOWS:
                late = timedelta(seconds=request.late_seconds * _SLOWER_WORK)
                return as_json(HTTPStatus.ACCEPTED, {"id": self._state.start(name, request.now, late).id})
            case "GET", ["api", "workflows", "runs", run_id]:
                return self._run(run_id, request)
        extra = answer_extra(self._state, request)
        return extra or _refused(HTTPStatus.NOT_FOUND, f"there is nothing at {request.path}")

    def _sign_in(self, request: AppRequest) -> AppResponse:
        given = request.json() or {}
        token = self._state.sign_in(str(given.get("user", "")), str(given.get("password", "")))
        if token is None:
            return _refused(HTTPStatus.UNAUTHORIZED, "this user and password do not go together")
        return as_json(HTTPStatus.OK, {"token": token})

    def _run(self, run_id: str, request: AppRequest) -> AppResponse:
        run = self._state.run(run_id)
        if run is None:
            return _refused(HTTPStatus.NOT_FOUND, "there is no such run")
        state = "done" if request.now >= run.done_at else "running"
        return as_json(HTTPStatus.OK, {"id": run.id, "workflow": run.workflow, "state": state})

    def _graphql(self, request: AppRequest) -> AppResponse:
        """As much GraphQL as four fields need: `search`, `entity`, `neighbours`, `createEntity`, and `__typename`."""
        given = request.json()
        query = given.get("query") if given else None
        if given is None or not isinstance(query, str):
            return _refused(HTTPStatus.BAD_REQUEST, "a JSON object with a query is wanted")
        variables = given.get("variables")
        known = variables if isinstance(variables, dict) else {}
        data: dict[str, object] = {"__typename": "Query"} if "__typename" in query else {}
        try:
            for name, text in _FIELD.findall(query):
                arguments = _arguments(text, known)
                if _walks_too_far(name, arguments, request):
                    return _too_deep(request)
                data[name] = self._fields[name](arguments)
        except ValueError as error:
            return as_json(HTTPStatus.OK, {"data": None, "errors": [{"message": str(error)}]})
        if not data:
            return as_json(HTTPStatus.OK, {"errors": [{"message": "the query asks for no field that there is"}]})
        return as_json(HTTPStatus.OK, {"data": data})

    def _entity(self, given: Arguments) -> object:
        entity = self._state.entity(given.get("id", ""))
        return _told(entity) if entity else None

    def _neighbours(self, given: Arguments) -> object:
        found = self._state.neighbours(given.get("id", ""), hops_of(given.get("hops", "1")))
        return [{**_told(it.entity), "hop": it.hop} for it in found]

    def _create(self, given: Arguments) -> object:
        name, kind = given.get("name", "").strip(), given.get("kind", "")
        if wrong := entity_problem(name, kind):
            raise ValueError(wrong)
        return _told(self._state.add(name, kind))


def _arguments(text: str, variables: Mapping[str, object]) -> Arguments:
    """Raises ValueError for a string that is none, or a variable that was not given."""
    found = {}
    for name, value in _ARGUMENT.findall(text):
        if value.startswith("$"):
            if value[1:] not in variables:
                raise ValueError(f"the variable {value} was not given")
            found[name] = str(variables[value[1:]])
        else:
            found[name] = str(json.loads(value))
    return found


def _walks_too_far(field: str, given: Arguments, request: AppRequest) -> bool:
    return field == "neighbours" and hops_of(given.get("hops", "1")) > request.reduced.graph_depth_limit


def _too_deep(request: AppRequest) -> AppResponse:
    """As GraphQL says it: 200, no data, and an error that programs can tell apart."""
    limit = request.reduced.graph_depth_limit
    said = f"reduced on purpose: {TEXTS['graph-depth-limit'].format(limit=limit)}"
    told = {"message": said, "extensions": {"code": "REDUCED_ON_PURPOSE", "flag": "graph-depth-limit", "limit": limit}}
    answer = as_json(HTTPStatus.OK, {"data": None, "errors": [told]})
    return replace(answer, headers=((REDUCED_HEADER, "graph-depth-limit"),))


def _told(entity: Entity) -> dict[str, object]:
    return {"id": entity.id, "name": entity.name, "kind": entity.kind}


def _refused(status: HTTPStatus, message: str) -> AppResponse:
    return as_json(status, {"error": message})
