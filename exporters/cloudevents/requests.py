"""How HTTP carries CloudEvents: structured, as a batch, or binary.

Source: github.com/cloudevents/spec, cloudevents/bindings/http-protocol-binding.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from exporters.cloudevents.faults import Malformed

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
_PREFIX: Final = "ce-"
_BINARY: Final = "ce-specversion"
_LONGEST: Final = 2 * 1024  # characters of a header's value
_CHARSET: Final = re.compile(r'charset\s*=\s*"?([^";\s]+)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mode:
    """How a request carries its events; one structured event when it is neither."""

    is_binary: bool = False
    is_batch: bool = False


def mode_of(headers: Mapping[str, str]) -> Mode:
    """By its headers, in lower case. Raises `Malformed` for a way that is not understood (HTTP's 415)."""
    check_plain(headers)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in (STRUCTURED, BATCH):
        return Mode(is_batch=kind == BATCH)
    if _BINARY in headers:
        return Mode(is_binary=True)
    hint = f"send {STRUCTURED}, {BATCH}, or ce-… headers"
    raise Malformed("content-type", f"the body is not of a kind that is understood: {hint}")


def check_plain(headers: Mapping[str, str]) -> None:
    """Raises `Malformed` for a body that is packed, or in another encoding than JSON's."""
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Malformed("content-encoding", "the body must not be packed")
    charset = _CHARSET.search(headers.get("content-type", "").partition(";")[2])
    if charset and charset[1].lower() not in ("utf-8", "us-ascii"):
        raise Malformed("content-type", "JSON is UTF-8")


def event_in_headers(headers: Mapping[str, str]) -> dict[str, Any]:
    """The attributes of an event in binary mode, without data. Raises `Malformed`."""
    event: dict[str, Any] = {
        name[len(_PREFIX) :]: _decoded(name, value) for name, value in headers.items() if name.startswith(_PREFIX)
    }
    event["datacontenttype"] = headers.get("content-type")
    return event


def _decoded(name: str, value: str) -> str:
    """Header values carry everything but visible ASCII percent-encoded."""
    if len(value) > _LONGEST:
        raise Malformed(name, f"is longer than {_LONGEST} characters")
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise Malformed(name, "is not percent-encoded UTF-8") from None
