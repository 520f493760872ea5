"""Feeds that every reader takes, and that tell each change once."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.model.public_status import IncidentStatus, PublicSnapshot
from synthetics.status_page.rendering.catalogue import catalogue
from synthetics.status_page.rendering.feeds import files as feed_files
from synthetics.status_page.rendering.tidy import clean, tidied
from synthetics.status_page.rendering.voice import voice_of
from tests.synthetics.status_page.rendering import samples

ATOM = "{http://www.w3.org/2005/Atom}"
TAG = re.compile(r"tag:[a-z0-9.-]+,\d{4}(-\d\d(-\d\d)?)?:[A-Za-z0-9._~!$&'()*+,;=:@/%-]+")  # RFC 4151
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")


def render(snapshot: PublicSnapshot) -> dict[str, bytes]:
    return dict(feed_files(snapshot, voice_of(catalogue("en"), snapshot), ""))


def check_atom(content: bytes) -> ET.Element:
    """RFC 4287, 4.1: what must be there once, what may be there once, and that links lead somewhere."""
    feed = ET.fromstring(content)
    assert feed.tag == f"{ATOM}feed"
    elements = [(feed, ("id", "title", "updated"))]
    elements += [(it, ("id", "title", "updated", "content")) for it in feed.iter(f"{ATOM}entry")]
    for element, once in elements:
        for name in once:
            (found,) = element.findall(f"{ATOM}{name}")
            assert found.text
        assert TAG.fullmatch(element.findtext(f"{ATOM}id") or "")
        assert RFC3339.fullmatch(element.findtext(f"{ATOM}updated") or "")
        alternates = [it for it in element.findall(f"{ATOM}link") if it.get("rel") == "alternate"]
        assert len(alternates) == 1
        assert all(urlsplit(it.get("href") or "").netloc for it in element.findall(f"{ATOM}link"))
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    assert [it.get("rel") for it in feed.findall(f"{ATOM}link")].count("self") == 1
    ids = [it.findtext(f"{ATOM}id") for it in feed.iter(f"{ATOM}entry")]
    assert len(set(ids)) == len(ids)
    assert {it.get("type") for it in feed.iter(f"{ATOM}content")} <= {"html"}
    times = [it.findtext(f"{ATOM}updated") or "" for it in feed.iter(f"{ATOM}entry")]
    assert times == sorted(times, reverse=True)
    assert feed.findtext(f"{ATOM}updated") == max(times, default=feed.findtext(f"{ATOM}updated"))
    return feed


def check_rss(content: bytes) -> ET.Element:
    """RSS 2.0: a channel with title, link and description, items with guid, date and link, and where the feed is."""
    rss = ET.fromstring(content)
    assert (rss.tag, rss.get("version")) == ("rss", "2.0")
    (channel,) = rss
    assert channel.tag == "channel"
    for name in ("title", "link", "description", "lastBuildDate"):
        (found,) = channel.findall(name)
        assert found.text
    (own,) = channel.findall(f"{ATOM}link")
    assert own.get("rel") == "self"
    for item in channel.findall("item"):
        guid = item.find("guid")
        assert guid is not None
        assert (guid.get("isPermaLink"), bool(TAG.fullmatch(guid.text or ""))) == ("false", True)
        assert parsedate_to_datetime(item.findtext("pubDate") or "").tzinfo
        assert urlsplit(item.findtext("link") or "").netloc
    return rss


@pytest.mark.parametrize("folder", ["", "de/"])
def test_both_feeds_are_valid(everything: Mapping[str, bytes], folder: str) -> None:
    check_atom(everything[f"{folder}history.atom"])
    check_rss(everything[f"{folder}history.rss"])
    for name in ("history.atom", "history.rss"):
        found = feedparser.parse(everything[folder + name])
        assert not found.bozo, found.get("bozo_exception")
        assert len(found.entries) == 7


def test_a_feed_without_entries_is_valid() -> None:
    files = render(replace(samples.calm(), incidents=()))
    assert check_atom(files["history.atom"]).find(f"{ATOM}entry") is None
    check_rss(files["history.rss"])


def test_nothing_changes_while_nothing_happens() -> None:
    later = replace(samples.calm(), at=samples.NOW + timedelta(minutes=1))
    before, after = render(samples.calm()), render(later)
    assert before["history.atom"] == after["history.atom"]
    assert before["history.rss"] == after["history.rss"]


def with_update(snapshot: PublicSnapshot, at: datetime) -> PublicSnapshot:
    first, *others = snapshot.incidents
    news = samples.update(99, IncidentStatus.MONITORING, "All payments work.", at)
    changed = replace(first, status=news.status, updated_at=at, updates=(news, *first.updates))
    return replace(snapshot, incidents=(changed, *others))


def test_an_update_changes_time_and_content_of_its_entry_and_not_its_id() -> None:
    at = samples.ago(minutes=1)
    before, after = (
        check_atom(render(it)["history.atom"]) for it in (samples.everything(), with_update(samples.everything(), at))
    )

    def entry(feed: ET.Element) -> ET.Element:
        return next(it for it in feed.iter(f"{ATOM}entry") if it.findtext(f"{ATOM}title") == "Payments by card fail")

    assert entry(before).findtext(f"{ATOM}id") == entry(after).findtext(f"{ATOM}id")
    assert entry(after).findtext(f"{ATOM}updated") == f"{at:%Y-%m-%dT%H:%M:%SZ}"
    assert "All payments work." in (entry(after).findtext(f"{ATOM}content") or "")
    assert "All payments work." not in (entry(before).findtext(f"{ATOM}content") or "")


def test_an_update_that_is_edited_afterwards_is_news() -> None:
    incident, at = samples.search_incident(), samples.ago(minutes=2)
    edited = replace(incident, updates=(incident.updates[0], replace(incident.updates[1], updated_at=at)))
    feed = check_atom(render(replace(samples.calm(), components=(), incidents=(edited,)))["history.atom"])
    assert feed.findtext(f"{ATOM}entry/{ATOM}updated") == f"{at:%Y-%m-%dT%H:%M:%SZ}"


def test_the_content_tells_all_updates_as_html(everything: Mapping[str, bytes]) -> None:
    found = feedparser.parse(everything["history.atom"])
    told = next(it for it in found.entries if it.title == "Payments by card fail").content[0].value
    assert "<strong>payment gateway</strong>" in told
    assert told.index("Identified") < told.index("Payments fail for most customers")
    german = feedparser.parse(everything["de/history.atom"])
    assert (
        "Ursache gefunden" in next(it for it in german.entries if it.title == "Payments by card fail").content[0].value
    )


@settings(max_examples=30)
@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=40), st.text(max_size=40))
def test_any_text_makes_valid_feeds(name: str, body: str) -> None:
    incident = samples.search_incident()
    news = replace(incident.updates[0], body=body)
    snapshot = replace(samples.calm(), components=(), incidents=(replace(incident, name=f"x{name}", updates=(news,)),))
    snapshot = tidied(replace(snapshot, page=replace(snapshot.page, name=f"y{name}")))
    files = render(snapshot)
    feed = check_atom(files["history.atom"])
    check_rss(files["history.rss"])
    assert feed.findtext(f"{ATOM}entry/{ATOM}title") == clean(f"x{name}")


def test_signs_that_xml_cannot_carry_or_that_turn_text_around_are_left_out() -> None:
    assert clean("a\x00b\x0bc\ud800d\ufffee\u202ef\u2066g\r\nh\x85i\tj") == "abcdefg\nhi\tj"
    assert clean("Käse 🧀 \U0010ffff") == "Käse 🧀 \U0010ffff"
