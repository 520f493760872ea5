"""What the pages say: every figure with its sources, and nothing that the snapshot does not hold."""

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from controlplane.model.public_status import ComponentStatus
from synthetics.status_page.rendering import bars, render, render_fresh
from synthetics.status_page.rendering.names import absolute, file_stem, relative
from tests.synthetics.status_page.rendering import samples

ADDRESS = "https://status.acme.example/"


class Reading(HTMLParser):
    """Links, ids, headings and text of a page."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.elements: set[str] = set()
        self.handlers: list[str] = []
        self.levels: list[int] = []
        self.words: list[str] = []
        self.feed(html.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.words += [" "] if tag in ("td", "th", "p", "li") else []
        self.levels += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []
        for name, value in attrs:
            self.ids += [value or ""] if name == "id" else []
            self.links += [value or ""] if name in ("href", "src", "action") else []
            self.handlers += [name] if name.startswith("on") or name == "style" else []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).replace("\N{NO-BREAK SPACE}", " ").split())


def pages(files: Mapping[str, bytes]) -> dict[str, Reading]:
    return {path: Reading(content) for path, content in files.items() if path.endswith(".html")}


@pytest.fixture(scope="module")
def read(everything: Mapping[str, bytes]) -> dict[str, Reading]:
    return pages(everything)


def test_the_same_snapshot_makes_the_same_bytes(everything: Mapping[str, bytes]) -> None:
    assert render(samples.everything()) == everything


def test_what_tells_the_time_is_part_of_the_whole(everything: Mapping[str, bytes]) -> None:
    fresh = render_fresh(samples.everything())
    assert fresh.keys() == {"index.html", "de/index.html", "api/v2/summary.json", "api/v2/status.json"}
    assert fresh.items() <= everything.items()


def test_only_what_tells_the_time_changes_with_it() -> None:
    still = replace(samples.everything(), components=tuple(
        replace(it, uptime=None) for it in samples.everything().components
    ))  # fmt: skip
    before, after = render(still), render(replace(still, at=still.at + timedelta(minutes=1)))
    changed = {path for path in before if before[path] != after[path]}
    footers = {path for path in before if path.endswith(".html")}  # each says what time it was counted up to
    assert changed <= footers | set(render_fresh(still))
    assert {path for path in changed if not path.endswith(".html")} == {"api/v2/summary.json", "api/v2/status.json"}


def test_every_link_of_ours_leads_to_a_file_or_a_place_on_it(
    everything: Mapping[str, bytes], read: dict[str, Reading]
) -> None:
    astray = []
    for path, page in read.items():
        for link in page.links:
            address = urlsplit(urljoin(ADDRESS + path, link))
            if not address.geturl().startswith(ADDRESS):
                assert link in (samples.page().support_url, "https://acme.example/support")
                continue
            target = unquote(address.path.lstrip("/"))
            target += "index.html" if target == "" or target.endswith("/") else ""
            there = target in everything and (not address.fragment or address.fragment in read[target].ids)
            astray += [] if there else [(path, link)]
    assert astray == []


def test_headings_begin_with_one_and_leave_no_level_out(read: dict[str, Reading]) -> None:
    for path, page in read.items():
        assert page.levels[0] == 1, path
        assert page.levels.count(1) == 1, path
        assert all(after <= before + 1 for before, after in zip(page.levels, page.levels[1:], strict=False)), path


def test_pages_have_no_scripts_no_styles_of_elements_and_no_id_twice(read: dict[str, Reading]) -> None:
    for path, page in read.items():
        assert not page.elements & {"script", "style", "iframe", "object", "embed", "img", "base"}, path
        assert page.handlers == [], path
        assert len(set(page.ids)) == len(page.ids), path


def test_texts_of_people_are_shown_and_nothing_more() -> None:
    nasty = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"
    told = samples.everything()
    parts = tuple(replace(it, name=nasty, description=nasty, basis=(nasty,)) for it in told.components)
    news = tuple(replace(it, body=nasty) for it in told.incidents[0].updates)
    incidents = (replace(told.incidents[0], name=nasty, updates=news), *told.incidents[1:])
    groups = tuple(replace(it, name=nasty, description=nasty) for it in told.groups)
    page = replace(told.page, name=nasty, description=nasty, support_url="javascript:alert(1)")
    read = pages(render(replace(told, page=page, components=parts, incidents=incidents, groups=groups)))
    for path, reading in read.items():
        assert not reading.elements & {"script", "img"}, path
        assert reading.handlers == []
        assert not [link for link in reading.links if link.startswith("javascript:")]
    assert nasty in read["index.html"].text


def test_only_what_was_changed_after_it_was_published_is_edited() -> None:
    told = samples.everything()
    incident = told.incidents[0]
    first = incident.updates[0]
    for later, is_edited in ((timedelta(0), False), (timedelta(minutes=1), True)):
        drafted = replace(
            first, created_at=first.display_at - timedelta(minutes=3), updated_at=first.display_at + later
        )
        one = replace(incident, updates=(drafted,))
        read = pages(render(replace(told, components=(), incidents=(one,), maintenances=())))
        assert ("Edited" in read["index.html"].text) is is_edited


def test_a_percentage_says_how_it_was_counted(read: dict[str, Reading]) -> None:
    text = read["uptime/checkout.html"].text
    assert "uptime = 1 − (0.3 × Partial outage + 1 × Major outage) ÷ (measured time without announced" in text
    component = samples.everything().components[1]
    assert component.uptime
    down = Decimal("0.3") * (12 + 9) * 60 + (31 + 34) * 60
    counted = sum(sum(day.seconds.values()) for day in component.uptime.days)
    assert f"1 − {down:,.0f} s ÷ {counted:,} s = 0.999448 = 99.944 %" in text
    assert "14 October 2026, 20:21 CEST to 20:52 CEST Counts as Major outage: Probes did not see" in text
    assert "Declared 17 October 2026" in text


def test_a_percentage_of_few_days_says_of_how_many(read: dict[str, Reading]) -> None:
    assert "100 % in the last 90 days; 9 days of 89 days 20 hours were measured" in read["uptime/assistant.html"].text
    assert "100 % uptime, 9 days measured of Assistant" in read["index.html"].text
    assert "were measured" not in read["uptime/website.html"].text


def test_what_was_left_out_says_why_and_belongs_to_what(read: dict[str, Reading]) -> None:
    reports = read["uptime/reports.html"].text
    assert "18 November 2026, 17:21 CET to 19:21 CET 2 hours Announced maintenance: Database upgrade" in reports
    api = read["uptime/public-api.html"].text
    assert "2 days 2 hours Not measured" in api


def test_the_data_can_be_counted_again(everything: Mapping[str, bytes]) -> None:
    told = json.loads(everything["uptime/checkout.json"])
    rows = list(csv.DictReader(io.StringIO(everything["uptime/checkout.csv"].decode())))
    assert len(rows) == len(told["days"]) == 90
    down, counted = Decimal(0), 0
    for row in rows:
        seconds = {status: int(row[f"{status}_seconds"]) for status in told["weights"]}
        counted += sum(seconds.values())
        down += sum(Decimal(told["weights"][status]) * held for status, held in seconds.items())
        left = int(row["excluded_seconds"]) + int(row["unmeasured_seconds"])
        assert sum(seconds.values()) + left == int(row["length_seconds"])
    assert counted == told["seconds"]["counted"]
    assert down == Decimal(told["seconds"]["down"])
    assert Decimal(told["ratio"]) <= 1 - down / counted < Decimal(told["ratio"]) + Decimal("1e-9")


def test_a_component_that_works_and_is_shown_only_when_it_does_not_is_left_out(read: dict[str, Reading]) -> None:
    assert "Beta" not in read["index.html"].text
    broken = tuple(
        replace(it, status=samples.DOWN) if it.id == "beta" else it for it in samples.everything().components
    )
    index = render_fresh(replace(samples.everything(), components=broken))["index.html"]
    assert "Beta" in Reading(index).text


def test_what_people_read_first() -> None:
    def first(snapshot: samples.PublicSnapshot) -> str:
        return Reading(render_fresh(snapshot)["index.html"]).text

    assert "All systems are operational" in first(samples.calm())
    assert "The present state is not known" in first(samples.unknown())
    assert "No measurements arrive" in first(samples.unknown())
    assert "Maintenance is under way" in first(samples.under_maintenance())
    assert "some with reduced functionality" in first(samples.reduced())
    assert "Search works with less than usual, on purpose." in first(samples.reduced())
    assert "This page names no systems yet." in first(replace(samples.calm(), components=(), groups=()))
    assert "No incidents in the last 14 days." in first(replace(samples.calm(), incidents=()))


def test_an_open_incident_says_when_the_next_update_comes(read: dict[str, Reading]) -> None:
    text = read["index.html"].text
    assert "Next update by 30 November 2026, 19:27 CET" in text
    assert "Going on for 43 minutes" in text
    german = read["de/index.html"].text
    assert "Nächste Nachricht bis 30. November 2026, 19:27 Uhr MEZ" in german
    assert "Kasse: Ausfall → Teilweiser Ausfall" in german


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("America/New_York", "30 November 2026, 13:21 EST."),
        ("Asia/Kolkata", "30 November 2026, 23:51 IST."),
        ("Pacific/Kiritimati", "1 December 2026, 08:21 UTC+14."),
    ],
)
def test_times_are_those_of_the_page(zone: str, told: str) -> None:
    page = samples.page(time_zone=zone)
    assert told in Reading(render_fresh(replace(samples.calm(), page=page))["index.html"]).text


def test_days_are_drawn_as_high_as_they_were_bad() -> None:
    component = samples.everything().components[1]
    assert component.uptime
    drawn = bars.bar(component.uptime)
    assert drawn.width == 359
    assert [run.kind for run in drawn.runs].count("operational") == 3
    assert [run.kind for run in drawn.runs if run.day] == ["major_outage", "partial_outage", "major_outage"]
    assert drawn.runs[-1].path == "M356 14h3"
    assert [day.day for day in drawn.troubled] == sorted((day.day for day in drawn.troubled), reverse=True)


def test_a_day_that_was_hardly_measured_is_not_drawn_as_a_good_one() -> None:
    assert samples.calm().components[0].uptime
    day = samples.calm().components[0].uptime.days[0]
    assert bars.kind_of(day) == "operational"
    assert bars.kind_of(replace(day, unmeasured_seconds=50_000)) == bars.NOT_MEASURED
    assert bars.kind_of(replace(day, unmeasured_seconds=50_000, worst=ComponentStatus.MAJOR)) == "major_outage"
    assert bars.kind_of(replace(day, worst=None)) == bars.NOT_MEASURED


def test_any_id_makes_a_name_for_a_file_and_no_two_the_same() -> None:
    ids = ["api", "API", "../x", "..", "a/b", "a b", "a\\b", "ä", "", "x" * 300, ".hidden", "a.b", "con\x00"]
    stems = [file_stem(id_) for id_ in ids]
    assert stems[:2] == ["api", "API"]
    assert len(set(stems)) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", stem) for stem in stems)


def test_links_are_relative_and_addresses_are_folders_where_an_index_is() -> None:
    assert relative("de/uptime/x.html", "api/v2/summary.json") == "../../api/v2/summary.json"
    assert relative("index.html", "de/index.html") == "de/index.html"
    assert absolute("https://x.example/s/", "de/index.html") == "https://x.example/s/de/"
    assert absolute("https://x.example", "index.html") == "https://x.example/"


def test_a_component_in_trouble_says_since_when(everything: Mapping[str, bytes]) -> None:
    text = everything["index.html"].decode()
    troubled = [
        part for part in text.split('<div class="component"')[1:] if "Partial outage" in part.split("</div>")[0]
    ]
    assert troubled
    assert all("Since " in part for part in troubled)
