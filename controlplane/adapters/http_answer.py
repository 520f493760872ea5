"""One HTTP request: bounded in time and size, its failures sorted into those that pass and those that stay."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from controlplane.ports import Permanent, Transient

_TOO_MANY_REQUESTS: Final = 429
_REQUEST_TIMEOUT: Final = 408
_SERVER_ERROR: Final = 500
_SUCCESS: Final = range(200, 300)
_REDIRECT: Final = range(300, 400)


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer: its status and its body, decoded from any transfer compression."""

    status: int
    body: bytes

    @property
    def succeeded(self) -> bool:
        """Whether the status is 2xx."""
        return self.status in _SUCCESS

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed later: overload, time-outs and the server's own failures."""
        return self.status in (_REQUEST_TIMEOUT, _TOO_MANY_REQUESTS) or self.status >= _SERVER_ERROR

    def words(self, limit: int = 2000) -> str:
        """The body as text for a message, shortened."""
        return " ".join(self.body[: 4 * limit].decode(errors="replace").split())[:limit]


class HTTPConversation:
    """A connection pool to one server at `url`, which may have a path and `user:password@`.

    `timeout_seconds` bounds each whole request, the reading of a slow answer included. Redirects are refused, since
    they would carry credentials elsewhere. The environment (proxies) is not read.
    Raises `Permanent` for a URL that is none.
    """

    def __init__(
        self, server: str, url: str, *, timeout_seconds: float, limit_bytes: int, headers: Mapping[str, str]
    ) -> None:
        try:
            address = httpx.URL(url.rstrip("/"))
        except httpx.InvalidURL as error:
            raise Permanent(f"{server}: not a URL: {error}") from error
        if address.scheme not in ("http", "https") or not address.host:
            raise Permanent(f"{server}: not a URL that begins with http:// or https:// and names a host")
        self.address: Final = str(address.copy_with(userinfo=b""))
        self._server = server
        self._url = str(address)
        self._timeout_seconds = timeout_seconds
        self._limit_bytes = limit_bytes
        self._client = httpx.Client(timeout=timeout_seconds, headers=dict(headers), trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | None = None,
        *,
        content: bytes | None = None,
        content_type: str = "",
        timeout_seconds: float | None = None,
    ) -> Answer:
        """Send a request, with a form or any `content`, and read the whole answer, whatever its status but a redirect.

        Raises `Transient` for network errors and time-outs, `Permanent` for redirects and answers over the limit.
        """
        patience = timeout_seconds or self._timeout_seconds
        deadline = time.monotonic() + patience
        try:
            with self._client.stream(
                method,
                f"{self._url}{path}",
                data=form,
                content=content,
                headers={"Content-Type": content_type} if content is not None else None,
                timeout=patience,
            ) as response:
                if response.status_code in _REDIRECT:
                    target = response.headers.get("location", "nowhere")
                    raise Permanent(f"{self._server} at {self.address} redirects to {target}: use that address")
                return Answer(response.status_code, self._read(response, deadline))
        except httpx.TimeoutException as error:
            raise self._too_slow(patience) from error
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise Transient(f"{self._server} at {self.address} is unreachable: {reason}") from error

    def _read(self, response: httpx.Response, deadline: float) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self._limit_bytes:
                raise Permanent(
                    f"{self._server} at {self.address} answers with more than {self._limit_bytes:,} bytes: "
                    "ask for fewer series or a shorter time"
                )
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the answer is too slow")
        return bytes(body)

    def _too_slow(self, patience: float) -> Transient:
        return Transient(f"{self._server} at {self.address} did not answer within {patience:g} s")
