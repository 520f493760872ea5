"""What IntelGraph offers beside its core flow, as JSON: analytics, the assistant, exports, new workspaces."""

from http import HTTPStatus
from typing import Final

from flyball.demo.platform.app_graph import EDGES, SEED
from flyball.demo.platform.app_http import AppRequest, AppResponse, as_json
from flyball.demo.platform.app_reduced import refused
from flyball.demo.platform.app_state import AppState

PATHS: Final = ("analytics", "assistant", "exports")
_CONTEXT_TOKENS: Final = 1_900
_ANSWER_TOKENS: Final = 270
_CONTEXT_LEFT, _ANSWER_LEFT = 0.55, 0.85  # as in `reductions`, so that money and answers say the same
_MAX_QUESTION: Final = 500


def answer_extra(state: AppState, request: AppRequest) -> AppResponse | None:
    """The answer to a request of somebody who is allowed in; None when there is nothing at its path."""
    match request.method, request.path.strip("/").split("/"):
        case "GET", ["api", "analytics", "centrality"]:
            return _centrality(request)
        case "POST", ["api", "assistant"]:
            return _assistant(state, request)
        case "GET", ["api", "exports", "graph"]:
            return as_json(HTTPStatus.OK, {"entities": [{"id": it.id, "name": it.name} for it in state.search("")]})
    return None


def sign_up(request: AppRequest, given_name: str) -> AppResponse:
    """A new workspace, or why there is none."""
    if request.reduced.new_tenants_blocked:
        return refused(HTTPStatus.SERVICE_UNAVAILABLE, "new_tenants_blocked", request.reduced)
    if not given_name.strip():
        return as_json(HTTPStatus.UNPROCESSABLE_ENTITY, {"error": "a workspace has a name"})
    return as_json(HTTPStatus.ACCEPTED, {"workspace": given_name.strip()[:120], "state": "requested"})


def _centrality(request: AppRequest) -> AppResponse:
    if request.reduced.advanced_analytics_off:
        return refused(HTTPStatus.SERVICE_UNAVAILABLE, "advanced_analytics_off", request.reduced)
    ranked = sorted(SEED.values(), key=lambda it: (-len(EDGES[it.id]), it.name))
    return as_json(HTTPStatus.OK, {"centrality": [{"id": it.id, "links": len(EDGES[it.id])} for it in ranked]})


def _assistant(state: AppState, request: AppRequest) -> AppResponse:
    reduced = request.reduced
    if reduced.expensive_services_down:
        return refused(HTTPStatus.SERVICE_UNAVAILABLE, "expensive_services_down", reduced)
    question = str((request.json() or {}).get("question", ""))[:_MAX_QUESTION]
    words = [it.name for word in question.split() for it in state.search(word.strip("?.,!"))][:5]
    found = ", ".join(dict.fromkeys(words)) or "nothing in the graph"
    context, length = (_CONTEXT_LEFT, _ANSWER_LEFT) if reduced.llm_context_reduced else (1.0, 1.0)
    tokens = {"input": round(_CONTEXT_TOKENS * context), "output": round(_ANSWER_TOKENS * length)}
    return as_json(HTTPStatus.OK, {"answer": f"I found {found}.", "tokens": tokens})
