"""Public status pages, served in place from what was last published: never from the database.

`/status/PAGE/…` answers without the console's token; the page links to nothing else of ours.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from stat import S_ISREG
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

PREFIX: Final = "/status/"
_LARGEST: Final = 32 * 1024 * 1024
_FOR_EVERYBODY: Final = ("api/v2/", "badge/")  # other sites read and show these
_BADGES: Final = ("badge.svg", "icon.svg")
_DIGITS: Final = 32


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    changed_at: datetime

    @property
    def tag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:_DIGITS]}"'


def status_routes(directory: Path) -> list[BaseRoute]:
    """For pages that are published to folders in `directory`, each under its name."""
    files = _StatusFiles(directory)
    return [
        Route("/status/{page}", files.to_folder, methods=["GET"]),
        Route("/status/{page}/{path:path}", files.answer, methods=["GET"]),
    ]


class _StatusFiles:
    """Plain functions, so that Starlette runs them in threads: disks may be slow."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def to_folder(self, request: Request) -> Response:
        """Relative links need the slash."""
        page = request.path_params["page"]
        if not _is_name(page) or self._generation(page) is None:
            return _missing()
        return RedirectResponse(f"{request.scope.get('root_path', '')}{PREFIX}{page}/", status_code=308)

    def answer(self, request: Request) -> Response:
        """The file, or that it is known already."""
        page, path = request.path_params["page"], request.path_params["path"]
        if path == "" or path.endswith("/"):
            path += "index.html"
        found = self._read(page, path)
        if found is None:
            return _missing()
        headers = _headers(path, found)
        if _is_known(request, found):
            return Response(status_code=304, headers=headers)
        return Response(found.content, headers=headers)

    def _generation(self, page: str) -> Path | None:
        """Looked up once for each request, so that a file never comes from two of them."""
        link = self._directory / page / "current"
        try:
            return link.parent / link.readlink()
        except OSError:
            return None

    def _read(self, page: str, path: str) -> _File | None:
        parts = path.split("/")
        if not all(map(_is_name, (page, *parts))):
            return None
        generation = self._generation(page)
        if generation is None:
            return None
        file = generation.joinpath(*parts)
        try:
            status = file.lstat()
            if not S_ISREG(status.st_mode) or status.st_size > _LARGEST:
                return None
            return _File(file.read_bytes(), datetime.fromtimestamp(int(status.st_mtime), UTC))
        except (OSError, ValueError):
            return None


def _is_name(part: str) -> bool:
    """One name in a folder that leads nowhere else and is not hidden."""
    return bool(part) and not part.startswith(".") and not any(sign in part for sign in "/\\\x00")


def _is_known(request: Request, file: _File) -> bool:
    """RFC 9110, 13.2.2: `If-None-Match` decides where it is given, `If-Modified-Since` where it is not."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        known = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return "*" in known or file.tag in known
    since = request.headers.get("if-modified-since")
    if since is None:
        return False
    try:
        at = parsedate_to_datetime(since)
    except ValueError:
        return False
    return at.tzinfo is not None and file.changed_at <= at


def _headers(path: str, file: _File) -> Mapping[str, str]:
    from synthetics.status_page.publishing import cache_control, content_type

    shared = path.startswith(_FOR_EVERYBODY) or path in _BADGES
    headers = {
        "Content-Type": content_type(path),
        "Cache-Control": cache_control(path),
        "ETag": file.tag,
        "Last-Modified": format_datetime(file.changed_at, usegmt=True),
        "Content-Security-Policy": _policy(path),
        "Cross-Origin-Resource-Policy": "cross-origin" if shared else "same-origin",
    }
    if path.startswith("api/v2/"):
        headers["Access-Control-Allow-Origin"] = "*"
    return headers


def _policy(path: str) -> str:
    """The page holds browsers to where its form posts itself, in a `meta` element; frames only a header can forbid."""
    if path.endswith(".html"):
        return "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    return "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"


def _missing() -> Response:
    return PlainTextResponse("There is no such file on this status page.\n", 404, headers={"Cache-Control": "no-store"})
