"""`POST /events` and `POST /events/SENDER`: deliveries checked, stored, and answered 2xx only after the commit."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from controlplane.ports import Clock, Permanent, Store, Transient
from exporters.cloudevents.faults import Malformed
from exporters.cloudevents.requests import Mode, check_plain, mode_of
from exporters.cloudevents.strict_json import json_faults, read_json
from exporters.events.intake import Intake, Taken
from exporters.events.reading import Candidate, Delivery, EventReader, Terms
from exporters.events.translators import SIGNING, Translator
from exporters.events.views import receipt_data
from flyball.event_settings import EventSettings
from flyball.settings import Secret
from flyball.telemetry import Metrics, Tracing
from flyball.web.bodies import drain, json_error
from flyball.web.credentials import bearer_matches
from flyball.web.receiving import HookBounds, Receiving

PATH: Final = "/events"
HOOK: Final = "events"
SENDER: Final = "cloudevents"
MAX_BODY_BYTES: Final = 20 * 1024 * 1024
BODY_SECONDS: Final = 30.0
ANSWER_SECONDS: Final = (
    30.0  # GitHub waits for 10, and delivers again only when asked to: what is slow is stored all the same
)
MAX_IN_FLIGHT: Final = 8  # bodies held in memory at once, of each sender
_FORM: Final = "application/x-www-form-urlencoded"
_RETRY_SECONDS: Final = "2"
_COUNTED_FROM_THE_START: Final = ("200", "202", "400", "401", "413", "422", "429", "503")
log = logging.getLogger(__name__)


class EventsHook:
    """The endpoints. Of each sender at most `max_in_flight` requests are worked on; one more is answered 429.

    Senders that sign have secrets of their own; all others, and whoever sends CloudEvents, bring one of our tokens.
    """

    def __init__(
        self,
        store: Store,
        translators: Mapping[str, Translator],
        *,
        settings: EventSettings,
        clock: Clock,
        metrics: Metrics,
        tracing: Tracing,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self._settings = settings
        self._clock = clock
        names = [HOOK, *(f"{HOOK}/{name}" for name in translators)]
        self._receiving = {
            name: Receiving(
                HookBounds(name, _COUNTED_FROM_THE_START, max_in_flight, ANSWER_SECONDS, MAX_BODY_BYTES, BODY_SECONDS),
                metrics=metrics,
                tracing=tracing,
            )
            for name in names
        }
        self._own = _Taking(store, Terms(SENDER, settings.clock_tolerance))
        self._translating = {
            name: _Translating(each, _Taking(store, Terms(name, settings.clock_tolerance)), self._secrets(name))
            for name, each in translators.items()
        }

    def routes(self) -> list[Route]:
        """Both endpoints."""
        return [
            Route(PATH, self.answer, methods=["POST"]),
            Route(f"{PATH}/{{sender}}", self.answer_sender, methods=["POST"]),
        ]

    async def answer(self, request: Request) -> Response:
        """Answer CloudEvents, and count the answer."""
        return await self._receiving[HOOK].counted(request, self._answer)

    async def answer_sender(self, request: Request) -> Response:
        """Answer one sender's delivery, and count the answer."""
        sender = request.path_params["sender"]
        translating = self._translating.get(sender)
        if translating is None:
            await drain(request)
            known = ", ".join(sorted(self._translating))
            return json_error(404, f"no sender of that name is known; those are: {known}")
        work: Callable[[Request], Awaitable[Response]] = partial(self._answer_sender, translating)
        return await self._receiving[f"{HOOK}/{sender}"].counted(request, work)

    async def _answer(self, request: Request) -> Response:
        headers = dict(request.headers.items())
        mode = self._unauthorized(headers) or self._full(HOOK) or _mode(headers)
        if isinstance(mode, Response):
            await drain(request)
            return mode
        return await self._stored(
            HOOK, request, lambda body: self._own.take_body(body, headers, mode, self._clock.now())
        )

    async def _answer_sender(self, translating: "_Translating", request: Request) -> Response:
        headers = dict(request.headers.items())
        hook = f"{HOOK}/{translating.name}"
        refusal = translating.refusal(headers, self._clock.now()) or self._full(hook)
        if refusal is not None:
            await drain(request)
            return refusal
        return await self._stored(hook, request, lambda body: translating.take(body, headers, self._clock.now()))

    async def _stored(self, hook: str, request: Request, take: Callable[[bytes], Response]) -> Response:
        slow = _again(503, "the database is slow; send it again")
        return await self._receiving[hook].stored(request, take, slow)

    def _full(self, hook: str) -> Response | None:
        return _again(429, "too many deliveries at once; send it again") if self._receiving[hook].is_full else None

    def _unauthorized(self, headers: Mapping[str, str]) -> Response | None:
        tokens = self._settings.tokens
        if not tokens:
            return json_error(503, "no secret is configured: set FLYBALL_EVENTS_TOKEN or FLYBALL_EVENTS_TOKEN_FILE")
        authorization = headers.get("authorization", "")
        matches = [bearer_matches(authorization, token) for token in tokens]  # all are compared
        if any(matches):
            return None
        challenge = {"WWW-Authenticate": 'Bearer realm="flyball events"'}
        return json_error(401, "a bearer token is needed that is the secret for events", headers=challenge)

    def _secrets(self, sender: str) -> Sequence[Secret]:
        return self._settings.signing.get(sender, ()) if sender in SIGNING else self._settings.tokens


