"""What every request passes: the Host check, who asks, bounds, and security headers on the way back."""

import asyncio
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controlplane.model.follow_up import Role
from controlplane.ports import Transient
from flyball.settings import ListenAddress, Settings
from flyball.web.access import Access, Principal
from flyball.web.bodies import MAX_BODY_BYTES, announced_bytes, drain, json_error

OPEN_PATHS: Final = ("/metrics", "/healthz", "/readyz", "/probe")  # for Prometheus; the last asks for a token by itself
HOOKS: Final = ("/hooks/", "/usage/", "/events")  # each has a secret and bounds of its own
PUBLIC: Final = ("/status/",)  # what everybody may read, and how they subscribe to it
PRINCIPAL: Final = "flyball.principal"  # in the scope of requests
MAX_HEADER_BYTES: Final = 32 * 1024
_LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Admission:
    """Who may come in. With `hosts`, requests must name one of them (against DNS rebinding on loopback)."""

    hosts: frozenset[str]

    @staticmethod
    def of(settings: Settings) -> "Admission":
        """On loopback only loopback's own names and the external one are answered; elsewhere any name."""
        outside = urlsplit(settings.external_url).hostname
        return Admission(loopback_hosts(settings.listen, *([outside] if outside else [])))

    def refusal(self, request: Request) -> Response | None:
        """The answer to a request that may not come in, or None."""
        path = request.url.path
        if sum(len(name) + len(value) for name, value in request.headers.raw) > MAX_HEADER_BYTES:
            return error_for(path, 431, f"the headers are larger than {MAX_HEADER_BYTES} bytes")
        if self.hosts and _host_name(request.headers.get("host", "")) not in self.hosts:
            return error_for(path, 421, "this address is not one of ours")
        if announced_bytes(request) > MAX_BODY_BYTES and not path.startswith(HOOKS):
            return error_for(path, 413, f"the body is larger than {MAX_BODY_BYTES} bytes")
        return None


def loopback_hosts(listen: ListenAddress, *further: str) -> frozenset[str]:
    """The host names that may be asked for where only this machine can ask; none means any."""
    return frozenset({*_LOOPBACK_NAMES, listen.host, *further}) if listen.is_loopback else frozenset()


class Guards:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, admission: Admission, access: Access | None = None) -> None:
        self._app = app
        self._admission = admission
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on; either way with our headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope, receive)
        refusal = self._admission.refusal(request)
        if refusal is None and self._access is not None and is_guarded(request.url.path):
            refusal = await self._identified(request, self._access)
        if refusal is None:
            await self._app(scope, receive, send_with_headers)
            return
        await drain(request)
        await refusal(scope, receive, send_with_headers)

    async def _identified(self, request: Request, access: Access) -> Response | None:
        """Note who asks, or the answer to somebody who may not come in."""
        path, authorization = request.url.path, request.headers.get("authorization", "")
        try:
            principal = await asyncio.to_thread(access.principal, authorization)
        except Transient as error:
            return error_for(path, 503, str(error), headers={"Retry-After": "5"})
        if principal is None:
            challenge = {"WWW-Authenticate": 'Basic realm="flyball", charset="UTF-8"'}
            return error_for(path, 401, "a token is needed, as the password or as a bearer token", headers=challenge)
        request.scope[PRINCIPAL] = principal
        return None


def is_guarded(path: str) -> bool:
    """Whether people must say who they are to see it."""
    return path not in OPEN_PATHS and not path.startswith((*HOOKS, *PUBLIC))


def principal_of(request: Request) -> Principal:
    """Who asks; somebody of whom the guards know nothing may only read."""
    found = request.scope.get(PRINCIPAL)
    return found if isinstance(found, Principal) else Principal("nobody", Role.VIEWER, "")


def error_for(path: str, code: int, message: str, *, headers: dict[str, str] | None = None) -> Response:
    """An error as JSON for programs, as text for people."""
    if path in OPEN_PATHS or path.startswith((*HOOKS, "/api/")):
        return json_error(code, message, headers=headers)
    return PlainTextResponse(f"{message}\n", status_code=code, headers=headers)


def _host_name(host: str) -> str:
    """The name in a Host header, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
