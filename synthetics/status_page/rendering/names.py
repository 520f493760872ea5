"""Where files of a page stand, and how they point at each other: always relative, so that any prefix will do."""

import hashlib
import re
from datetime import date
from typing import Final
from urllib.parse import quote

_SAFE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]+")
_DIGEST: Final = 10

INDEX: Final = "index.html"
HISTORY: Final = "history.html"
ATOM: Final = "history.atom"
RSS: Final = "history.rss"
CALENDAR: Final = "maintenance.ics"
BADGE: Final = "badge.svg"
ICON: Final = "icon.svg"
SUMMARY: Final = "api/v2/summary.json"
STATUS: Final = "api/v2/status.json"


def file_stem(id_: str) -> str:
    """The id as it is when any file system and URL takes it; else what can be taken of it, and a digest."""
    if _SAFE.fullmatch(id_):
        return id_
    digest = hashlib.sha256(id_.encode(errors="surrogatepass")).hexdigest()[:_DIGEST]
    return f"{_UNSAFE.sub('-', id_).strip('-_')[:40] or 'x'}.{digest}"


def month_page(month: date) -> str:
    """`history/2026-11.html`."""
    return f"history/{month:%Y-%m}.html"


def incident_page(id_: str) -> str:
    """`incidents/ID.html`."""
    return f"incidents/{file_stem(id_)}.html"


def uptime_page(id_: str) -> str:
    """`uptime/COMPONENT.html`."""
    return f"uptime/{file_stem(id_)}.html"


def uptime_data(id_: str, kind: str) -> str:
    """`uptime/COMPONENT.json` and `.csv`."""
    return f"uptime/{file_stem(id_)}.{kind}"


def component_badge(id_: str) -> str:
    """`badge/COMPONENT.svg`."""
    return f"badge/{file_stem(id_)}.svg"


def relative(path: str, target: str) -> str:
    """What a link in the file `path` says to reach the file `target`."""
    return "../" * path.count("/") + quote(target, safe="/.-_#")


def absolute(base: str, path: str) -> str:
    """The file's URL below the page's own; of an index file it is the folder's."""
    folder = path[: -len(INDEX)] if path == INDEX or path.endswith(f"/{INDEX}") else path
    return f"{base.rstrip('/')}/{quote(folder, safe='/.-_')}"
