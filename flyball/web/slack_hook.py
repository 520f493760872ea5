"""`POST /hooks/slack`: buttons that people press in Slack and words that they write in threads, signed."""

import logging
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from alerts.inbound import slack
from alerts.inbound.answering import Answering
from alerts.inbound.model import Nothing, Unreadable
from controlplane.ports import Clock, Permanent, Transient
from flyball.settings import Secret
from flyball.telemetry import Metrics, Tracing
from flyball.web.bodies import drain, json_error
from flyball.web.receiving import HookBounds, Receiving

PATH: Final = "/hooks/slack"
HOOK: Final = "slack"
MAX_BODY_BYTES: Final = 512 * 1024
ANSWER_SECONDS: Final = 1.5  # Slack waits for 3 in all, the body included
BODY_SECONDS: Final = 1.0
MAX_IN_FLIGHT: Final = 32
_COUNTED_FROM_THE_START: Final = ("200", "400", "401", "413", "503")
log = logging.getLogger(__name__)


class SlackHook:
    """The endpoint of the app's interactivity and its events. What is done is answered 200 with an empty body.

    What could not be stored is answered 503: Slack shows whoever pressed that it did not work.
    """

    def __init__(
        self,
        answering: Answering,
        *,
        secret: Secret | None,
        clock: Clock,
        metrics: Metrics,
        tracing: Tracing,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self._answering = answering
        self._secret = secret
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
        headers = {name.lower(): value for name, value in request.headers.items()}
        slow = json_error(503, "the database is slow; try again")
        return await self._receiving.stored(request, lambda body: self._take(body, headers), slow)

    def _refusal(self, request: Request) -> Response | None:
        if self._secret is None:
            message = "no secret is configured: set FLYBALL_SLACK_SIGNING_SECRET or FLYBALL_SLACK_SIGNING_SECRET_FILE"
            return json_error(503, message)
        if not request.headers.get(slack.SIGNATURE_HEADER):
            return json_error(401, "a signature of Slack's is needed")
        return json_error(503, "too many requests at once; try again") if self._receiving.is_full else None

    def _take(self, body: bytes, headers: dict[str, str]) -> Response:
        assert self._secret is not None
        now = self._clock.now()
        timestamp, signature = headers.get(slack.TIMESTAMP_HEADER, ""), headers.get(slack.SIGNATURE_HEADER, "")
        if not slack.is_genuine(body, timestamp, signature, self._secret.reveal(), now):
            log.warning("webhook.refused", extra={"hook": HOOK, "reason": "the signature is not Slack's, or too old"})
            return json_error(401, "the signature is not Slack's, or too old")
        found = slack.parse(body, headers.get("content-type", ""), now)
        if isinstance(found, Unreadable):
            log.warning("webhook.refused", extra={"hook": HOOK, "field": found.field, "reason": found.reason})
            return json_error(400, str(found), field=found.field)
        if isinstance(found, Nothing):
            return JSONResponse({"challenge": found.challenge}) if found.challenge else Response()
        try:
            answered = self._answering.take(found, now)
        except (Transient, Permanent) as error:  # a database that refuses today may be mended
            log.warning("webhook.not_stored", extra={"hook": HOOK, "error": str(error)})
            return json_error(503, "it could not be stored; try again")
        if answered.why:
            log.info("slack.nothing_changed", extra={"incident": answered.incident, "reason": answered.why})
        return Response()
