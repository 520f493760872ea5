"""`/status/PAGE/subscribe`, `confirm`, `unsubscribe`: what the public may do on a status page. No login, no cookies.

Links in mail open a page with a button: programs that look at links before people do change nothing. Whoever asks gets
the same answer whether an address is known or not.
"""

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from controlplane.model.status_record import Channel
from controlplane.ports import Clock, Permanent, Store, Transient
from flyball.telemetry import Metrics, Tracing
from flyball.web import pages as web_pages
from flyball.web.bodies import drain
from flyball.web.receiving import HookBounds, Receiving
from flyball.web.status_words import Words, words_in
from synthetics.status_page.model import StatusPage
from synthetics.status_page.rendering.stylesheet import style_sheet
from synthetics.status_page.subscribers import BadAddress, RateLimit, Subscriptions

HOOK: Final = "status"
MAX_BODY_BYTES: Final = 8 * 1024
BODY_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 15.0
MAX_IN_FLIGHT: Final = 16
TRAP: Final = "website"  # a field that people do not see and programs fill in
_RETRY_SECONDS: Final = "600"
_LONGEST_ADDRESS: Final = 64
_ID: Final = re.compile(r"[0-9a-z]{1,64}")
_COUNTED_FROM_THE_START: Final = ("200", "202", "400", "404", "413", "429", "503")
_HEADERS: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Visit:
    """Who came to which page: what they sent, and in what form they want the answer."""

    page: StatusPage
    words: Words
    language: str
    wants_json: bool
    root: str


class StatusHooks:
    """The endpoints. `subscriptions` is None where no key is configured: then nobody can subscribe."""

    def __init__(
        self,
        store: Store,
        pages: Callable[[], Sequence[StatusPage]],
        subscriptions: Subscriptions | None,
        *,
        clock: Clock,
        metrics: Metrics,
        tracing: Tracing,
        limit: RateLimit | None = None,
    ) -> None:
        self._store = store
        self._pages = pages
        self._subscriptions = subscriptions
        self._clock = clock
        self._limit = limit or RateLimit()
        bounds = HookBounds(HOOK, _COUNTED_FROM_THE_START, MAX_IN_FLIGHT, ANSWER_SECONDS, MAX_BODY_BYTES, BODY_SECONDS)
        self._receiving = Receiving(bounds, metrics=metrics, tracing=tracing)

    def routes(self) -> list[Route]:
        """They come before those of the page's files."""
        return [
            Route("/status/{page}/subscribe", self.subscribe, methods=["POST"]),
            Route("/status/{page}/confirm", self.confirm, methods=["GET", "POST"]),
            Route("/status/{page}/unsubscribe", self.unsubscribe, methods=["GET", "POST"]),
        ]

    async def subscribe(self, request: Request) -> Response:
        """A form or JSON: `channel`, `address`, `language`."""
        return await self._receiving.counted(request, self._subscribe)

    async def confirm(self, request: Request) -> Response:
        """The link of the question: a button, and what it does."""
        return await self._receiving.counted(request, lambda it: self._linked(it, "confirm"))

    async def unsubscribe(self, request: Request) -> Response:
        """The link of every message: a button, and what it does. Mail programs post to it themselves (RFC 8058)."""
        return await self._receiving.counted(request, lambda it: self._linked(it, "unsubscribe"))

    async def _subscribe(self, request: Request) -> Response:
        visit = self._visit(request)
        if isinstance(visit, Response):
            await drain(request)
            return visit
        if self._receiving.is_full or not self._limit.takes(_client_of(request), self._clock.now()):
            await drain(request)
            return _told(visit, 429, visit.words.busy, headers={"Retry-After": _RETRY_SECONDS})
        is_json = _is_json(request)
        slow = _told(visit, 503, visit.words.later)
        return await self._receiving.stored(request, lambda body: self._ask(visit, body, is_json=is_json), slow)

    def _ask(self, visit: _Visit, body: bytes, *, is_json: bool) -> Response:
        fields = _fields(body, is_json=is_json)
        if fields is None:
            return _told(visit, 400, visit.words.unreadable)
        visit = _in_language(visit, fields.get("language", ""))
        if fields.get(TRAP):
            return _told(visit, 202, visit.words.asked)
        try:
            channel = Channel(fields.get("channel", "email"))
        except ValueError:
            return _told(visit, 400, visit.words.unreadable)
        assert self._subscriptions is not None
        try:
            with self._store.transaction() as transaction:
                self._subscriptions.ask(
                    visit.page,
                    transaction,
                    channel,
                    fields.get("address", ""),
                    self._clock.now(),
                    language=visit.language,
                )
        except BadAddress as error:
            return _told(visit, 400, str(error))
        except (Transient, Permanent) as error:
            log.warning("status.not_asked", extra={"page": visit.page.name, "error": str(error)})
            return _told(visit, 503, visit.words.later)
        return _told(visit, 202, visit.words.asked)

    async def _linked(self, request: Request, what: str) -> Response:
        visit = self._visit(request)
        if isinstance(visit, Response):
            await drain(request)
            return visit
        if request.method != "POST":
            button = visit.words.confirm if what == "confirm" else visit.words.end
            text = visit.words.confirm_text if what == "confirm" else visit.words.end_text
            action = f"{what}?{request.url.query}"
            return _page(visit, 200, button, text, button=button, action=action)
        if self._receiving.is_full:
            await drain(request)
            return _told(visit, 503, visit.words.later)
        id_, token = request.query_params.get("s", ""), request.query_params.get("t", "")
        if not _ID.fullmatch(id_):
            await drain(request)
            return _told(visit, 400, visit.words.stale)
        slow = _told(visit, 503, visit.words.later)
        return await self._receiving.stored(request, lambda _: self._act(visit, what, id_, token), slow)

    def _act(self, visit: _Visit, what: str, id_: str, token: str) -> Response:
        assert self._subscriptions is not None
        try:
            with self._store.transaction() as transaction:
                act = self._subscriptions.confirm if what == "confirm" else self._subscriptions.end
                is_good = act(visit.page, transaction, id_, token, self._clock.now())
        except (Transient, Permanent) as error:
            log.warning("status.not_changed", extra={"page": visit.page.name, "error": str(error)})
            return _told(visit, 503, visit.words.later)
        if not is_good:
            return _told(visit, 400, visit.words.stale)
        return _told(visit, 200, visit.words.confirmed if what == "confirm" else visit.words.ended)

    def _visit(self, request: Request) -> _Visit | Response:
        name = request.path_params["page"]
        page = next((each for each in self._pages() if each.name == name), None)
        if page is None or not page.subscribers.any_way:
            return Response("There is no such page.\n", 404, headers=_HEADERS, media_type="text/plain")
        asked = request.query_params.get("language", "")
        language = asked if asked in page.languages else page.languages[0]
        accept = request.headers.get("accept", "")
        wants_json = _is_json(request) or ("application/json" in accept and "text/html" not in accept)
        root = str(request.scope.get("root_path", "")).rstrip("/")
        visit = _Visit(page, words_in(language), language, wants_json, root)
        if self._subscriptions is None:
            return _told(visit, 503, visit.words.closed)
        return visit


