"""A request to IntelGraph's pages and its answer, as values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qsl

from flyball.demo.platform.platform_flags import FULL_SERVICE, Reduced

HTML: Final = "text/html; charset=utf-8"
JSON_TYPE: Final = "application/json"
SESSION: Final = "session"
_HEADERS: Final = (
    ("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)


@dataclass(frozen=True, slots=True)
class AppRequest:
    """What was asked; names of headers are in lower case. `late` is how much slower work is than it should be.

    `reduced` is what the platform does without on purpose.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    now: datetime
    late_seconds: float = 0.0
    reduced: Reduced = FULL_SERVICE

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form that was posted."""
        return dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))

    @property
    def session(self) -> str:
        """The token in the cookie, empty without one."""
        try:
            cookie = SimpleCookie(self.headers.get("cookie", "")).get(SESSION)
        except CookieError:
            return ""
        return cookie.value if cookie else ""

    @property
    def bearer(self) -> str:
        """The token of a program."""
        return self.headers.get("authorization", "").removeprefix("Bearer ")

    def json(self) -> Mapping[str, object] | None:
        """The body as a JSON object, None when it is none."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None


@dataclass(frozen=True, slots=True)
class AppResponse:
    """What is answered."""

    status: HTTPStatus
    body: bytes = b""
    content_type: str = HTML
    headers: tuple[tuple[str, str], ...] = field(default=())

    def all_headers(self) -> tuple[tuple[str, str], ...]:
        """With those that every answer has."""
        length = ("Content-Length", str(len(self.body)))
        return (("Content-Type", self.content_type), length, *_HEADERS, *self.headers)


def as_json(status: HTTPStatus, value: object) -> AppResponse:
    """A JSON document."""
    return AppResponse(status, json.dumps(value).encode(), JSON_TYPE)


def see_other(path: str, *headers: tuple[str, str]) -> AppResponse:
    """Go on with a GET there."""
    return AppResponse(HTTPStatus.SEE_OTHER, headers=(("Location", path), *headers))
