"""Reports over HTTPS, signed and packed."""

import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import orjson

from controlplane.model.check import ReportHead
from controlplane.ports import Permanent
from synthetics.regions import signing
from synthetics.regions.ports import Delivered, Fate
from synthetics.regions.report_writing import join, pack

_TIMEOUT: Final = httpx.Timeout(10.0)
_OK: Final = 200
_REFUSED: Final = (400, 413, 415, 422)
_LATER: Final = (408, 425, 429)
_SERVER_ERROR: Final = 500
_MOST_SHOWN: Final = 300
_MOST_RETRY_SECONDS: Final = 3600


class HttpDelivery:
    """Implements `synthetics.regions.ports.Delivery`. `url` is the control plane's; the path is added.

    Raises `Permanent` for a URL that would show reports to everybody on the way (`http:` elsewhere than on this
    machine, unless `allow_http`), and for a token that is too short.
    """

    def __init__(
        self, url: str, *, region: str, token: str, ca_file: Path | None = None, allow_http: bool = False
    ) -> None:
        self._url = _checked(url, allow_http) + signing.PATH
        try:
            httpx.URL(self._url)
        except httpx.InvalidURL as error:
            raise Permanent(f"the address of the control plane is no URL: {error}") from None
        try:
            self._key = signing.signing_key(token, region)
        except ValueError as error:
            raise Permanent(str(error)) from None
        # Without TLS nothing is verified, and the system's certificates need not be read.
        verify = ssl.create_default_context(cafile=ca_file) if self._url.startswith("https:") else False
        self._client = httpx.Client(verify=verify, timeout=_TIMEOUT, follow_redirects=False, trust_env=False)

    def deliver(self, head: ReportHead, rendered: Sequence[bytes], now: datetime) -> Delivered:
        """Send one report; see the port."""
        body = pack(join(head, rendered))
        signed = signing.sign(
            self._key, region=head.region, prober=head.prober, sequence=head.sequence, body=body, now=now
        )
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", **signed}
        try:
            response = self._client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            return Delivered(Fate.AGAIN, f"{self._url}: {str(error) or type(error).__name__}")
        return _delivered(response)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _checked(url: str, allow_http: bool) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Permanent("the address of the control plane is no URL: expected such as https://flyball.example.com")
    if parts.username is not None or parts.query or parts.fragment:
        raise Permanent("the address of the control plane is its base alone: no password, no query")
    if parts.scheme == "http" and not allow_http and not _is_this_machine(parts.hostname):
        raise Permanent(f"reports go over https: http://{parts.hostname} would show them to everybody on the way")
    return url.rstrip("/")


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _delivered(response: httpx.Response) -> Delivered:
    code = response.status_code
    if code == _OK:
        return Delivered(Fate.TAKEN)
    reason = f"{code}: {_error(response)}"
    if code in _REFUSED:
        return Delivered(Fate.REFUSED, reason)
    if code in _LATER or code >= _SERVER_ERROR:
        return Delivered(Fate.AGAIN, reason, _retry_after(response))
    return Delivered(Fate.DENIED, reason)


def _error(response: httpx.Response) -> str:
    try:
        found = orjson.loads(response.content)["error"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        found = response.reason_phrase
    return str(found)[:_MOST_SHOWN]


def _retry_after(response: httpx.Response) -> timedelta | None:
    text = response.headers.get("retry-after", "")
    if not (text.isascii() and text.isdigit()):
        return None
    return timedelta(seconds=min(int(text[:9]), _MOST_RETRY_SECONDS))
