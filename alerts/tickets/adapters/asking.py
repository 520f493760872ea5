"""Requests to a tracker over HTTP: each bounded in time and size, without redirects; its errors hold no secret."""

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlencode, urlsplit

from alerts.ports import RateLimited
from alerts.tickets.ports import Gone
from controlplane.model.event import JSON
from controlplane.ports import Permanent, Transient

CALL_SECONDS: Final = 10.0
MOST_BYTES: Final = 8 * 2**20  # of an answer
_SHOWN: Final = 300
_LONGEST_PAUSE: Final = timedelta(hours=1)
_STANDARD_PAUSE: Final = timedelta(minutes=1)
_REDIRECT: Final = range(300, 400)
_LATER: Final = (408, 423, 425)
_TOO_MANY: Final = 429
_FORBIDDEN: Final = 403
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer with a good status."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    data: JSON


class Refused(Permanent):
    """The server said no, with this status."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


class Asking:
    """One server. `secrets` are cut out of every error; `now` is when pauses are counted from.

    Certificates are verified against those that this system trusts; proxies of the environment are not used.
    """

    def __init__(
        self,
        what: str,
        url: str,
        *,
        headers: Mapping[str, str],
        secrets: tuple[str, ...],
        now: Callable[[], datetime],
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Permanent(f"{what}: its address must begin with http:// or https:// and name a host")
        self._what = f"{what} at {parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
        self._is_secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._path = parts.path.rstrip("/")
        self._headers = {"User-Agent": "flyball", "Accept": "application/json", **headers}
        self._secrets = secrets
        self._now = now
        self._seconds = call_seconds

    def ask(self, method: str, path: str, body: JSON = None, *, query: Mapping[str, str] | None = None) -> Answer:
        """The answer, if its status is 2xx. Raises `Transient`, `RateLimited`, `Gone` (404, 410) or `Refused`."""
        status, headers, content = self._exchange(method, path, body, query)
        if status in range(200, 300):
            return Answer(status, headers, self._json(content))
        raise self._failure(method, path, status, headers, content)

    def odd(self, doing: str) -> Permanent:
        """The answer is JSON, but not what this server should say."""
        return Permanent(f"{self._what}: {doing}: an answer of unknown shape")

    def _exchange(
        self, method: str, path: str, body: JSON, query: Mapping[str, str] | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        connection = self._connection()
        cut = threading.Event()

        def cut_off() -> None:
            cut.set()
            if connection.sock is not None:
                with suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)

        watchdog = threading.Timer(self._seconds, cut_off)
        watchdog.daemon = True
        watchdog.start()
        try:
            with closing(connection):
                target = f"{self._path}{path}{f'?{urlencode(query)}' if query else ''}"
                content = None if body is None else json.dumps(body).encode()
                sent = {**self._headers, **({"Content-Type": "application/json"} if content is not None else {})}
                connection.request(method, target, body=content, headers=sent)
                response = connection.getresponse()
                found = response.read(MOST_BYTES + 1)
                headers = {name.lower(): value for name, value in response.getheaders()}
        except (OSError, http.client.HTTPException) as error:
            took_too_long = cut.is_set() or isinstance(error, TimeoutError)
            said = f"did not answer within {self._seconds:g} s" if took_too_long else f"is unreachable: {_named(error)}"
            raise Transient(f"{self._what} {self._clean(said)}") from None
        except ValueError:  # its text would tell the header
            raise Permanent(f"{self._what}: a path or a token with characters that cannot be sent") from None
        finally:
            watchdog.cancel()
        if cut.is_set():
            raise Transient(f"{self._what} did not answer within {self._seconds:g} s")
        if len(found) > MOST_BYTES:
            raise Permanent(f"{self._what} answers with more than {MOST_BYTES:,} bytes")
        return response.status, headers, found

    def _connection(self) -> http.client.HTTPConnection:
        if self._is_secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._seconds, context=context)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._seconds)

    def _failure(
        self, method: str, path: str, status: int, headers: Mapping[str, str], content: bytes
    ) -> Transient | Permanent:
        words = self._clean(" ".join(content[: 8 * _SHOWN].decode(errors="replace").split()) or "no reason given")
        said = f"{self._what}: {method} {self._clean(path)}: status {status}: {words}"
        if status == _TOO_MANY or (status == _FORBIDDEN and _is_rate_limit(headers)):
            return RateLimited(said, self._now() + self._pause(headers))
        if status in _REDIRECT:
            return Permanent(f"{self._what} redirects: write the address that it answers at")
        if status in (404, 410):
            return Gone(said)
        if status in _LATER or status >= _SERVER_ERROR:
            return Transient(said)
        return Refused(status, said)

    def _pause(self, headers: Mapping[str, str]) -> timedelta:
        """What the server asks for: Retry-After, or GitHub's time of reset; within an hour."""
        after, now = headers.get("retry-after", "").strip(), self._now()
        pause = _STANDARD_PAUSE
        if after.isdecimal():
            pause = timedelta(seconds=min(int(after[:9]), 86_400))
        elif after:
            with suppress(ValueError, TypeError):
                pause = parsedate_to_datetime(after).astimezone(UTC) - now
        elif (reset := headers.get("x-ratelimit-reset", "")).isdecimal() and len(reset) < 12:
            pause = datetime.fromtimestamp(int(reset), UTC) - now
        return min(max(pause, timedelta(seconds=1)), _LONGEST_PAUSE)

    def _json(self, content: bytes) -> JSON:
        if not content.strip():
            return None
        try:
            found: JSON = json.loads(content)
        except (ValueError, RecursionError):
            raise Permanent(f"{self._what} answers with something that is no JSON: is this its address?") from None
        return found

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            if len(secret) > 3:
                text = text.replace(secret, "***")
        return text[:_SHOWN]


def field(data: JSON, *path: str) -> JSON:
    """What stands at a path of objects; None where there is none."""
    for name in path:
        if not isinstance(data, dict):
            return None
        data = data.get(name)
    return data


def text(data: JSON, *path: str) -> str:
    """The same as text: empty where there is none; numbers as they are written."""
    found = field(data, *path)
    return str(found) if isinstance(found, str) or (isinstance(found, int) and not isinstance(found, bool)) else ""


def rows(data: JSON) -> list[JSON]:
    """A list, empty where there is none."""
    return data if isinstance(data, list) else []


def _is_rate_limit(headers: Mapping[str, str]) -> bool:
    return "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"


def _named(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