def _client_of(request: Request) -> str:
    """Whose requests are counted together. Behind a proxy of ours that is whom it names last, not the proxy itself."""
    peer = request.client.host if request.client else ""
    try:
        is_ours = not ip_address(peer).is_global
    except ValueError:
        is_ours = False
    named = ",".join(request.headers.getlist("x-forwarded-for")).rpartition(",")[2].strip()
    return named[:_LONGEST_ADDRESS] if is_ours and named else peer


def _fields(body: bytes, *, is_json: bool) -> Mapping[str, str] | None:
    """What was sent, as text; None for what is neither form nor JSON."""
    try:
        text = body.decode()
        found = json.loads(text) if is_json else dict(parse_qsl(text, max_num_fields=20))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        return None
    fields = {str(name): value for name, value in found.items()}
    is_plain = all(("\x00" not in value and value.isprintable()) or value == "" for value in fields.values())
    return fields if is_plain else None


def _in_language(visit: _Visit, language: str) -> _Visit:
    if language not in visit.page.languages:
        return visit
    return replace(visit, language=language, words=words_in(language))


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _told(visit: _Visit, code: int, text: str, *, headers: Mapping[str, str] | None = None) -> Response:
    if visit.wants_json:
        key = "message" if code < 400 else "error"
        return JSONResponse({key: text}, code, headers={**_HEADERS, **(headers or {})})
    heading = visit.words.heading if code < 400 else visit.words.failed
    return _page(visit, code, heading, text, headers=headers)


def _page(
    visit: _Visit,
    code: int,
    heading: str,
    text: str,
    *,
    button: str = "",
    action: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    values = {
        "page": visit.page,
        "language": visit.language,
        "heading": heading,
        "text": text,
        "button": button,
        "action": action,
        "back": visit.words.back,
        "style": f"{visit.root}/status/{visit.page.name}/{style_sheet().path}",
    }
    content = web_pages.environment().get_template("status_hook.html").render(values)
    return HTMLResponse(content, code, headers={**_HEADERS, **(headers or {})})
