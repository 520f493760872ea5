"""Maintenance for calendars, and badges for other people's pages."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree as ET

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.model.public_status import ComponentStatus
from synthetics.status_page.rendering.badge import files as badge_files
from synthetics.status_page.rendering.badge import width_of
from synthetics.status_page.rendering.catalogue import catalogue
from synthetics.status_page.rendering.maintenance_calendar import files as calendar_files
from synthetics.status_page.rendering.tidy import tidied
from synthetics.status_page.rendering.voice import voice_of
from tests.flyball.web.test_tokens import contrast
from tests.synthetics.status_page.rendering import samples

SVG = "{http://www.w3.org/2000/svg}"


def events(content: bytes) -> dict[str, icalendar.Event]:
    found = icalendar.Calendar.from_ical(content)
    assert found["version"] == "2.0"
    assert found["prodid"]
    assert found["method"] == "PUBLISH"
    return {str(each["uid"]): each for each in found.walk("VEVENT")}  # type: ignore[misc]


def test_each_maintenance_is_an_event_in_utc(everything: Mapping[str, bytes]) -> None:
    found = events(everything["maintenance.ics"])
    assert list(found) == [f"mnt-{number}@status.acme.example" for number in (71, 70, 69, 68)]
    planned = found["mnt-71@status.acme.example"]
    assert planned.start == samples.ago(days=-3)
    assert planned.end == samples.ago(days=-3, hours=-2)
    assert b"DTSTART:20261203T182107Z" in everything["maintenance.ics"]
    assert planned["status"] == "CONFIRMED"
    assert planned["url"] == "https://status.acme.example/incidents/mnt-71.html"


def test_one_that_was_called_off_is_cancelled(everything: Mapping[str, bytes]) -> None:
    found = events(everything["maintenance.ics"])
    assert found["mnt-68@status.acme.example"]["status"] == "CANCELLED"
    assert found["mnt-69@status.acme.example"]["status"] == "CONFIRMED"


def test_the_sequence_grows_with_each_change_and_the_id_stays() -> None:
    snapshot = samples.everything()
    first, *others = snapshot.maintenances
    assert first.scheduled_for
    later = replace(first, scheduled_for=first.scheduled_for + timedelta(hours=1), updated_at=samples.ago(minutes=1))
    before = events(dict(calendar_files(snapshot))["maintenance.ics"])
    after = events(dict(calendar_files(replace(snapshot, maintenances=(later, *others))))["maintenance.ics"])
    assert before.keys() == after.keys()
    one, two = before["mnt-71@status.acme.example"], after["mnt-71@status.acme.example"]
    assert int(two["sequence"]) > int(one["sequence"])
    assert two["dtstamp"].dt == samples.ago(minutes=1)


@settings(max_examples=20)
@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_is_folded_escaped_and_read_back(name: str, body: str) -> None:
    incident = samples.maintenance(1, samples.IncidentStatus.SCHEDULED, samples.ago(days=-1), timedelta(hours=1))
    news = replace(incident.updates[0], body=body)
    snapshot = tidied(
        replace(samples.calm(), components=(), maintenances=(replace(incident, name=name, updates=(news,)),))
    )
    ((_, content),) = calendar_files(snapshot)
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    (event,) = events(content).values()
    assert str(event["summary"]) == snapshot.maintenances[0].name
    assert str(event["description"]) == snapshot.maintenances[0].updates[0].body


@pytest.mark.parametrize("status", ComponentStatus)
def test_a_badge_says_its_state_in_readable_words_that_fit(status: ComponentStatus) -> None:
    snapshot = replace(
        samples.calm(), components=(samples.component('A <b>&" long name of a component', status),), groups=()
    )
    badges = dict(badge_files(snapshot, voice_of(catalogue("de"), snapshot)))
    assert badges.keys() == {"badge.svg", f"badge/{_stem(badges)}.svg", "icon.svg"}
    svg = ET.fromstring(badges[f"badge/{_stem(badges)}.svg"])
    word = catalogue("de").text(f"status.{status.value}")
    assert svg.findtext(f"{SVG}title") == f'A <b>&" long name of a component: {word}'
    width = int(svg.get("width") or 0)
    first, second = svg.iter(f"{SVG}text")
    assert second.text == word
    end = int(second.get("x") or 0) + int(second.get("textLength") or 0)
    assert int(first.get("x") or 0) + int(first.get("textLength") or 0) < int(second.get("x") or 0)
    assert end <= width - 5
    grounds = [it.get("fill") or "" for it in svg.iter(f"{SVG}rect")][1:]
    assert min(contrast(first.get("fill") or "", ground) for ground in grounds) >= 4.5


def _stem(badges: Mapping[str, bytes]) -> str:
    return next(path for path in badges if "/" in path).removeprefix("badge/").removesuffix(".svg")


def test_wide_scripts_and_long_names_get_the_room_they_need() -> None:
    assert width_of("状态") > width_of("ab")
    assert width_of("WWW") > width_of("iii")
    snapshot = replace(samples.calm(), components=(samples.component("n" * 300),), groups=())
    files = dict(badge_files(snapshot, voice_of(catalogue("en"), snapshot)))
    (svg,) = (ET.fromstring(content) for path, content in files.items() if "/" in path)
    assert next(svg.iter(f"{SVG}text")).text == f"{'n' * 39}…"
