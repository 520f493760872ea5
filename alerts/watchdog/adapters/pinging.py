"""The heartbeat as a GET to an address that is a secret by itself, as healthchecks.io and its like give them."""

from typing import Final

import httpx

from controlplane.ports import Permanent, Transient

TIMEOUT_SECONDS: Final = 10.0
_MOST_BYTES: Final = 16 * 1024
_MAY_PASS: Final = (408, 429)
_SERVER_ERRORS: Final = 500


class Ping:
    """Implements `Pulse`. `url` never shows, its host does. Raises `Permanent` for a URL that is none."""

    def __init__(self, url: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        try:
            self._url = httpx.URL(url)
        except httpx.InvalidURL:
            raise Permanent("the heartbeat's address is not a URL") from None
        if self._url.scheme not in ("http", "https") or not self._url.host:
            raise Permanent("the heartbeat's address does not begin with https:// and a host")
        self._host = self._url.host
        self._client = httpx.Client(timeout=timeout_seconds, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def beat(self) -> None:
        """One GET; any 2xx is good, redirects are not followed."""
        try:
            with self._client.stream("GET", self._url) as response:
                read = 0
                for chunk in response.iter_raw():
                    read += len(chunk)
                    if read > _MOST_BYTES:
                        break
                status = response.status_code
        except httpx.HTTPError as error:
            raise Transient(f"the heartbeat did not reach {self._host}: {type(error).__name__}") from None
        if response.is_success:
            return
        text = f"{self._host} answered the heartbeat with {status}"
        raise Transient(text) if status >= _SERVER_ERRORS or status in _MAY_PASS else Permanent(text)
