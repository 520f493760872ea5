"""`POST /usage/events`: CloudEvents checked, counted, and answered 2xx only after the commit."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from controlplane.ports import Clock, Permanent, Store, Transient
from exporters.cloudevents.faults import Malformed
from exporters.cloudevents.requests import Mode, mode_of
from exporters.usage.deliveries import Delivery, from_body, from_headers
from exporters.usage.intake import Intake, Taken
from exporters.usage.measuring import Measurer
from exporters.usage.terms import UsageTerms
from exporters.usage.views import receipt_data
from flyball.settings import Secret
from flyball.telemetry import Metrics, Tracing
from flyball.web.bodies import drain, json_error
from flyball.web.credentials import bearer_matches
from flyball.web.receiving import HookBounds, Receiving

PATH: Final = "/usage/events"
HOOK: Final = "usage"
MAX_BODY_BYTES: Final = 20 * 1024 * 1024
BODY_SECONDS: Final = 30.0
ANSWER_SECONDS: Final = 30.0
MAX_IN_FLIGHT: Final = 8  # bodies held in memory at once
_RETRY_SECONDS: Final = "2"
_COUNTED_FROM_THE_START: Final = ("200", "202", "400", "401", "413", "422", "429", "503")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who may send: whoever knows the token, for these tenants only (None: for all)."""

    token: Secret
    tenants: frozenset[str] | None = None


class UsageHook:
    """The endpoint. At most `max_in_flight` requests are worked on; one more is answered 429.

    One thread reads and stores them, in turn: the database has one writer of usage at a time.
    """

    def __init__(
        self,
        store: Store,
        terms: Callable[[], UsageTerms],
        *,
        senders: Sequence[Sender],
        clock: Clock,
        metrics: Metrics,
        tracing: Tracing,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self._intake = Intake(store)
        self._terms = terms
        self._senders = senders
        self._clock = clock
        self._measuring: tuple[UsageTerms, Measurer] | None = None
        bounds = HookBounds(HOOK, _COUNTED_FROM_THE_START, max_in_flight, ANSWER_SECONDS, MAX_BODY_BYTES, BODY_SECONDS)
        self._receiving = Receiving(bounds, metrics=metrics, tracing=tracing)

    async def answer(self, request: Request) -> Response:
        """Answer one delivery, and count the answer."""
        return await self._receiving.counted(request, self._answer)

    async def _answer(self, request: Request) -> Response:
        admitted = self._admitted(request)
        if isinstance(admitted, Response):
            await drain(request)
            return admitted
        sender, mode = admitted
        headers = {name.lower(): value for name, value in request.headers.items()}
        slow = _again(503, "the database is slow; send it again")
        return await self._receiving.stored(request, lambda body: self._take(body, headers, mode, sender), slow)

    def _admitted(self, request: Request) -> tuple[Sender, Mode] | Response:
        sender = self._sender(request)
        if isinstance(sender, Response):
            return sender
        mode = _mode(request.headers)
        if isinstance(mode, Response):
            return mode
        if self._receiving.is_full:
            return _again(429, "too many deliveries at once; send it again")
        return sender, mode

    def _sender(self, request: Request) -> Sender | Response:
        if not self._senders:
            return json_error(503, "no secret is configured: set FLYBALL_USAGE_TOKEN or FLYBALL_USAGE_TOKEN_FILE")
        authorization = request.headers.get("authorization", "")
        matching = [sender for sender in self._senders if bearer_matches(authorization, sender.token)]
        if matching:
            return matching[0]
        challenge = {"WWW-Authenticate": 'Bearer realm="flyball usage"'}
        return json_error(401, "a bearer token is needed that is the secret for usage", headers=challenge)

    def _take(self, body: bytes, headers: dict[str, str], mode: Mode, sender: Sender) -> Response:
        now, measurer = self._clock.now(), self._measurer()
        if measurer is None:  # at the start: what comes now must not be taken for usage that nobody knows
            return _again(503, "no Meter is declared, or the files have not been read yet")
        if mode.is_binary:
            delivery = from_headers(headers, body, measurer, now)
        else:
            delivery = from_body(body, is_batch=mode.is_batch, measurer=measurer, now=now)
        foreign = sorted(delivery.tenants - sender.tenants) if sender.tenants is not None else []
        if foreign:
            message = f"this token may not send usage of {', '.join(foreign[:5])}"
            return json_error(403, message, field="subject")
        try:
            taken = self._intake.take(delivery, now)
        except (Transient, Permanent) as error:  # a database that refuses today may be mended: nothing may be lost
            log.warning("usage.not_stored", extra={"error": str(error)})
            return _again(503, "the usage could not be stored; send it again")
        return _answered(taken)

    def _measurer(self) -> Measurer | None:
        terms = self._terms()
        if not terms.meters:
            return None
        if self._measuring is None or self._measuring[0] is not terms:
            self._measuring = (terms, Measurer(terms))
        return self._measuring[1]


def _mode(headers: Mapping[str, str]) -> Mode | Response:
    """How the request carries its events, or the answer when it does in no way that is understood."""
    try:
        return mode_of(headers)
    except Malformed as error:
        return json_error(415, error.reason, field=error.field)


def _answered(taken: Taken) -> Response:
    """200: all is counted. 202: kept, but some of it set aside. 400: no CloudEvents. 422: events that are wrong."""
    delivery = taken.delivery
    if taken.is_refused:
        code = 400 if _is_unreadable(delivery) else 422
        log.warning("usage.refused", extra={"events": delivery.refused, "reason": str(delivery.faults[0])})
        message = f"{delivery.refused:,} malformed event{'' if delivery.refused == 1 else 's'}; none was counted"
        return JSONResponse({"error": message, **receipt_data(None, delivery.faults, delivery.refused)}, code)
    is_clean = not (taken.receipt.conflicts or taken.receipt.unknown)
    return JSONResponse(receipt_data(taken.receipt, (), 0), 200 if is_clean else 202)


def _is_unreadable(delivery: Delivery) -> bool:
    first = delivery.faults[0]
    return not (first.place or first.field)


def _again(code: int, message: str) -> Response:
    return json_error(code, message, headers={"Retry-After": _RETRY_SECONDS})
