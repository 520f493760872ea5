"""HTTP, phase by phase as blackbox_exporter times it: a connection of its own for each request and redirect."""

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.metadata import version
from typing import Final
from urllib.parse import urlsplit

from controlplane.model.check import CheckSample, Timing
from synthetics.probes.adapters.certificates import (
    certificate_samples,
    earliest_end,
    unverified_chain,
    verified_chain,
)
from synthetics.probes.adapters.failures import ProbeFailed, talking_failed
from synthetics.probes.adapters.http_bodies import Body
from synthetics.probes.adapters.http_cookies import Cookies
from synthetics.probes.adapters.http_exchange import Head, Headers, Request, Talk
from synthetics.probes.adapters.http_one import exchange as exchange_one
from synthetics.probes.adapters.resolving import Address, address_samples, resolve
from synthetics.probes.adapters.streams import Stream
from synthetics.probes.adapters.tls_contexts import CertificateRefused, client_context
from synthetics.probes.attempt import Answer, Attempt, Surroundings
from synthetics.probes.modules import HTTPModule
from synthetics.probes.urls import URL, follow, parse_url
from synthetics.probes.variables import MissingVariable, filled, named_in

USER_AGENT: Final = f"flyball/{version('flyball')}"
PHASES: Final = ("resolve", "connect", "tls", "processing", "transfer")
_WAITED_FOR: Final = {
    "resolve": "the name server's answer",
    "connect": "the connection",
    "tls": "the TLS handshake",
    "processing": "the response",
    "transfer": "the end of the body",
}
_SECONDS: Final = "probe_http_duration_seconds"
_MOVED: Final = (301, 302, 303, 307, 308)
_KEEPS_METHOD: Final = (307, 308)
_SECRET_HEADERS: Final = ("authorization", "cookie", "proxy-authorization", "x-api-key")
_PROTOCOLS: Final = ("h2", "http/1.1")


async def probe_http(module: HTTPModule, target: str, around: Surroundings) -> Attempt:
    """Ask once, following redirects; a try that fails still tells what it measured until then."""
    trial = _Trial(module, around)
    try:
        await trial.run(target)
    except ProbeFailed as failed:
        return trial.attempt(failed)
    return trial.attempt(None)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request of the chain, with what it may take along."""

    url: URL
    method: str
    headers: Headers
    body: bytes
    host: str = ""  # another Host than the URL's
    server_name: str = ""


class _Phases:
    """Seconds by phase, summed over all redirects; one phase goes on at a time."""

    def __init__(self) -> None:
        self.seconds: Final[dict[str, float]] = {}
        self.current = ""
        self._since = 0.0

    def enter(self, phase: str) -> None:
        """End the phase that goes on, and begin another; an empty name begins none."""
        now = time.perf_counter()
        if self.current:
            self.seconds[self.current] = self.seconds.get(self.current, 0.0) + now - self._since
        self.current, self._since = phase, now


@dataclass(slots=True)
class _Shown:
    """What TLS showed on the last connection; empty without TLS."""

    version: str | None = None
    chain: tuple[bytes, ...] = ()
    believed: tuple[bytes, ...] = ()

    @property
    def ends_at(self) -> datetime | None:
        return earliest_end(self.chain)


@dataclass(slots=True)
class _Found:
    """What is known so far; blackbox_exporter's gauges stand at 0 until something is."""

    head: Head | None = None
    body: Body | None = None
    redirects: int = 0
    address: Address | None = None
    lookup_seconds: float = 0.0
    shown: _Shown = field(default_factory=_Shown)
    notes: list[str] = field(default_factory=list)


