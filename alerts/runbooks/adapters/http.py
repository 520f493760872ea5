"""Steps that are HTTP requests: bounded in time and size, without redirects, with headers from the environment."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import httpx

from alerts.runbooks.model import RunbookStep
from alerts.runbooks.ports import AfterCrash, Performed
from controlplane.ports import Permanent, Transient

MOST_BYTES: Final = 64 * 1024
SHOWN_BYTES: Final = 2_000
HEADERS: Final = "headersFrom."
REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})  # RFC 9110, 9.2.2
_EXPECTED: Final = re.compile(r"[1-5](?:[0-9]{2}|xx)")
_AGENT: Final = "flyball-runbook"


class HTTPSteps:
    """Implements `Performer`. `secrets_of` gives the values of variables by name, as far as they are set."""

    def __init__(self, secrets_of: Callable[[Iterable[str]], Mapping[str, str]]) -> None:
        self._secrets_of = secrets_of

    def check(self, step: RunbookStep) -> str:
        """What would be sent where; its secrets are there, and its host has an address."""
        url = _url(step)
        self._headers(step)
        try:
            socket.getaddrinfo(url.host, url.port or (443 if url.scheme == "https" else 80), type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise Transient(f"the host {url.host} is not found") from None
        body = step.settings.get("body", "")
        content = f" with {len(body.encode()):,} bytes" if body else ""
        return f"{_method(step)} {_shown(url)}{content}, which must answer {_expected(step)}"

    def look(self, step: RunbookStep) -> str:
        """Nobody can tell."""
        return ""

    def perform(self, step: RunbookStep, key: str) -> Performed:
        """Send it once. Raises `Permanent` for another answer than expected, `Transient` for none."""
        url, method, seconds = _url(step), _method(step), step.timeout.total_seconds()
        headers, secrets = self._headers(step)
        body = step.settings.get("body", "").encode()
        deadline = time.monotonic() + seconds
        try:
            with (
                httpx.Client(timeout=seconds, trust_env=False, headers={"User-Agent": _AGENT}) as client,
                client.stream(
                    method, url, content=body or None, headers={**headers, "Idempotency-Key": key}
                ) as response,
            ):
                answer = _read(response, deadline)
        except httpx.TimeoutException:
            raise Transient(f"{_shown(url)} did not answer within {seconds:g} s: see whether it was done") from None
        except httpx.HTTPError as error:
            raise Transient(f"{_shown(url)} is not reached: {type(error).__name__}") from None
        output = _masked(answer.decode(errors="replace"), secrets)[:SHOWN_BYTES]
        text = f"{method} {_shown(url)} answered {response.status_code}"
        if not _fits(response.status_code, _expected(step)):
            shown = " ".join(output.split())[:300]
            raise Permanent(f"{text}, and {_expected(step)} was expected{f': {shown}' if shown else ''}")
        return Performed(text, output)

    def after_crash(self, step: RunbookStep, before: str) -> tuple[AfterCrash, str]:
        """By its method: what may be sent twice is sent again."""
        method = _method(step)
        if method in REPEATABLE:
            return AfterCrash.AGAIN, f"{method} may be sent twice"
        return AfterCrash.UNCLEAR, f"{method} must not be sent twice: see at {_shown(_url(step))} what came of it"

    def _headers(self, step: RunbookStep) -> tuple[dict[str, str], list[str]]:
        """Headers with their secrets, and the secrets."""
        wanted = {
            name.removeprefix(HEADERS): from_ for name, from_ in step.settings.items() if name.startswith(HEADERS)
        }
        values = self._secrets_of(wanted.values())
        missing = [variable for variable in wanted.values() if not values.get(variable)]
        if missing:
            raise Permanent(
                f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set in the environment"
            )
        headers = {header: values[variable] for header, variable in wanted.items()}
        body = step.settings.get("body", "")
        if body and "content-type" not in {name.lower() for name in headers}:
            headers["Content-Type"] = "application/json" if _is_json(body) else "text/plain; charset=utf-8"
        return headers, sorted(values.values(), key=len, reverse=True)


def _url(step: RunbookStep) -> httpx.URL:
    try:
        url = httpx.URL(step.settings.get("url", ""))
    except httpx.InvalidURL as error:
        raise Permanent(f"its address is not a URL: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise Permanent("its address does not begin with http:// or https:// and a host")
    return url


def _shown(url: httpx.URL) -> str:
    """Without what may be secret in it."""
    return str(url.copy_with(userinfo=b"", query=None, fragment=None))


def _method(step: RunbookStep) -> str:
    return step.settings.get("method", "GET").upper()


def _expected(step: RunbookStep) -> str:
    return step.settings.get("expect", "") or "2xx"


def _fits(status: int, expected: str) -> bool:
    wanted = _EXPECTED.findall(expected)
    return any(str(status) == each or (each.endswith("xx") and str(status)[0] == each[0]) for each in wanted)


def _read(response: httpx.Response, deadline: float) -> bytes:
    """As much of the answer as is looked at."""
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MOST_BYTES:
            break
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer is too slow")
    return bytes(body[:MOST_BYTES])


def _masked(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return text


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
