"""What all hooks share: bounds, one thread that stores, and answers that are timed and counted."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from flyball.telemetry import Metrics, Tracing, exemplar_of
from flyball.web.bodies import BODY_SECONDS, MAX_BODY_BYTES, BodyRefused, drain, json_error, read_body

_TOO_LARGE: Final = 413
_CLIENT_GONE: Final = 499


@dataclass(frozen=True, slots=True)
class HookBounds:
    """`counted` are codes whose counters are there from the start; `in_flight` bodies are held in memory at once."""

    hook: str
    counted: tuple[str, ...]
    in_flight: int
    answer_seconds: float
    body_bytes: int = MAX_BODY_BYTES
    body_seconds: float = BODY_SECONDS


class Receiving:
    """Takes deliveries of one hook. The database has one writer at a time: waiting here is fairer than there."""

    def __init__(self, bounds: HookBounds, *, metrics: Metrics, tracing: Tracing) -> None:
        self._bounds = bounds
        self._metrics = metrics
        self._tracing = tracing
        self._in_flight = 0
        self._writer = ThreadPoolExecutor(1, thread_name_prefix=bounds.hook)
        for code in bounds.counted:
            metrics.webhook_requests.labels(bounds.hook, code)

    @property
    def is_full(self) -> bool:
        """Whether no more deliveries are to be taken now."""
        return self._in_flight >= self._bounds.in_flight

    async def counted(self, request: Request, work: Callable[[Request], Awaitable[Response]]) -> Response:
        """What `work` answers, within a span, timed and counted; 499 for a client that has gone."""
        hook, started = self._bounds.hook, time.monotonic()
        with self._tracing.span(f"webhook {hook}") as span:
            try:
                response = await work(request)
            except ClientDisconnect:
                response = Response(status_code=_CLIENT_GONE)
            span.set_attribute("http.response.status_code", response.status_code)
            seconds = time.monotonic() - started
            self._metrics.webhook_seconds.labels(hook).observe(seconds, exemplar=exemplar_of(span))
        self._metrics.webhook_requests.labels(hook, str(response.status_code)).inc()
        return response

    async def stored(self, request: Request, store: Callable[[bytes], Response], slow: Response) -> Response:
        """What `store` makes of the body, in the one thread; `slow` when that takes too long."""
        self._count(+1)
        submitted: Future[Response] | None = None
        try:
            body = await read_body(request, self._bounds.body_bytes, self._bounds.body_seconds)
            submitted = self._writer.submit(store, body)
            stored = asyncio.wrap_future(submitted)
            stored.add_done_callback(lambda _: self._count(-1))
            return await asyncio.wait_for(asyncio.shield(stored), self._bounds.answer_seconds)
        except BodyRefused as refused:
            if refused.code == _TOO_LARGE:  # a slow client is waited for no longer
                await drain(request)
            return json_error(refused.code, refused.message, headers={"Connection": "close"})
        except TimeoutError:
            if submitted is not None:
                submitted.cancel()  # has an effect only while it waits for its turn
            return slow
        finally:
            if submitted is None:  # otherwise its place is taken until the thread is done with it, whoever still waits
                self._count(-1)

    def _count(self, change: int) -> None:
        self._in_flight += change
        self._metrics.webhook_in_flight.labels(self._bounds.hook).set(self._in_flight)
