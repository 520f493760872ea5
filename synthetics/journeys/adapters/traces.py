"""Playwright's traces without what must not show: zip files of JSON lines, pages as they were, and pictures.

Taken out: the journey's secrets in every form, cookies, and headers that carry credentials. What stays is what a person
saw: text on pages, and bodies of answers.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final

from synthetics.masking import LEAST_LENGTH, MASK, Masker

_PICTURES: Final = (".jpeg", ".jpg", ".png", ".webp", ".gif", ".woff", ".woff2", ".ttf")
_EVENTS: Final = (".trace", ".network")
_HEADERS: Final = frozenset(
    ("authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token", "x-csrf-token")
)
_MOST_BYTES: Final = 256 * 1024 * 1024  # of all entries, unpacked
_MOST_ENTRIES: Final = 10_000


def scrubbed(content: bytes, masker: Masker) -> bytes | None:
    """The same trace without secrets; None when it is none, or too large to be looked through."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as trace:
            entries = trace.infolist()
            if len(entries) > _MOST_ENTRIES or sum(entry.file_size for entry in entries) > _MOST_BYTES:
                return None
            texts = {entry.filename: trace.read(entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, RuntimeError, EOFError):
        return None
    found = set[str]()
    for name, text in texts.items():
        if name.endswith(_EVENTS):
            texts[name] = _without_credentials(text, found)
    both = Masker(found)
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as trace:
        for name, text in texts.items():
            trace.writestr(name, text if name.endswith(_PICTURES) else both.bytes(masker.bytes(text)))
    return result.getvalue()


def _without_credentials(text: bytes, found: set[str]) -> bytes:
    """The events with credentials masked where they are known by name; their values are added to `found`."""
    lines = []
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            lines.append(line)
            continue
        for holder in _credentials(event):
            value = holder["value"]
            if len(value) >= 2 * LEAST_LENGTH:
                found.add(value)
            holder["value"] = MASK
        lines.append(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode())
    return b"\n".join(lines) + b"\n"


def _credentials(event: Any) -> Iterator[dict[str, Any]]:
    """Pairs of name and value that are cookies, or headers with credentials."""
    waiting = [(event, False)]
    while waiting:
        value, is_cookie = waiting.pop()
        if isinstance(value, list):
            waiting += [(each, is_cookie) for each in value]
        elif isinstance(value, dict):
            name, text = value.get("name"), value.get("value")
            if isinstance(name, str) and isinstance(text, str) and (is_cookie or name.lower() in _HEADERS):
                yield value
            waiting += [(each, key == "cookies") for key, each in value.items()]
