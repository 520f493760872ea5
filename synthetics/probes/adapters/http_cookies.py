"""Cookies between the redirects of one request: sites that set one and send the browser on expect it back."""

from dataclasses import dataclass
from typing import Final

from synthetics.probes.urls import URL

_MOST: Final = 50
_LONGEST: Final = 4096


@dataclass(frozen=True, slots=True)
class _Cookie:
    name: str
    value: str
    domain: str  # empty: of `host` alone
    host: str
    path: str
    is_secure: bool

    def fits(self, url: URL) -> bool:
        """Whether it may go there (RFC 6265, 5.1.3 and 5.1.4)."""
        if self.is_secure and not url.is_secure:
            return False
        is_within = url.host == self.domain or url.host.endswith(f".{self.domain}")
        if not (is_within if self.domain else url.host == self.host):
            return False
        path = url.path.partition("?")[0]
        return path == self.path or path.startswith(self.path if self.path.endswith("/") else f"{self.path}/")


class Cookies:
    """A jar that lives as long as one try."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str, str], _Cookie] = {}

    def take(self, url: URL, header: str) -> None:
        """A Set-Cookie header of an answer from there; one for another domain is not taken."""
        pair, *attributes = header[:_LONGEST].split(";")
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not name or len(self._held) >= _MOST:
            return
        if not (pair.isascii() and pair.isprintable()):  # could not be sent back, and that is no fault of ours
            return
        said = {key.strip().lower(): text.strip() for key, _, text in (one.partition("=") for one in attributes)}
        domain = said.get("domain", "").lstrip(".").lower()
        if domain and not (url.host == domain or (url.host.endswith(f".{domain}") and "." in domain)):
            return
        path = said.get("path", "")
        if not path.startswith("/"):
            path = url.path.partition("?")[0].rpartition("/")[0] or "/"
        cookie = _Cookie(name, value, domain, url.host, path, "secure" in said)
        key = (name, domain or url.host, path)
        if said.get("max-age", "1").lstrip("-").strip("0") == "" or said.get("max-age", "").startswith("-"):
            self._held.pop(key, None)
        else:
            self._held[key] = cookie

    def header(self, url: URL) -> str:
        """What a Cookie header to there says; empty without."""
        fitting = [cookie for cookie in self._held.values() if cookie.fits(url)]
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in fitting)
