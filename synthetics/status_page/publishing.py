"""How a rendered page gets to where people read it: what to write anew, in which order, and under which headers.

A page says when it was last updated, so something changes every minute. While nothing that it tells of changes, only
the few files that say so are rendered and written (`render_fresh`); the others follow after a quarter of an hour, in
which the uptime of today has moved on. A place holds whole generations: whoever reads sees one of them.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final, Protocol

from controlplane.model.public_status import PublicComponent, PublicSnapshot, StatusSpan
from controlplane.ports import Permanent
from synthetics.status_page.rendering import render, render_fresh
from synthetics.status_page.rendering.stylesheet import style_sheet

ALL_ANEW_AFTER: Final = timedelta(minutes=15)
KEPT_AFTER_REMOVAL: Final = timedelta(hours=1)  # readers and caches still hold pages that point there
_GOES_ON: Final = timedelta(minutes=3)  # a span that ends this close to the snapshot has not ended
_VERSION: Final = 1
_TYPES: Final[Mapping[str, str]] = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "svg": "image/svg+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "rss": "application/rss+xml; charset=utf-8",
    "ics": "text/calendar; charset=utf-8",
}
_LAST: Final = ("api/v2/summary.json", "index.html", "api/v2/status.json")
_FOR_GOOD: Final = "public, max-age=31536000, immutable"
_FOR_A_MOMENT: Final = "public, max-age=30, stale-while-revalidate=60, stale-if-error=86400"


class Outcome(Enum):
    """What publishing came to."""

    FIRST = "first"
    CHANGED = "changed"  # what the page tells of, or all was due anew
    FRESH = "fresh"  # only when it was last updated
    SAME = "same"  # this very snapshot is there already
    OLDER = "older"  # a newer one is there; it stays


@dataclass(frozen=True, slots=True)
class Manifest:
    """What lies at a place: digests by path, what is no longer part of the page and since when, and of which snapshot.

    `told` stands for all that the page tells of, but for the clock.
    """

    page: str
    at: datetime
    rendered_at: datetime
    told: str
    digests: Mapping[str, str]
    retired: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Published:
    """What was done: how many files the page has, which of them were written and how many bytes those are."""

    outcome: Outcome
    files: int
    written: tuple[str, ...]
    written_bytes: int


class Place(Protocol):
    """Where a page lies. Methods raise `Transient` and `Permanent`."""

    def manifest(self) -> Manifest | None:
        """Of what is there; None when nothing whole of ours is."""
        ...

    def put(self, manifest: Manifest, changed: Mapping[str, bytes]) -> bool:
        """Make it so. Of the manifest's files those that are not in `changed` are there with these digests.

        False when a newer page is there by now: nothing is changed then.
        """
        ...


def publish(place: Place, snapshot: PublicSnapshot) -> Published:
    """Render what is due and put it there; an older snapshot never takes the place of a newer one.

    Raises `Permanent` where another page lies, and what the place raises.
    """
    before = place.manifest()
    if before is not None and before.page != snapshot.page.id:
        raise Permanent(f"the status page `{before.page}` lies there: give `{snapshot.page.id}` a place of its own")
    if before is not None and before.at >= snapshot.at:
        outcome = Outcome.SAME if before.at == snapshot.at else Outcome.OLDER
        return Published(outcome, len(before.digests), (), 0)
    told = told_of(snapshot)
    if before is None or before.told != told or snapshot.at - before.rendered_at >= ALL_ANEW_AFTER:
        outcome = Outcome.FIRST if before is None else Outcome.CHANGED
        files, kept, rendered_at = render(snapshot), {}, snapshot.at
    else:
        outcome = Outcome.FRESH
        files, kept, rendered_at = render_fresh(snapshot), dict(before.digests), before.rendered_at
    digests = {**kept, **{path: digest(content) for path, content in files.items()}}
    old = before.digests if before else {}
    changed = {path: content for path, content in files.items() if old.get(path) != digests[path]}
    retired = _retired(before, digests, snapshot.at)
    manifest = Manifest(snapshot.page.id, snapshot.at, rendered_at, told, digests, retired)
    if not place.put(manifest, changed):
        return Published(Outcome.OLDER, len(digests), (), 0)
    written = tuple(in_order(changed))
    return Published(outcome, len(digests), written, sum(map(len, changed.values())))


def fits(before: Manifest | None, manifest: Manifest, changed: Mapping[str, bytes]) -> bool:
    """Whether what is to stay is there: somebody else may have published since the manifest was read."""
    there = before.digests if before else {}
    return all(path in changed or there.get(path) == wanted for path, wanted in manifest.digests.items())


def digest(content: bytes) -> str:
    """SHA-256."""
    return hashlib.sha256(content).hexdigest()


def told_of(snapshot: PublicSnapshot) -> str:
    """A digest of all that the page tells of, but for the clock: today's uptime, and how long trouble has gone on."""
    still = replace(
        snapshot,
        at=datetime.min.replace(tzinfo=UTC),
        components=tuple(_still(each, snapshot.at) for each in snapshot.components),
    )
    return digest(f"{style_sheet().path} {still!r}".encode(errors="surrogatepass"))


