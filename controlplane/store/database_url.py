"""Which database to talk to: the URL as users write it, made safe to show."""

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from controlplane.ports import Permanent

_SCHEMES = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_EXPECTED = "expected sqlite:///path/to/file.db or postgresql://user@host:5432/database"


def parse_database_url(text: str) -> URL:
    """The URL with its driver settled. Raises `Permanent`, never quoting `text`: it may hold a password."""
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        raise Permanent(f"the database URL cannot be read: {_EXPECTED}") from None
    driver = _SCHEMES.get(url.drivername)
    if driver is None:
        raise Permanent(f"the database URL begins with an unknown scheme: {_EXPECTED}")
    if driver == "sqlite" and (url.database or ":memory:").startswith((":memory:", "file:")):
        raise Permanent(f"SQLite needs a file, for state must survive a restart: {_EXPECTED}")
    return url.set(drivername=driver)


def describe(url: URL) -> str:
    """The URL for people: without its password and without its query, which may hold one too."""
    return url.set(drivername=url.get_backend_name(), query={}).render_as_string(hide_password=True)


def scrub(text: str, url: URL) -> str:
    """`text` with every password of `url` blotted out."""
    for secret in _secrets(url):
        text = text.replace(secret, "***")
    return text


def _secrets(url: URL) -> list[str]:
    spelled = url.render_as_string(hide_password=False)
    found = {str(url.password)} if url.password else set()
    if url.password and "@" in spelled:
        credentials = spelled.split("://", 1)[1].rsplit("@", 1)[0]
        found.add(credentials.partition(":")[2])  # the same password, percent-encoded
    for key in ("password", "sslpassword", "passfile"):
        value = url.query.get(key, ())
        found.update((value,) if isinstance(value, str) else value)
    return sorted(filter(None, found), key=len, reverse=True)
