"""`POST /hooks/pagerduty`: what people do in PagerDuty, signed, becomes what they do here."""

import logging
from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from alerts.inbound import pagerduty
from alerts.inbound.answering import Answering
from alerts.inbound.model import Nothing, Unreadable
from controlplane.ports import Clock, Permanent, Transient
from flyball.settings import Secret
from flyball.telemetry import Metrics, Tracing
from flyball.web.bodies import drain, json_error
from flyball.web.receiving import HookBounds, Receiving

PATH: Final = "/hooks/pagerduty"
HOOK: Final = "pagerduty"
MAX_BODY_BYTES: Final = 512 * 1024  # its webhooks have at most 256 KB
ANSWER_SECONDS: Final = 4.0  # it waits for 5
BODY_SECONDS: Final = 4.0
MAX_IN_FLIGHT: Final = 32
_RETRY_SECONDS: Final = "5"
_COUNTED_FROM_THE_START: Final = ("200", "400", "401", "413", "503")
log = logging.getLogger(__name__)


class PagerDutyHook:
    """The endpoint. What is genuine is answered 2xx, also when it changes nothing: after three refusals in a row

    PagerDuty stops for a day. What could not be stored is answered 503, and comes again.
    """

    def __init__(
        self,
        answering: Answering,
        *,
        secrets: Sequence[Secret],
        clock: Clock,
        metrics: Metrics,
        tracing: Tracing,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self._answering = answering
        self._secrets = secrets
        self._clock = clock
        bounds = HookBounds(HOOK, _COUNTED_FROM_THE_START, max_in_flight, ANSWER_SECONDS, MAX_BODY_BYTES, BODY_SECONDS)
        self._receiving = Receiving(bounds, metrics=metrics, tracing=tracing)

    async def answer(self, request: Request) -> Response:
        """Answer one delivery, and count the answer."""
        return await self._receiving.counted(request, self._answer)

    async def _answer(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            await drain(request)
            return refusal
        signatures = request.headers.get(pagerduty.SIGNATURE_HEADER, "")
        slow = _again("the database is slow; send it again")
        return await self._receiving.stored(request, lambda body: self._take(body, signatures), slow)

    def _refusal(self, request: Request) -> Response | None:
        if not self._secrets:
            message = "no secret is configured: set FLYBALL_PAGERDUTY_WEBHOOK_SECRETS, or …_FILE"
            return json_error(503, message)
        if not request.headers.get(pagerduty.SIGNATURE_HEADER):
            return json_error(401, "a signature is needed: use a version 3 webhook subscription")
        return _again("too many deliveries at once; send it again") if self._receiving.is_full else None

    def _take(self, body: bytes, signatures: str) -> Response:
        if not pagerduty.is_genuine(body, signatures, [secret.reveal() for secret in self._secrets]):
            log.warning("webhook.refused", extra={"hook": HOOK, "reason": "no signature was made with our secret"})
            return json_error(401, "no signature was made with our secret")
        now = self._clock.now()
        found = pagerduty.parse(body, now)
        if isinstance(found, Unreadable):
            log.warning("webhook.refused", extra={"hook": HOOK, "field": found.field, "reason": found.reason})
            return json_error(400, str(found), field=found.field)
        if isinstance(found, Nothing):
            return JSONResponse({"changed": False, "why": found.why})
        try:
            answered = self._answering.take(found, now)
        except (Transient, Permanent) as error:  # a database that refuses today may be mended
            log.warning("webhook.not_stored", extra={"hook": HOOK, "error": str(error)})
            return _again("it could not be stored; send it again")
        return JSONResponse({"changed": answered.is_new, "incident": answered.incident, "why": answered.why})


def _again(message: str) -> Response:
    return json_error(503, message, headers={"Retry-After": _RETRY_SECONDS})
