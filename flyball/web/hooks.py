"""`POST /hooks/alertmanager`: checked, stored, and answered 2xx only after the commit."""

import asyncio
import logging
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from alerts.intake import Intake, Received
from alerts.webhook import Refusal, parse_webhook
from controlplane.ports import Clock, Permanent, Transient
from flyball.settings import Secret
from flyball.telemetry import Metrics, Tracing, exemplar_of
from flyball.web.bodies import BodyRefused, drain, json_error, read_body
from flyball.web.credentials import bearer_matches

PATH: Final = "/hooks/alertmanager"
HOOK: Final = "alertmanager"
MAX_IN_FLIGHT: Final = 64
ANSWER_SECONDS: Final = 15.0
_RETRY_SECONDS: Final = "5"
_TOO_LARGE: Final = 413
_CLIENT_GONE: Final = 499
_COUNTED_FROM_THE_START: Final = ("200", "400", "401", "413", "503")
log = logging.getLogger(__name__)


class AlertmanagerHook:
    """The endpoint. At most `max_in_flight` requests are worked on; one more is answered 503.

    One thread stores them, in turn: the database has one writer at a time, and waiting here is fairer than there.
    """

    def __init__(
        self,
        intake: Intake,
        *,
        token: Secret | None,
        clock: Clock,
        metrics: Metrics,
        tracing: Tracing,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self._intake = intake
        self._token = token
        self._clock = clock
        self._metrics = metrics
        self._tracing = tracing
        self._max_in_flight = max_in_flight
        self._in_flight = 0
        for code in _COUNTED_FROM_THE_START:
            metrics.webhook_requests.labels(HOOK, code)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="webhook")

    async def answer(self, request: Request) -> Response:
        """Answer one delivery, and count the answer."""
        started = time.monotonic()
        with self._tracing.span("webhook alertmanager") as span:
            try:
                response = await self._answer(request)
            except ClientDisconnect:
                response = Response(status_code=_CLIENT_GONE)
            span.set_attribute("http.response.status_code", response.status_code)
            seconds = time.monotonic() - started
            self._metrics.webhook_seconds.labels(HOOK).observe(seconds, exemplar=exemplar_of(span))
        self._metrics.webhook_requests.labels(HOOK, str(response.status_code)).inc()
        return response

    async def _answer(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            await drain(request)
            return refusal
        self._enter()
        submitted: Future[Response] | None = None
        try:
            body = await read_body(request)
            submitted = self._writer.submit(self._store, body)
            stored = asyncio.wrap_future(submitted)
            stored.add_done_callback(lambda _: self._leave())
            return await asyncio.wait_for(asyncio.shield(stored), ANSWER_SECONDS)
        except BodyRefused as refused:
            if refused.code == _TOO_LARGE:  # a slow client is waited for no longer
                await drain(request)
            return json_error(refused.code, refused.message, headers={"Connection": "close"})
        except TimeoutError:
            if submitted is not None:
                submitted.cancel()  # has an effect only while it waits for its turn
            return _overloaded("the database is slow; try again")
        finally:
            if submitted is None:  # otherwise its place is taken until the thread is done with it, whoever still waits
                self._leave()

    def _refusal(self, request: Request) -> Response | None:
        if self._token is None:
            message = "no secret is configured: set FLYBALL_WEBHOOK_TOKEN or FLYBALL_WEBHOOK_TOKEN_FILE"
            return json_error(503, message)
        if not bearer_matches(request.headers.get("authorization", ""), self._token):
            challenge = {"WWW-Authenticate": 'Bearer realm="flyball webhooks"'}
            return json_error(401, "a bearer token is needed that is the webhook secret", headers=challenge)
        if self._in_flight >= self._max_in_flight:
            return _overloaded("too many deliveries at once; try again")
        return None

    def _enter(self) -> None:
        self._in_flight += 1
        self._metrics.webhook_in_flight.labels(HOOK).set(self._in_flight)

    def _leave(self) -> None:
        self._in_flight -= 1
        self._metrics.webhook_in_flight.labels(HOOK).set(self._in_flight)

    def _store(self, body: bytes) -> Response:
        parsed = parse_webhook(body)
        if isinstance(parsed, Refusal):
            log.warning("webhook.refused", extra={"hook": HOOK, "field": parsed.field, "reason": parsed.reason})
            return json_error(400, str(parsed), field=parsed.field)
        try:
            received = self._intake.receive(parsed, self._clock.now())
        except (
            Transient,
            Permanent,
        ) as error:  # a database that refuses today may be mended: the alert must not be lost
            log.warning("webhook.not_stored", extra={"hook": HOOK, "error": str(error)})
            return _overloaded("the alerts could not be stored; try again")
        for status, count in Counter(alert.status.value for alert in parsed.alerts).items():
            self._metrics.alerts_received.labels(status).inc(count)
        return _stored(received)


def _stored(received: Received) -> Response:
    return JSONResponse({"fired": received.fired, "resolved": received.resolved, "repeated": received.repeated})


def _overloaded(message: str) -> Response:
    return json_error(503, message, headers={"Retry-After": _RETRY_SECONDS})