class _Taking:
    """Reads and stores what came one way."""

    def __init__(self, store: Store, terms: Terms) -> None:
        self._reader = EventReader(terms)
        self._intake = Intake(store, terms.sender)
        self.sender = terms.sender

    def take_body(self, body: bytes, headers: Mapping[str, str], mode: Mode, now: datetime) -> Response:
        """CloudEvents as they were sent. One that contradicts what is known is 409; in a batch the others count."""
        return self.taken(self._reader.from_body(body, mode, headers, now), now, alone=not mode.is_batch)

    def take_events(self, events: Sequence[Mapping[str, Any]], now: datetime) -> Response:
        """CloudEvents that were translated."""
        candidates = [Candidate(f"event {index}", event) for index, event in enumerate(events)]
        return self.taken(self._reader.gathered(candidates, now), now, alone=False)

    def taken(self, delivery: Delivery, now: datetime, *, alone: bool) -> Response:
        """Store it and say what became of it."""
        try:
            return _answered(self._intake.take(delivery, now), self.sender, alone=alone)
        except (Transient, Permanent) as error:  # a database that refuses today may be mended: nothing may be lost
            log.warning("events.not_stored", extra={"sender": self.sender, "error": str(error)})
            return _again(503, "the events could not be stored; send them again")


class _Translating:
    """One sender: whether it is genuine, and what its deliveries tell of."""

    def __init__(self, translator: Translator, taking: _Taking, secrets: Sequence[Secret]) -> None:
        self._translator = translator
        self._taking = taking
        self._secrets = [secret.reveal().encode() for secret in secrets]
        self.name = translator.name

    def refusal(self, headers: Mapping[str, str], now: datetime) -> Response | None:
        """Why the body need not be read. A token is looked at before: strangers hold no place while they send."""
        if not self._secrets:
            name = f"FLYBALL_EVENTS_{self.name.upper()}_SECRET" if self.name in SIGNING else "FLYBALL_EVENTS_TOKEN"
            return json_error(503, f"no secret is configured: set {name} or {name}_FILE")
        try:
            check_plain(headers)
        except Malformed as error:
            return json_error(415, error.reason, field=error.field)
        return None if self.name in SIGNING else self._stranger(headers, b"", now)

    def _stranger(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Response | None:
        refused = self._translator.authenticate(headers, body, self._secrets, now)
        if refused is None:
            return None
        log.warning("events.refused", extra={"sender": self.name, "reason": refused.message})
        challenge = {"WWW-Authenticate": 'Bearer realm="flyball events"'} if refused.status == 401 else None
        return json_error(refused.status, refused.message, headers=challenge)

    def take(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Response:
        """Only what is genuine is read."""
        stranger = self._stranger(headers, body, now)
        if stranger is not None:
            return stranger
        try:
            payload = _payload(body, headers)
        except Malformed as error:
            return self._taking.taken(Delivery(faults=(error.at(""),), refused=1, is_unreadable=True), now, alone=True)
        try:
            events = self._translator.translate(headers, payload, now)
        except Malformed as error:
            return self._taking.taken(Delivery(faults=(error.at(""),), refused=1), now, alone=True)
        except (Transient, Permanent) as error:  # it asks the store whose incident it is
            log.warning("events.not_stored", extra={"sender": self.name, "error": str(error)})
            return _again(503, "the events could not be stored; send them again")
        return self._taking.take_events(events, now)


def _payload(body: bytes, headers: Mapping[str, str]) -> object:
    """The JSON of a body; GitHub may also send it as a form's field."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _FORM:
        try:
            fields = parse_qs(body.decode(), max_num_fields=10)
        except ValueError:
            raise Malformed("", "is not a form that is understood") from None
        if "payload" not in fields:
            raise Malformed("payload", "is missing: the form's field with the JSON")
        body = fields["payload"][0].encode()
    read = read_json(body)
    fault = next(json_faults(read.value, ""), None) if read.is_suspicious else None
    if fault is not None:
        raise fault
    return read.value


def _mode(headers: Mapping[str, str]) -> Mode | Response:
    """How the request carries its events, or the answer when it does in no way that is understood."""
    try:
        return mode_of(headers)
    except Malformed as error:
        return json_error(415, error.reason, field=error.field)


def _answered(taken: Taken, sender: str, *, alone: bool) -> Response:
    """200: all is kept. 202: some is not read, or contradicts. 400: no CloudEvents. 409: contradicts. 422: wrong."""
    receipt, delivery = taken.receipt, taken.delivery
    data = receipt_data(receipt, delivery)
    if taken.is_refused:
        reason = str(delivery.faults[0])
        log.warning("events.refused", extra={"sender": sender, "events": delivery.refused, "reason": reason})
        code = 400 if delivery.is_unreadable else 422
        return JSONResponse({"error": _refusal(delivery), **data}, code)
    if receipt.conflicts:
        source, id_ = receipt.conflicts[0]
        log.warning(
            "events.contradicted",
            extra={"sender": sender, "events": len(receipt.conflicts), "source": source, "id": id_},
        )
        if alone:
            message = f"an event {id_} of {source} is known that says something else; that one stands"
            return JSONResponse({"error": message, **data}, 409)
    return JSONResponse(data, 202 if receipt.conflicts or receipt.unknown else 200)


def _refusal(delivery: Delivery) -> str:
    first = str(delivery.faults[0])
    if delivery.refused == 1:
        return first
    return f"{delivery.refused:,} malformed events; none of the batch was taken. The first: {first}"


def _again(code: int, message: str) -> Response:
    return json_error(code, message, headers={"Retry-After": _RETRY_SECONDS})
