"""`/probe`, as routes for a Starlette application: of the console, or of a prober that stands alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from controlplane.check_names import PROBE_REQUESTS
from controlplane.ports import Clock
from flyball.settings import Secret
from flyball.web.credentials import bearer_matches
from synthetics.probes.endpoint import TIMEOUT_HEADER, Book, Question, answer
from synthetics.probes.running import Place

MOST_AT_ONCE: Final = 50
_MOST_QUERY: Final = 16_384
_TRACE_HEADER: Final = "X-Trace-Id"


@dataclass(frozen=True, slots=True)
class ProbeAccess:
    """Who may have what asked. On loopback everybody may ask everything, as with blackbox_exporter.

    Elsewhere whoever brings the token may; without it only targets that a Probe declares are asked.
    """

    is_loopback: bool
    token: Secret | None = None

    def is_open_to(self, request: Request) -> bool:
        """Whether this request may name any target."""
        if self.is_loopback:
            return True
        return self.token is not None and bearer_matches(request.headers.get("authorization", ""), self.token)


class ProbeEndpoint:
    """Answers `/probe` from what `book` and `place` give at that time."""

    def __init__(
        self,
        *,
        book: Callable[[], Book],
        place: Callable[[], Place],
        clock: Clock,
        access: ProbeAccess,
        registry: CollectorRegistry,
    ) -> None:
        self._book = book
        self._place = place
        self._clock = clock
        self._access = access
        self._registry = registry
        self._running = 0
        self._requests = Counter(
            PROBE_REQUESTS, "Requests to /probe, by the status of the answer.", ["code"], registry=registry
        )

    async def probe(self, request: Request) -> Response:
        """One try at a target."""
        response = await self._answered(request)
        self._requests.labels(str(response.status_code)).inc()
        return response

    def metrics(self, request: Request) -> Response:
        """The prober's own metrics."""
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

    async def _answered(self, request: Request) -> Response:
        if len(request.url.query) > _MOST_QUERY:
            return PlainTextResponse("The query is too long\n", 414)
        if self._running >= MOST_AT_ONCE:
            return PlainTextResponse("Too many probes are under way\n", 503, {"Retry-After": "1"})
        given = request.query_params
        question = Question(
            target=given.get("target", ""),
            module=given.get("module", ""),
            hostname=given.get("hostname", ""),
            is_debugging=given.get("debug") == "true",
            scrape_timeout=request.headers.get(TIMEOUT_HEADER, ""),
        )
        self._running += 1
        try:
            reply = await answer(
                question, self._book(), self._place(), self._clock.now(), any_target=self._access.is_open_to(request)
            )
        finally:
            self._running -= 1
        headers = {"Content-Type": reply.content_type, "X-Content-Type-Options": "nosniff"}
        if reply.trace_id:
            headers[_TRACE_HEADER] = reply.trace_id
        return Response(reply.body, reply.status, headers)


def probe_routes(endpoint: ProbeEndpoint) -> list[BaseRoute]:
    """`/probe`, for an application that has `/metrics` already."""
    return [Route("/probe", endpoint.probe, methods=["GET"])]


def prober_routes(endpoint: ProbeEndpoint) -> list[BaseRoute]:
    """`/probe` and `/metrics`, for a prober that stands alone."""
    return [*probe_routes(endpoint), Route("/metrics", endpoint.metrics, methods=["GET"])]
