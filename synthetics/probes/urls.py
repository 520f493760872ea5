"""URLs of requests: taken apart, followed, and fit to be told."""

import base64
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote, urljoin, urlsplit

_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_SECURE: Final = ("https", "wss")
_SAFE: Final = "/%:=&?~#+!$,;'@()*[]|"
_LONGEST: Final = 8192
_SHOWN: Final = 200
_MOST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class URL:
    """What a request needs of a URL. `host` is ASCII, IPv6 without brackets; `path` begins with / and has the query."""

    scheme: str
    host: str
    port: int
    path: str
    credentials: str = ""  # `Basic …`, from user:password@

    @property
    def is_secure(self) -> bool:
        """Whether TLS is spoken."""
        return self.scheme in _SECURE

    @property
    def authority(self) -> str:
        """As a Host header says it: without the scheme's own port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """Who may see the same secrets."""
        return self.scheme, self.host, self.port

    @property
    def shown(self) -> str:
        """For people and logs: no user, no query, which may hold secrets."""
        path, question, _ = self.path.partition("?")
        return f"{self.scheme}://{self.authority}{path}{'?…' if question else ''}"[:_SHOWN]


def parse_url(text: str, schemes: tuple[str, ...] = ("http", "https")) -> URL:
    """The parts of an absolute URL; without a scheme it is the first of `schemes`. ValueError says what is wrong."""
    if len(text) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST} characters")
    if any(character.isspace() or not character.isprintable() for character in text.strip()):
        raise ValueError("has a space or a control character in it")
    text = text.strip() if "://" in text else f"{schemes[0]}://{text.strip()}"
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError("has a host that is none") from None
    if parts.scheme not in schemes:
        raise ValueError(f"`{parts.scheme}` is not {' or '.join(schemes)}")
    if not parts.hostname:
        raise ValueError("names no host")
    try:
        port = _PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError:
        port = 0
    if not port:
        raise ValueError(f"has a port that is not between 1 and {_MOST_PORT}")
    path = quote(parts.path or "/", safe=_SAFE)
    query = f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
    return URL(parts.scheme, _ascii(parts.hostname), port, path + query, _basic(parts.username, parts.password))


def follow(url: URL, location: str) -> URL:
    """Where a redirect leads; spaces and foreign letters are encoded, as browsers do. ValueError as in `parse_url`."""
    return parse_url(quote(urljoin(f"{url.scheme}://{url.authority}{url.path}", location.strip()), safe=_SAFE))


def _ascii(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        raise ValueError(f"`{host}` cannot be a host name") from None


def _basic(user: str | None, password: str | None) -> str:
    if user is None and password is None:
        return ""
    pair = f"{unquote(user or '')}:{unquote(password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
