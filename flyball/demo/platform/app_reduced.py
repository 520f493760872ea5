"""What users of IntelGraph meet while service is reduced on purpose: clear answers, never a bare error.

P0 is the core flow: sign in, query, write, walk two hops; it works at every tier. Workflows have priority, too, until
only the essentials are left. Everything else waits its turn.
"""

from collections.abc import Mapping
from enum import Enum
from html import escape
from http import HTTPStatus
from typing import Final

from flyball.demo.platform.app_http import AppResponse, as_json
from flyball.demo.platform.platform_flags import Reduced, flag_name

REDUCED_HEADER: Final = "X-Reduced-On-Purpose"  # names the flag
CORE_HOPS: Final = 2
_GOLDEN: Final = 0.618_033_988_749_895  # as in `trouble`: every stretch of requests has its share
_LIMITED: Final = 0.6
_SOON, _LATER = 5, 300
_FAILED: Final = {HTTPStatus.TOO_MANY_REQUESTS: _SOON, HTTPStatus.SERVICE_UNAVAILABLE: _LATER}

TEXTS: Final[Mapping[str, str]] = {
    "batch-jobs-frozen": "Nightly batch work waits.",
    "rate-limit-non-p0": "Requests in bulk are served more slowly.",
    "llm-context-reduced": "Answers of the assistant are shorter.",
    "enrichers-paused": "Enrichment is paused; new data is enriched later.",
    "heavy-reads-from-cache": "Large queries may show data that is some minutes old.",
    "advanced-analytics-off": "Advanced analytics are paused.",
    "graph-depth-limit": "Queries reach {limit} steps far.",
    "new-tenants-blocked": "New workspaces cannot be created for now.",
    "priority-traffic-only": "Running work comes first; exports, analytics and the assistant wait.",
    "essential-endpoints-only": "Only the essentials work: sign in, query, write, walk two steps. Your data is safe.",
    "expensive-services-down": "The assistant is switched off.",
}
"""What the public is told of a flag; of one that nobody notices there is nothing to tell."""


class Need(Enum):
    """How much a request matters, by its path."""

    CORE = "core"  # P0
    PRIORITY = "priority"
    OTHER = "other"


def need_of(path: str) -> Need:
    """Whoever is not known comes last."""
    match path.strip("/").split("/"):
        case [""] | ["healthz" | "app.css" | "sign-in" | "sign-out" | "graph"] | ["entities", *_]:
            return Need.CORE
        case ["api", "sign-in" | "graphql"]:
            return Need.CORE
        case ["sign-up"] | ["api", "tenants"]:
            return Need.CORE  # it has a flag of its own
        case ["api", "workflows", *_] | ["subscriptions"]:
            return Need.PRIORITY
    return Need.OTHER


def texts_of(reduced: Reduced) -> list[str]:
    """What is reduced, in words for people, tier by tier."""
    told = []
    normal = Reduced().flags()
    for name, value in reduced.flags().items():
        if value != normal[name] and name in TEXTS:
            told.append(TEXTS[name].format(limit=reduced.graph_depth_limit))
    return told


def banner(reduced: Reduced) -> str:
    """What stands above every page, as HTML; empty at full service."""
    told = texts_of(reduced)
    if not told:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in told)
    return f'<aside role="status" class="reduced"><p>Reduced on purpose, for a while:</p><ul>{items}</ul></aside>'


def refusal(reduced: Reduced, path: str, number: int) -> AppResponse | None:
    """Why a request is not served now; None when it is. `number` counts requests."""
    need = need_of(path)
    if need is Need.CORE:
        return None
    if reduced.essential_endpoints_only:
        return refused(HTTPStatus.SERVICE_UNAVAILABLE, "essential_endpoints_only", reduced)
    if need is Need.PRIORITY:
        return None
    if reduced.priority_traffic_only:
        return refused(HTTPStatus.SERVICE_UNAVAILABLE, "priority_traffic_only", reduced)
    if reduced.rate_limit_non_p0 and number * _GOLDEN % 1 < _LIMITED:
        return refused(HTTPStatus.TOO_MANY_REQUESTS, "rate_limit_non_p0", reduced)
    return None


def refused(status: HTTPStatus, field_name: str, reduced: Reduced) -> AppResponse:
    """A refusal for programs: why, and when to come again."""
    flag = flag_name(field_name)
    said = {"error": f"reduced on purpose: {TEXTS[flag].format(limit=reduced.graph_depth_limit)}", "flag": flag}
    answer = as_json(status, said)
    return AppResponse(status, answer.body, answer.content_type, _headers(status, flag))


def refused_page(page: AppResponse, field_name: str) -> AppResponse:
    """A page that says why something is not there, as a refusal."""
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return AppResponse(status, page.body, page.content_type, _headers(status, flag_name(field_name)))


def _headers(status: HTTPStatus, flag: str) -> tuple[tuple[str, str], ...]:
    return (("Retry-After", str(_FAILED[status])), (REDUCED_HEADER, flag))
