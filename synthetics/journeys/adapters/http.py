"""Requests over httpx: cookies and connections of a run, redirects and bodies bounded, names pinned to addresses."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import httpx

from synthetics.journeys.ports import NoReply, Reply, Request, Session
from synthetics.probes.adapters.failures import ProbeFailed, connecting_failed, handshake_failed, talking_failed
from synthetics.probes.attempt import Answer
from synthetics.probes.modules import MAX_BODY_BYTES, MAX_REDIRECTS
from synthetics.probes.urls import parse_url

_CREDENTIALS: Final = ("authorization", "proxy-authorization", "x-api-key")  # not for another origin
_PORTS: Final = {"http": 80, "https": 443}
_AGENT: Final = "flyball-journey"
_NO_OTHER: Final = httpx.Timeout(None)  # a request as a whole has a limit


@lru_cache(maxsize=1)
def _system_trust() -> ssl.SSLContext:
    """The certificates that this system trusts; read once."""
    return ssl.create_default_context()


@dataclass(frozen=True, slots=True)
class HTTPSessions:
    """Opens sessions. Proxies and .netrc of the environment are not looked at."""

    context: ssl.SSLContext | None = None
    max_body_bytes: int = MAX_BODY_BYTES
    max_redirects: int = MAX_REDIRECTS

    @asynccontextmanager
    async def __call__(self, resolve: Mapping[str, str]) -> AsyncIterator[Session]:
        """A session with connections of its own, closed at the end."""
        # HTTP/1.1: httpx takes the farewell of a drained HTTP/2 server for a failure.
        transport = _Pinned(httpx.AsyncHTTPTransport(verify=self.context or _system_trust()), resolve)
        async with httpx.AsyncClient(
            transport=transport, trust_env=False, timeout=_NO_OTHER, headers={"user-agent": _AGENT}
        ) as client:
            yield _Session(client, self.max_body_bytes, self.max_redirects)


class _Pinned(httpx.AsyncBaseTransport):
    """Connects `host:port` where it is pinned to; certificates and the Host header stay those of the name."""

    def __init__(self, inner: httpx.AsyncHTTPTransport, resolve: Mapping[str, str]) -> None:
        self._inner, self._resolve = inner, resolve

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        pinned = self._resolve.get(f"{url.host}:{url.port or _PORTS.get(url.scheme, 0)}")
        if pinned is None:
            return await self._inner.handle_async_request(request)
        host, _, port = pinned.rpartition(":")
        extensions = {**request.extensions, "sni_hostname": url.host}
        target = url.copy_with(host=host.strip("[]"), port=int(port))
        there = httpx.Request(
            request.method, target, headers=request.headers, stream=request.stream, extensions=extensions
        )
        return await self._inner.handle_async_request(there)

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Session:
    def __init__(self, client: httpx.AsyncClient, max_body_bytes: int, max_redirects: int) -> None:
        self._client = client
        self._max_body_bytes, self._max_redirects = max_body_bytes, max_redirects

    async def send(self, request: Request) -> Reply:
        """Send it, follow redirects, read the body; raises `NoReply`."""
        began = time.monotonic()
        shown = _shown(request.url)
        try:
            async with asyncio.timeout(request.timeout_seconds):
                answer = await self._ask(request, shown)
        except TimeoutError:
            raise NoReply("timeout", f"{shown} gave no full answer within {request.timeout_seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
            raise _no_reply(error, shown) from None
        cookies = tuple((cookie.name, cookie.value or "") for cookie in self._client.cookies.jar)
        return Reply(answer, time.monotonic() - began, cookies)

    async def _ask(self, asked: Request, shown: str) -> Answer:
        headers = [(name.encode(), value.encode()) for name, value in asked.headers]
        request = self._client.build_request(asked.method, asked.url, headers=headers, content=asked.body or None)
        for _ in range(self._max_redirects + 1):
            response = await self._client.send(request, stream=True, follow_redirects=False)
            try:
                if response.next_request is None or not asked.follow_redirects:
                    return await self._answer(response, shown)
            finally:
                await response.aclose()
            request = _onward(request, response.next_request)
        raise NoReply("redirects", f"{shown} redirects more than {self._max_redirects} times")

    async def _answer(self, response: httpx.Response, shown: str) -> Answer:
        body = bytearray()
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > self._max_body_bytes:
                raise NoReply("size", f"the body of {shown} is larger than {self._max_body_bytes:,} bytes")
        headers = tuple((name.lower(), value) for name, value in response.headers.multi_items())
        return Answer(response.status_code, headers, bytes(body))


def _onward(before: httpx.Request, following: httpx.Request) -> httpx.Request:
    """The request of a redirect, without credentials where it leaves its origin."""
    if before.url.raw_host != following.url.raw_host or before.url.port != following.url.port:
        for name in _CREDENTIALS:
            following.headers.pop(name, None)
    return following


def _shown(url: str) -> str:
    """The address as it may be told."""
    try:
        return parse_url(url).shown
    except ValueError:
        return "the address"


def _no_reply(error: Exception, shown: str) -> NoReply:
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return _told(handshake_failed(cause), shown)
        if isinstance(cause, socket.gaierror):
            return NoReply("dns", f"the name of {shown} cannot be resolved: {cause.strerror}")
    systems = [cause for cause in causes if isinstance(cause, OSError) and cause.errno]
    if isinstance(error, httpx.ConnectError) and systems:
        return _told(connecting_failed(systems[0], shown), "")
    if isinstance(error, httpx.NetworkError) and systems:
        return _told(talking_failed(systems[0], "it was read"), shown)
    if isinstance(error, httpx.TransportError | httpx.DecodingError):
        return NoReply("protocol", f"{shown}: {str(error) or type(error).__name__}")
    return NoReply("request", f"the request to {shown} cannot be sent: {type(error).__name__}")


def _told(failed: ProbeFailed, shown: str) -> NoReply:
    return NoReply(failed.reason, f"{shown}: {failed.detail}" if shown else failed.detail, is_fault=failed.is_fault)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what it came from, and so on; each once."""
    waiting, seen = [error], list[BaseException]()
    while waiting:
        cause = waiting.pop(0)
        if cause is None or cause in seen:
            continue
        seen.append(cause)
        yield cause
        waiting += [cause.__cause__, cause.__context__]
        if isinstance(cause, BaseExceptionGroup):
            waiting += cause.exceptions
