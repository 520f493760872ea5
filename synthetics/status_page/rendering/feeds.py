"""Atom (RFC 4287) and RSS 2.0: one entry for each incident and maintenance, the newest change first.

An entry's id is a `tag:` URI (RFC 4151) of host, day and id, and stays; every update changes its content and its time.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from typing import Final
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

from controlplane.model.public_status import PublicIncident, PublicSnapshot
from synthetics.status_page.rendering import names, standing
from synthetics.status_page.rendering.statuspage_json import last_change
from synthetics.status_page.rendering.update_text import as_html
from synthetics.status_page.rendering.voice import Voice, utc

ENTRIES: Final = 50
_ATOM: Final = "http://www.w3.org/2005/Atom"


def files(snapshot: PublicSnapshot, voice: Voice, folder: str) -> Iterator[tuple[str, bytes]]:
    """Both feeds of one language."""
    yield folder + names.ATOM, _atom(snapshot, voice, folder)
    yield folder + names.RSS, _rss(snapshot, voice, folder)


def told(snapshot: PublicSnapshot) -> list[PublicIncident]:
    """What a feed tells of."""
    found = standing.happenings(snapshot)
    return sorted(found, key=lambda each: (changed(each), each.id), reverse=True)[:ENTRIES]


def changed(incident: PublicIncident) -> datetime:
    """Its last change, to the second."""
    times = [incident.updated_at, *(each.updated_at for each in incident.updates)]
    return max(times).astimezone(UTC).replace(microsecond=0)


def host(snapshot: PublicSnapshot) -> str:
    """The name that ids are made from."""
    return urlsplit(snapshot.page.url).hostname or "localhost"


def tag(snapshot: PublicSnapshot, incident: PublicIncident) -> str:
    """`tag:status.acme.example,2026-11-30:incident/ID`."""
    day = f"{incident.created_at.astimezone(UTC):%Y-%m-%d}"
    return f"tag:{host(snapshot)},{day}:incident/{quote(incident.id, safe='')}"


def _atom(snapshot: PublicSnapshot, voice: Voice, folder: str) -> bytes:
    url, incidents = snapshot.page.url, told(snapshot)
    feed = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": voice.catalogue.language})
    _add(feed, "id", f"tag:{host(snapshot)},2026:{quote(snapshot.page.id, safe='')}/{folder}history")
    _add(feed, "title", voice.text("feed.title", name=snapshot.page.name))
    _add(feed, "updated", utc(_updated(snapshot, incidents)))
    _add(feed, "link", rel="self", type="application/atom+xml", href=names.absolute(url, folder + names.ATOM))
    _add(feed, "link", rel="alternate", type="text/html", href=names.absolute(url, folder + names.INDEX))
    _add(_add(feed, "author"), "name", snapshot.page.name)
    for each in incidents:
        entry = _add(feed, "entry")
        _add(entry, "id", tag(snapshot, each))
        _add(entry, "title", each.name)
        _add(entry, "published", utc(each.created_at))
        _add(entry, "updated", utc(changed(each)))
        page = names.absolute(url, folder + names.incident_page(each.id))
        _add(entry, "link", rel="alternate", type="text/html", href=page)
        _add(entry, "category", term=each.impact.value, label=voice.impact(each.impact))
        _add(entry, "content", _content(each, voice), type="html")
    return _written(feed)


def _add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, name, attributes)
    child.text = text
    return child


def _rss(snapshot: PublicSnapshot, voice: Voice, folder: str) -> bytes:
    url, incidents = snapshot.page.url, told(snapshot)
    rss = ET.Element("rss", {"version": "2.0", "xmlns:atom": _ATOM})
    channel = ET.SubElement(rss, "channel")
    _item(channel, "title", voice.text("feed.title", name=snapshot.page.name))
    _item(channel, "link", names.absolute(url, folder + names.INDEX))
    _item(channel, "description", snapshot.page.description or voice.text("page.title", name=snapshot.page.name))
    _item(channel, "language", voice.catalogue.language)
    _item(channel, "lastBuildDate", _rfc822(_updated(snapshot, incidents)))
    _add(channel, "atom:link", rel="self", type="application/rss+xml", href=names.absolute(url, folder + names.RSS))
    for each in incidents:
        item = ET.SubElement(channel, "item")
        _item(item, "title", each.name)
        _item(item, "link", names.absolute(url, folder + names.incident_page(each.id)))
        _item(item, "guid", tag(snapshot, each)).set("isPermaLink", "false")
        _item(item, "pubDate", _rfc822(changed(each)))
        _item(item, "category", voice.impact(each.impact))
        _item(item, "description", _content(each, voice))
    return _written(rss)


def _item(parent: ET.Element, name: str, text: str) -> ET.Element:
    child = ET.SubElement(parent, name)
    child.text = text
    return child


def _content(incident: PublicIncident, voice: Voice) -> str:
    parts = []
    if incident.scheduled_for:
        when = voice.span(incident.scheduled_for, incident.scheduled_until)
        parts.append(f"<p>{escape(voice.text('feed.window', when=when))}</p>")
    for each in incident.updates:
        said = f"{escape(voice.moment(each.display_at))}: <strong>{escape(voice.stage(each.status))}</strong>"
        parts.append(f"<p>{said}</p>\n{as_html(each.body)}")
    return "\n".join(parts)


def _updated(snapshot: PublicSnapshot, incidents: list[PublicIncident]) -> datetime:
    """Of the entries, so that the feed stays the same until one of them changes."""
    return max((changed(each) for each in incidents), default=last_change(snapshot))


def _rfc822(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC).replace(microsecond=0), usegmt=True)


def _written(root: ET.Element) -> bytes:
    """Prefixes are spelled out: those that ElementTree can be told belong to the whole process, and we have threads."""
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"