class _Trial:
    def __init__(self, module: HTTPModule, around: Surroundings) -> None:
        self._module = module
        self._around = around
        self._ends_at = time.monotonic() + around.timeout_seconds
        self._phases = _Phases()
        self._found = _Found()
        self._cookies = Cookies()

    async def run(self, target: str) -> None:
        """All requests of the chain. Raises ProbeFailed."""
        asked = self._first(target)
        seen: set[tuple[str, URL, str]] = set()
        while True:
            key = (asked.method, asked.url, self._cookies.header(asked.url))
            if key in seen:
                raise ProbeFailed("redirects", f"the redirects lead back to {asked.url.shown}")
            seen.add(key)
            head = await self._ask(asked)
            location = head.header("location") if head.status in _MOVED else ""
            if not location:
                break
            self._found.redirects += 1
            if not self._module.follow_redirects:
                break
            if self._found.redirects > self._module.max_redirects:
                raise ProbeFailed("redirects", f"more than {self._module.max_redirects} redirects")
            asked = self._next(asked, head, location)
        self._check_scheme(asked.url)

    def attempt(self, failed: ProbeFailed | None) -> Attempt:
        """What the try gave."""
        self._phases.enter("")
        seconds, found = self._phases.seconds, self._found
        head = found.head
        return Attempt(
            timings=tuple(Timing(phase, seconds[phase]) for phase in PHASES if phase in seconds),
            samples=self._samples(),
            answer=Answer(
                status=head.status if head else None,
                headers=head.headers if head else (),
                body=found.body.content if found.body and failed is None else b"",
                certificate_ends_at=found.shown.ends_at,
            ),
            reason=failed.reason if failed else "",
            detail=failed.detail if failed else "",
            is_fault=failed is not None and failed.is_fault,
            notes=tuple(found.notes),
        )

    def _first(self, target: str) -> _Asked:
        module, variables = self._module, self._around.variables
        try:
            url = parse_url(target)
        except ValueError as error:
            raise ProbeFailed("target", f"the target {error}", is_fault=True) from None
        try:
            headers = {name.lower(): filled(value, variables) for name, value in module.headers}
            body = filled(module.body, variables).encode()
        except MissingVariable as missing:
            raise ProbeFailed("variable", str(missing), is_fault=True) from None
        host = headers.pop("host", "")
        headers.setdefault("user-agent", USER_AGENT)
        if url.credentials:
            headers.setdefault("authorization", url.credentials)
        if self._around.traceparent:
            headers["traceparent"] = self._around.traceparent
        # As blackbox_exporter: a Host header names the certificate, too.
        server_name = module.tls.server_name or urlsplit(f"//{host}").hostname or url.host
        return _Asked(url, module.method.upper(), tuple(headers.items()), body, host, server_name)

    def _next(self, asked: _Asked, head: Head, location: str) -> _Asked:
        try:
            url = follow(asked.url, location)
        except ValueError as error:
            raise ProbeFailed("redirects", f"the redirect's address {error}") from None
        self._found.notes.append(f"{head.status}: redirected to {url.shown}")
        if asked.url.is_secure and not url.is_secure:
            self._found.notes.append("this redirect gives up TLS")
        keeps = head.status in _KEEPS_METHOD or asked.method in ("GET", "HEAD")
        moved = replace(asked, url=url) if keeps else replace(asked, url=url, method="GET", body=b"")
        if url.origin == asked.url.origin:
            return moved
        if moved.body and named_in(self._module.body):
            raise ProbeFailed("redirects", f"a redirect would take the body, with its secrets, to {url.shown}")
        secret = {name.lower() for name, value in self._module.headers if named_in(value)} | set(_SECRET_HEADERS)
        open_ones = tuple(pair for pair in moved.headers if pair[0] not in secret)
        is_same_host = url.host == asked.url.host
        server_name = asked.server_name if is_same_host else url.host
        return replace(moved, headers=open_ones, host=asked.host if is_same_host else "", server_name=server_name)

    async def _ask(self, asked: _Asked) -> Head:
        """One request on a connection of its own, within what is left of the time."""
        address = await self._resolve(asked.url)
        stream: Stream | None = None
        try:
            async with asyncio.timeout(self._left()):
                self._phases.enter("connect")
                stream = await Stream.connect(address)
                self._phases.enter("")
                protocol = await self._secure(stream, asked)
                return await self._talk(stream, asked, protocol)
        except TimeoutError:
            raise self._too_late() from None
        except OSError as error:
            doing = "the body was read" if self._phases.current == "transfer" else "the response was awaited"
            raise talking_failed(error, doing) from None
        finally:
            self._phases.enter("")
            if stream is not None:
                stream.close()

    async def _resolve(self, url: URL) -> Address:
        self._phases.enter("resolve")
        family, pins = self._module.ip_family, self._around.resolve
        address = await resolve(url.host, url.port, family, pins, self._left())
        if self._found.address is None:
            self._phases.enter("resolve")
            self._found.address, self._found.lookup_seconds = address, self._phases.seconds["resolve"]
        self._found.notes.append(f"connecting to {address} for {url.shown}")
        return address

    async def _secure(self, stream: Stream, asked: _Asked) -> str:
        """Shake hands where the URL wants TLS; the protocol that was agreed on."""
        self._found.shown = _Shown()
        if not asked.url.is_secure:
            return ""
        module = self._module
        context = client_context(module.tls, _PROTOCOLS if module.http2 else _PROTOCOLS[1:])
        stream.prepare_tls(context, asked.server_name)
        self._phases.enter("tls")
        try:
            tls = await stream.shake_hands()
        except ProbeFailed as failed:
            if isinstance(failed.__cause__, CertificateRefused):
                self._found.shown = _Shown(chain=failed.__cause__.chain)
            raise
        self._phases.enter("")
        believed = verified_chain(tls) if module.tls.verify else ()
        self._found.shown = _Shown(tls.version(), unverified_chain(tls), believed)
        return tls.selected_alpn_protocol() or ""

    async def _talk(self, stream: Stream, asked: _Asked, protocol: str) -> Head:
        cookies = self._cookies.header(asked.url)
        headers = (*asked.headers, ("cookie", cookies)) if cookies else asked.headers
        request = Request(
            asked.method, asked.url.scheme, asked.host or asked.url.authority, asked.url.path, headers, asked.body
        )
        most = self._module.max_body_bytes
        talk = Talk(stream, most, lambda: self._phases.enter("transfer"), lambda head: self._took(head, asked))
        self._phases.enter("processing")
        if protocol == "h2":
            from synthetics.probes.adapters.http_two import exchange as exchange_two

            await exchange_two(request, talk)
        else:
            await exchange_one(request, talk)
        assert self._found.head is not None
        return self._found.head

    def _took(self, head: Head, asked: _Asked) -> Body | None:
        """Note the head; the body to fill, or None for a redirect that is followed."""
        self._found.head = head
        for name, value in head.headers:
            if name == "set-cookie":
                self._cookies.take(asked.url, value)
        if self._module.follow_redirects and head.status in _MOVED and head.header("location"):
            return None
        encoding = "" if asked.method == "HEAD" else head.header("content-encoding")
        body = Body(self._module.max_body_bytes, is_wanted=self._around.wants_body, encoding=encoding)
        self._found.body = body
        if asked.method != "HEAD":
            body.announce(head.content_length)
        return body

    def _check_scheme(self, url: URL) -> None:
        if self._module.fail_if_tls and url.is_secure:
            raise ProbeFailed("tls", "it ends with TLS, which it must not")
        if self._module.fail_if_not_tls and not url.is_secure:
            raise ProbeFailed("tls", f"it ends without TLS, at {url.shown}")

    def _left(self) -> float:
        return max(self._ends_at - time.monotonic(), 0.0)

    def _too_late(self) -> ProbeFailed:
        phase, body = self._phases.current, self._found.body
        far = f", {body.length:,} bytes of it were read" if phase == "transfer" and body is not None else ""
        waited = _WAITED_FOR.get(phase, "the target")
        if phase == "transfer" and body is None:
            waited = "the end of the headers"
        return ProbeFailed("timeout", f"{self._around.timeout_seconds:.3g} s were over while waiting for {waited}{far}")

    def _samples(self) -> tuple[CheckSample, ...]:
        found, head, seconds = self._found, self._found.head, self._phases.seconds
        phases = PHASES if found.address is not None else PHASES[:1]
        samples = [
            *(CheckSample(_SECONDS, seconds.get(phase, 0.0), (("phase", phase),)) for phase in phases),
            CheckSample("probe_http_status_code", head.status if head else 0),
            CheckSample("probe_http_content_length", head.content_length if head else 0),
            CheckSample("probe_http_uncompressed_body_length", found.body.length if found.body else 0),
            CheckSample("probe_http_redirects", found.redirects),
            CheckSample("probe_http_ssl", 1 if found.shown.version else 0),
            CheckSample("probe_http_version", head.version if head else 0),
            *address_samples(found.address, found.lookup_seconds or seconds.get(PHASES[0], 0.0)),
        ]
        changed = _unix_time(head.header("last-modified")) if head else None
        if changed is not None:
            samples.append(CheckSample("probe_http_last_modified_timestamp_seconds", changed))
        return (*samples, *certificate_samples(found.shown.chain, found.shown.believed, found.shown.version))


def user_agent() -> str:
    """`flyball/VERSION`."""
    return USER_AGENT


def _unix_time(text: str) -> float | None:
    if not text:
        return None
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
