"""`POST /hooks/alertmanager`: checked, stored, and answered 2xx only after the commit."""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from alerts.intake import Received
from alerts.webhook import Refusal, parse_webhook
from controlplane.model.alert import AlertNotification
from controlplane.ports import Clock, Permanent, Transient
from flyball.settings import Secret
from flyball.telemetry import Metrics, Tracing
from flyball.web.bodies import drain, json_error
from flyball.web.credentials import bearer_matches
from flyball.web.receiving import HookBounds, Receiving

PATH: Final = "/hooks/alertmanager"
HOOK: Final = "alertmanager"
MAX_IN_FLIGHT: Final = 64
ANSWER_SECONDS: Final = 15.0
_RETRY_SECONDS: Final = "5"
_COUNTED_FROM_THE_START: Final = ("200", "400", "401", "413", "503")
log = logging.getLogger(__name__)


class Receives(Protocol):
    """What stores notifications: an intake."""

    def receive(self, notification: AlertNotification, now: datetime) -> Received:
        """Store it. Raises `Transient` when it was not taken."""
        ...


class AlertmanagerHook:
    """The endpoint. At most `max_in_flight` requests are worked on; one more is answered 503.

    `spool` keeps critical pages of what the store does not take, and says how many; Alertmanager delivers it again.

    One thread stores them, in turn.
    """

    def __init__(
        self,
        intake: Receives,
        *,
        spool: Callable[[AlertNotification, datetime], int] = lambda notification, at: 0,
        token: Secret | None,
        clock: Clock,
        metrics: Metrics,
        tracing: Tracing,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self._intake = intake
        self._spool = spool
        self._token = token
        self._clock = clock
        self._metrics = metrics
        bounds = HookBounds(HOOK, _COUNTED_FROM_THE_START, max_in_flight, ANSWER_SECONDS)
        self._receiving = Receiving(bounds, metrics=metrics, tracing=tracing)

    async def answer(self, request: Request) -> Response:
        """Answer one delivery, and count the answer."""
        return await self._receiving.counted(request, self._answer)

    async def _answer(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            await drain(request)
            return refusal
        return await self._receiving.stored(request, self._store, _overloaded("the database is slow; try again"))

    def _refusal(self, request: Request) -> Response | None:
        if self._token is None:
            message = "no secret is configured: set FLYBALL_WEBHOOK_TOKEN or FLYBALL_WEBHOOK_TOKEN_FILE"
            return json_error(503, message)
        if not bearer_matches(request.headers.get("authorization", ""), self._token):
            challenge = {"WWW-Authenticate": 'Bearer realm="flyball webhooks"'}
            return json_error(401, "a bearer token is needed that is the webhook secret", headers=challenge)
        if self._receiving.is_full:
            return _overloaded("too many deliveries at once; try again")
        return None

    def _store(self, body: bytes) -> Response:
        parsed = parse_webhook(body)
        if isinstance(parsed, Refusal):
            log.warning("webhook.refused", extra={"hook": HOOK, "field": parsed.field, "reason": parsed.reason})
            return json_error(400, str(parsed), field=parsed.field)
        if parsed.truncated_alerts:  # more than max_alerts in one group: those are not known here
            log.warning("webhook.truncated", extra={"receiver": parsed.receiver, "left_out": parsed.truncated_alerts})
        try:
            received = self._intake.receive(parsed, self._clock.now())
        except (
            Transient,
            Permanent,
        ) as error:  # a database that refuses today may be mended: the alert must not be lost
            pages = self._spool(parsed, self._clock.now())
            log.warning("webhook.not_stored", extra={"hook": HOOK, "error": str(error), "spooled_pages": pages})
            return _overloaded("the alerts could not be stored; try again")
        for status, count in Counter(alert.status.value for alert in parsed.alerts).items():
            self._metrics.alerts_received.labels(status).inc(count)
        return _stored(received)


def _stored(received: Received) -> Response:
    return JSONResponse({"fired": received.fired, "resolved": received.resolved, "repeated": received.repeated})


def _overloaded(message: str) -> Response:
    return json_error(503, message, headers={"Retry-After": _RETRY_SECONDS})
