"""Requests to a flag store over HTTP: a whole call is bounded in time and size, and its errors hold no secret."""

import json
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import httpcore

from controlplane.model.event import JSON
from controlplane.ports import Permanent, Transient
from finops.flags.adapters.deadline import Deadline, InTime

CALL_SECONDS: Final = 4.5  # a call of a store must have ended within 5 s
MOST_BYTES: Final = 16 * 2**20
_REDIRECT: Final = range(300, 400)
_SUCCESS: Final = range(200, 300)
_LATER: Final = (408, 423, 425, 429)
_SERVER_ERROR: Final = 500
_NO_TOKEN: Final = (401, 403)
_SHORTEST_SECRET: Final = 6
_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer that is no redirect."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def succeeded(self) -> bool:
        """Whether the status is 2xx."""
        return self.status in _SUCCESS


class Server:
    """One server at `url`, which may have a path. Connections are kept for some seconds, and threads may share it.

    No redirect is followed, since it would carry credentials elsewhere; certificates are verified against those that
    this system trusts; proxies of the environment are not used. `secrets` are cut out of every error, and so is the
    URL's path, which holds a token at some services.
    """

    def __init__(
        self,
        what: str,
        url: str,
        *,
        headers: Mapping[str, str],
        secrets: Sequence[str] = (),
        call_seconds: float = CALL_SECONDS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        parts = _checked(what, url)
        self._what = f"{what} at {parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
        self._url = url.rstrip("/")
        long = [each for each in (parts.path, parts.query) if len(each) > 2 * _SHORTEST_SECRET]
        self._secrets = sorted(
            {each for each in (*secrets, *long) if len(each) >= _SHORTEST_SECRET}, key=len, reverse=True
        )
        self._headers = {
            "Host": parts.netloc.rpartition("@")[2],
            "User-Agent": "flyball",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            **headers,
        }
        self._call_seconds, self._most_bytes = call_seconds, most_bytes
        self._deadline = Deadline()
        self._pool = httpcore.ConnectionPool(
            ssl_context=_system_trust() if parts.scheme == "https" else None,
            max_connections=4,
            keepalive_expiry=4.0,
            network_backend=InTime(self._deadline),
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    @contextmanager
    def call(self) -> Iterator[None]:
        """All requests of this thread inside the block together have `call_seconds`."""
        with self._deadline.within(self._call_seconds):
            yield

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request and read the whole answer. Raises `Transient` for what may pass: network, time, 429, 5xx.

        Raises `Permanent` for redirects, refused credentials and an answer that is too large. Any other status is the
        caller's to judge.
        """
        url = f"{self._url}{path}{f'?{urlencode(query)}' if query else ''}"
        try:
            answer = self._send(method, url, content, list({**self._headers, **(headers or {})}.items()))
        except (httpcore.TimeoutException, TimeoutError):
            raise Transient(f"{self._what} did not answer within {self._call_seconds:g} s") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise Transient(f"{self._what} is unreachable: {self._clean(str(error) or type(error).__name__)}") from None
        self._judge(answer)
        return answer

    def ask_json(self, method: str, path: str, body: JSON, *, content_type: str = "application/json") -> Answer:
        """The same with a JSON body."""
        return self.ask(method, path, content=json.dumps(body).encode(), headers={"Content-Type": content_type})

    def refusal(self, answer: Answer, doing: str) -> Permanent:
        """What the server said when it would not do it."""
        return Permanent(f"{self._what}: {doing}: status {answer.status}: {self._clean(_words(answer))}")

    def data(self, answer: Answer) -> JSON:
        """The answer's JSON. Raises `Permanent` when it is none."""
        try:
            found: JSON = json.loads(answer.body)
        except (ValueError, RecursionError):
            raise Permanent(f"{self._what} answers with something that is no JSON: is this its address?") from None
        return found

    def odd(self, doing: str) -> Permanent:
        """The answer is JSON, but not what this server should say."""
        return Permanent(f"{self._what}: {doing}: an answer of unknown shape")

    def _send(
        self, method: str, url: str, content: bytes, headers: Sequence[tuple[bytes | str, bytes | str]]
    ) -> Answer:
        with (
            self._deadline.within(self._call_seconds),
            self._pool.stream(
                method, url, headers=headers, content=content, extensions={"timeout": {"pool": self._deadline.left()}}
            ) as response,
        ):
            body = bytearray()
            for chunk in response.iter_stream():
                body += chunk
                if len(body) > self._most_bytes:
                    raise Permanent(f"{self._what} answers with more than {self._most_bytes:,} bytes")
            lines = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            return Answer(response.status, lines, bytes(body))

    def _judge(self, answer: Answer) -> None:
        if answer.status in _REDIRECT and answer.status != 304:
            target = urlsplit(answer.headers.get("location", ""))
            where = f"{target.scheme}://{target.hostname}" if target.hostname else "another path"
            raise Permanent(f"{self._what} redirects to {self._clean(where)}: write the address that it answers at")
        if answer.status in _NO_TOKEN:
            raise Permanent(f"{self._what} refuses our credentials: {self._clean(_words(answer))}")
        if answer.status in _LATER or answer.status >= _SERVER_ERROR:
            raise Transient(f"{self._what} answers with status {answer.status}: {self._clean(_words(answer))}")

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text[:_SHOWN]


def segment(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")


def _words(answer: Answer) -> str:
    return " ".join(answer.body[: 16 * _SHOWN].decode(errors="replace").split()) or "no reason given"


def _checked(what: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Permanent(f"{what}: its address is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise Permanent(f"{what}: its address must begin with http:// or https:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise Permanent(f"{what}: its address holds a user or a password: those come from the environment")
    return parts


@lru_cache(maxsize=1)
def _system_trust() -> ssl.SSLContext:
    """The certificates that this system trusts, SSL_CERT_FILE if it is set; read once."""
    return ssl.create_default_context()
