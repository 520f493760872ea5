"""Questions to the API of a host: bounded in time and size, without redirects, within its rate limits.

What did not change since it was asked last is not sent again (`ETag`), and on GitHub counts against no limit.
"""

import json
import re
import ssl
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

import httpx

from controlplane.ports import Permanent, Transient
from exporters.repositories.ports import RateLimited

CALL_SECONDS: Final = 20.0
MOST_BYTES: Final = 16 * 2**20  # of an answer
_MOST_KEPT: Final = 400  # answers that are remembered
_MOST_KEPT_BYTES: Final = 2**20  # of one that is
_SHOWN: Final = 300
_LONGEST_PAUSE: Final = timedelta(hours=2)
_STANDARD_PAUSE: Final = timedelta(minutes=1)  # what GitHub asks for after a secondary limit without a time
_NEXT: Final = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)
_UNCHANGED: Final = 304
_LATER: Final = (408, 425)
_REDIRECT: Final = range(301, 400)
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500


class Missing(Permanent):
    """There is no such thing, or none that this token may see."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered. `next` is the address of the next page, empty on the last one."""

    data: object
    next: str = ""


@dataclass(frozen=True, slots=True)
class _Kept:
    tag: str
    answer: Answer


class Asking:
    """One host. `secrets` are cut out of every error. Certificates are verified; proxies of the environment not used.

    `now` is when pauses are counted from: whoever begins a turn sets it.
    """

    def __init__(
        self,
        host: str,
        url: str,
        *,
        headers: Mapping[str, str],
        secrets: tuple[str, ...],
        now: datetime,
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        address = httpx.URL(url)
        self._host = f"{host} at {address.host}"
        self._url = url.rstrip("/")
        self._secrets = secrets
        self._seconds = call_seconds
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._blocked_until: datetime | None = None
        self.now = now
        self._client = httpx.Client(
            headers={"User-Agent": "flyball", **headers},
            timeout=call_seconds,
            trust_env=False,
            follow_redirects=False,
            verify=_system_trust(),
        )

    def close(self) -> None:
        """Close connections."""
        self._client.close()

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """The answer. Raises `RateLimited`, `Transient`, `Missing` (404, 410) or `Permanent`."""
        if self._blocked_until is not None and self.now < self._blocked_until:
            raise RateLimited(f"{self._host}: its rate limit is used up", self._blocked_until)
        url = path if path.startswith(("http://", "https://")) else f"{self._url}{path}"
        if query:
            url = str(httpx.URL(url, params=dict(query)))
        kept = self._kept.get(url)
        status, headers, body = self._exchange(url, {"If-None-Match": kept.tag} if kept else {})
        self._note_limit(headers)
        if status == _UNCHANGED and kept is not None:
            self._kept.move_to_end(url)
            return kept.answer
        if status not in range(200, 300):
            raise self._failure(path, status, headers, body)
        answer = Answer(self._json(body), self._next(headers))
        tag = headers.get("etag", "")
        if tag and len(body) <= _MOST_KEPT_BYTES:
            self._kept[url] = _Kept(tag, answer)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return answer

    def pages(self, path: str, query: Mapping[str, str] | None = None, *, most: int = 1000) -> Iterator[list[object]]:
        """A list, page by page, as its `Link` headers lead; at most so many pages."""
        answer = self.get(path, query)
        for _ in range(most):
            if not isinstance(answer.data, list):
                raise self.odd(path)
            yield answer.data
            if not answer.next:
                return
            answer = self.get(answer.next)

    def odd(self, path: str) -> Permanent:
        """The answer is JSON, but not what this host should say."""
        return Permanent(f"{self._host}: {self._clean(path)}: an answer of unknown shape: is this its address?")

    def _exchange(self, url: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        deadline = time.monotonic() + self._seconds
        body = bytearray()
        try:
            with self._client.stream("GET", url, headers=dict(headers)) as response:
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > MOST_BYTES:
                        raise Permanent(f"{self._host} answers with more than {MOST_BYTES:,} bytes")
                    if time.monotonic() > deadline:
                        raise httpx.ReadTimeout("too slow")
                found = {name.lower(): value for name, value in response.headers.items()}
                return response.status_code, found, bytes(body)
        except httpx.TimeoutException:
            raise Transient(f"{self._host} did not answer within {self._seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise Transient(f"{self._host} is unreachable: {self._clean(str(error) or type(error).__name__)}") from None

    def _note_limit(self, headers: Mapping[str, str]) -> None:
        """Hosts say how many requests are left: after the last one nothing is asked until there are more."""
        for prefix in ("x-ratelimit", "ratelimit"):
            if headers.get(f"{prefix}-remaining") == "0" and (until := self._reset(headers, prefix)) is not None:
                self._blocked_until = until

    def _reset(self, headers: Mapping[str, str], prefix: str) -> datetime | None:
        text = headers.get(f"{prefix}-reset", "")
        if not text.isdecimal() or len(text) > 11:
            return None
        at = datetime.fromtimestamp(int(text), UTC)
        return min(max(at, self.now + timedelta(seconds=1)), self.now + _LONGEST_PAUSE)

    def _failure(self, path: str, status: int, headers: Mapping[str, str], body: bytes) -> Transient | Permanent:
        words = self._clean(" ".join(body[: 8 * _SHOWN].decode(errors="replace").split()) or "no reason given")
        said = f"{self._host}: {self._clean(path)}: status {status}: {words}"
        if status == _TOO_MANY or (status == 403 and _is_limit(headers, words)):
            return RateLimited(said, self._pause(headers))
        if status in _REDIRECT:
            return Permanent(f"{self._host}: {self._clean(path)} has moved: write where it is now")
        if status in (404, 410):
            return Missing(f"{said}. Does it exist, and may the token read it?")
        if status in _LATER or status >= _SERVER_ERROR:
            return Transient(said)
        return Permanent(said)

    def _pause(self, headers: Mapping[str, str]) -> datetime:
        """Until when the host wants to be left alone: `Retry-After`, or when its limit is renewed."""
        after, until = headers.get("retry-after", "").strip(), self.now + _STANDARD_PAUSE
        if after.isdecimal():
            until = self.now + timedelta(seconds=min(int(after[:9]), 86_400))
        elif after:
            with suppress(ValueError, TypeError):
                until = parsedate_to_datetime(after).astimezone(UTC)
        elif self._blocked_until is not None and self._blocked_until > self.now:
            until = self._blocked_until
        return min(max(until, self.now + timedelta(seconds=1)), self.now + _LONGEST_PAUSE)

    def _next(self, headers: Mapping[str, str]) -> str:
        """The next page, if it is on this host: the token goes nowhere else."""
        found = _NEXT.search(headers.get("link", ""))
        if found is None:
            return ""
        here, there = httpx.URL(self._url), httpx.URL(self._url).join(found[1])
        if (there.scheme, there.host, there.port) != (here.scheme, here.host, here.port):
            raise Permanent(f"{self._host} says that its next page is on another host: is its address right?")
        return str(there)

    def _json(self, body: bytes) -> object:
        try:
            found: object = json.loads(body)
        except (ValueError, RecursionError):
            raise Permanent(f"{self._host} answers with something that is no JSON: is this its address?") from None
        return found

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            if len(secret) > 3:
                text = text.replace(secret, "***")
        return text.replace(self._url, "")[:_SHOWN]


@lru_cache(maxsize=1)
def _system_trust() -> ssl.SSLContext:
    """The certificates that this system trusts; read once."""
    return ssl.create_default_context()


def _is_limit(headers: Mapping[str, str], words: str) -> bool:
    if "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0":
        return True
    return "rate limit" in words.lower()