def _still(component: PublicComponent, at: datetime) -> PublicComponent:
    if component.uptime is None:
        return component
    uptime = component.uptime
    spans = tuple(_open_ended(each, at) for each in uptime.spans)
    past = uptime.days[1:-1]  # which day it is shows in the last of them
    return replace(component, uptime=replace(uptime, days=past, ratio=None, spans=spans))


def _open_ended(span: StatusSpan, at: datetime) -> StatusSpan:
    return replace(span, end=datetime.max.replace(tzinfo=UTC)) if span.end >= at - _GOES_ON else span


def in_order(paths: Iterable[str]) -> list[str]:
    """First what others point to, last the pages that people and programs begin with."""
    return sorted(paths, key=lambda path: (_rank(path), path))


def _rank(path: str) -> int:
    if path.startswith("assets/"):
        return 0
    if path in _LAST:
        return 3 + _LAST.index(path)
    return 2 if path.endswith("/index.html") else 1


def content_type(path: str) -> str:
    """By the name's end."""
    return _TYPES.get(path.rpartition(".")[2], "application/octet-stream")


def cache_control(path: str) -> str:
    """For good where the name holds a digest; half a minute else, and a day when the server is gone."""
    return _FOR_GOOD if path.startswith("assets/") else _FOR_A_MOMENT


def _retired(before: Manifest | None, digests: Mapping[str, str], at: datetime) -> Mapping[str, datetime]:
    """What the page had and has no more, until nobody can point there."""
    if before is None:
        return {}
    gone = {path: at for path in before.digests if path not in digests}
    known = {path: since for path, since in before.retired.items() if path not in digests}
    return {path: since for path, since in {**gone, **known}.items() if at - since < KEPT_AFTER_REMOVAL}


def encoded(manifest: Manifest) -> bytes:
    """As JSON, for a place to keep."""
    return json.dumps(
        {
            "version": _VERSION,
            "page": manifest.page,
            "at": manifest.at.isoformat(),
            "rendered_at": manifest.rendered_at.isoformat(),
            "told": manifest.told,
            "digests": dict(manifest.digests),
            "retired": {path: since.isoformat() for path, since in manifest.retired.items()},
        }
    ).encode()


def decoded(content: bytes) -> Manifest | None:
    """What `encoded` wrote; None for anything else: then all is written anew."""
    try:
        found = json.loads(content)
        if found["version"] != _VERSION:
            return None
        return Manifest(
            page=str(found["page"]),
            at=_time(found["at"]),
            rendered_at=_time(found["rendered_at"]),
            told=str(found["told"]),
            digests={str(path): str(value) for path, value in found["digests"].items()},
            retired={str(path): _time(since) for path, since in found["retired"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _time(text: object) -> datetime:
    found = datetime.fromisoformat(str(text))
    if found.tzinfo is None:
        raise ValueError("a time without zone")
    return found
