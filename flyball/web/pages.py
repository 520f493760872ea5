"""How a page becomes bytes: templates, filters, headers."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

import jinja2
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from controlplane import conventions as names
from controlplane import wording

STATIC: Final = Path(__file__).parent / "static"
THEME_COOKIE: Final = "flyball_theme"
THEMES: Final = ("auto", "light", "dark")
_REORDERING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")  # bidirectional embeddings, overrides, isolates
_LONGEST_NUMBER: Final = 10  # characters
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
    "Vary": "Cookie",
}


class Static(StaticFiles):
    """Our own files. Pages ask for them with a hash of their content, so browsers may keep those for good."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with ETag and Last-Modified; without our hash in the query it is asked for again each time."""
        response = await super().get_response(path, scope)
        hashed = scope["query_string"].decode("latin-1") == f"v={_digest(path)}"
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def render(request: Request, template: str, values: Mapping[str, object], status: int = 200) -> HTMLResponse:
    """A page, with everything in it escaped."""
    root = request.scope.get("root_path", "").rstrip("/")
    theme = request.cookies.get(THEME_COOKIE, "")
    text = environment().get_template(template).render(
        {
            "root": root,
            "here_origin": f"{request.url.scheme}://{request.url.netloc}{root}",
            "here": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            "theme": theme if theme in THEMES else "auto",
            "themes": THEMES,
            "static": lambda name: f"{root}/static/{name}?v={_digest(name)}",
            **values,
        }
    )  # fmt: skip
    return HTMLResponse(text, status_code=status, headers=HEADERS)


def web_link(url: str) -> str:
    """The URL if a browser may be sent there (http or https, with a host); else an empty string."""
    try:
        parts = urlsplit(url.strip())
        return url.strip() if parts.scheme in ("http", "https") and parts.hostname else ""
    except ValueError:
        return ""


def path_part(text: str) -> str:
    """Any text as one part of a path."""
    return quote(text, safe="")


def page_number(asked: str, pages: int) -> int:
    """The page that a reader asked for, from 1 to `pages`; whatever is no number is the first."""
    return min(max(int(asked), 1), pages) if asked.isdecimal() and len(asked) < _LONGEST_NUMBER else 1


def share(ratio: float) -> str:
    """A ratio as a place on a bar, in per cent from 0 to 100."""
    return f"{min(max(ratio, 0.0), 1.0) * 100:.2f}"


def iso(at: datetime) -> str:
    """For `<time datetime>` and JSON: UTC, to the second."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def exact(value: float | Decimal | None) -> str:
    """A number with all its digits, for tooltips."""
    return wording.MISSING if value is None else str(value)


def exact_money(value: float | Decimal | None, currency: str = "") -> str:
    """An amount with all its digits and its currency, for tooltips."""
    if value is None:
        return wording.MISSING
    return f"{value:,f} {currency}".strip() if isinstance(value, Decimal) else f"{value!r} {currency}".strip()


def sort_windows(windows: Iterable[str]) -> list[str]:
    """Windows such as `5m`, `1h`, `3d`, shortest first."""
    return sorted(windows, key=lambda it: ("smhdw".find(it[-1:]), len(it), it))


def in_order(value: object) -> object:
    """A text without the characters that show it in another order than it has: `txt.exe` could read `exe.txt`."""
    if not isinstance(value, str) or value.isascii():
        return value
    kept = _REORDERING.sub("", value)
    return Markup(kept) if isinstance(value, Markup) else kept  # noqa: S704 -- it was markup before


@cache
def environment() -> jinja2.Environment:
    """Templates with our filters; everything is escaped, and nothing changes the direction of what stands around it."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("flyball.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=in_order,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": wording.percent,
        "good_percent": wording.good_percent,
        "times": wording.times,
        "count": wording.count,
        "duration": wording.duration,
        "money": wording.money,
        "aligned_percent": wording.aligned_percent,
        "exact_money": exact_money,
        "sort_windows": sort_windows,
        "idle": lambda name: "idle capacity" if name == names.IDLE_SERVICE else name,
        "window": wording.window,
        "utc": wording.utc,
        "iso": iso,
        "exact": exact,
        "web_link": web_link,
        "path_part": path_part,
        "share": share,
        "count_all": "{:,}".format,
    }
    return environment


@cache
def _digest(name: str) -> str:
    path = STATIC / name
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else ""
