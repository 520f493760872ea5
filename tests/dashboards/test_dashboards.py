"""What stands in the dashboards, and where."""

import itertools
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.dashboard_uids import slo_uid
from controlplane.model.palette import DARK, LIGHT
from controlplane.model.slo import SLO
from dashboards import palette
from dashboards.promql_text import inert_query, inert_text, quoted
from dashboards.slo_dashboard import DashboardFile, DashboardOptions, slo_dashboards
from slo.promql.promql_text import unquoted
from tests.dashboards.examples import NASTY, latency, slo

GOLDEN = Path(__file__).parent / "golden"
OPTIONS = DashboardOptions(external_url="https://flyball.example/")
GRAFANA_VARIABLE = re.compile(r"\$(\w+)|\[\[([\s\S]+?)\]\]|\$\{(\w+)(?:\.[^:^}]+)?(?::[^}]+)?\}")


def _files(slos: list[SLO], options: DashboardOptions = OPTIONS) -> dict[str, dict[str, Any]]:
    return {file.name: json.loads(file.json_text) for file in slo_dashboards(slos, options)}


def _every() -> list[DashboardFile]:
    slos = [slo(), slo("latency", indicator=latency(), days=7), slo(NASTY, text=NASTY), slo("loose", objective="0.5")]
    return [*slo_dashboards(slos, OPTIONS), *slo_dashboards(slos, replace(OPTIONS, shared_above=1))]


@pytest.mark.parametrize("name", ["slos.json", "slo-checkout.json"])
def test_a_golden_dashboard(name: str) -> None:
    text = next(file.json_text for file in slo_dashboards([slo()], OPTIONS) if file.name == name)
    if os.environ.get("FLYBALL_GOLDEN"):
        (GOLDEN / name).write_text(text)
    assert text == (GOLDEN / name).read_text()


@pytest.mark.parametrize("file", _every(), ids=lambda file: file.name)
def test_panels_keep_to_the_grid_and_do_not_overlap(file: DashboardFile) -> None:
    places = [panel["gridPos"] for panel in json.loads(file.json_text)["panels"]]
    assert all(at["x"] >= 0 and at["x"] + at["w"] <= 24 and at["w"] > 0 and at["h"] > 0 for at in places)
    for a, b in itertools.combinations(places, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert beside or above, (a, b)


@pytest.mark.parametrize("file", _every(), ids=lambda file: file.name)
def test_every_panel_says_what_it_shows_and_in_which_unit(file: DashboardFile) -> None:
    panels = json.loads(file.json_text)["panels"]
    assert all(panel["title"] and panel["description"].endswith(".") for panel in panels)
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    for panel in panels:
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)


def test_the_same_slos_in_any_order_give_the_same_bytes() -> None:
    slos = [slo("a"), slo("b"), slo("c", indicator=latency())]
    assert slo_dashboards(slos, OPTIONS) == slo_dashboards(slos[::-1], OPTIONS)


def test_burn_rates_stand_against_the_thresholds_of_the_window() -> None:
    files = _files([slo(), slo("week", days=7)])
    names = {
        file: {
            target["legendFormat"]: target["expr"]
            for panel in files[file]["panels"]
            if panel["title"].startswith("Burn rate")
            for target in panel["targets"]
        }
        for file in files
    }
    month = names["slo-checkout.json"]
    assert {name for name in month if name.endswith("window")} == {
        f"{window} window" for window in ("5m", "30m", "1h", "2h", "6h", "30d")
    }
    assert month["page above 14.4× (5m)"] == "vector(14.4)"
    assert month["ticket above 1× (6h)"] == "vector(1)"
    assert names["slo-week.json"]["page above 3.36× (5m)"] == "vector(3.36)"


def test_a_threshold_that_cannot_be_reached_is_not_drawn() -> None:
    text = json.dumps(_files([slo("loose", objective="0.9")])["slo-loose.json"], ensure_ascii=False)
    assert "14.4×" not in text
    assert "page above 6× (30m)" in text


def test_one_dashboard_each_up_to_the_limit_and_shared_ones_above_it() -> None:
    slos = [slo(f"s{number}") for number in range(3)]
    assert list(_files(slos, replace(OPTIONS, shared_above=3))) == [
        "slos.json",
        "slo-s0.json",
        "slo-s1.json",
        "slo-s2.json",
    ]
    shared = _files(slos, replace(OPTIONS, shared_above=2))
    assert list(shared) == ["slos.json", "slo-shared-30d.json"]
    variables = [variable["name"] for variable in shared["slo-shared-30d.json"]["templating"]["list"]]
    assert variables == ["datasource", "service", "slo"]
    assert 'slo=\\"$slo\\"' in json.dumps(shared["slo-shared-30d.json"])


def test_ten_thousand_slos_take_no_more_files_than_a_few() -> None:
    slos = [slo(f"s{number}") for number in range(10_000)]
    files = slo_dashboards(slos, OPTIONS)
    assert len(files) == 2
    assert sum(len(file.json_text) for file in files) < 200_000


def test_no_slos_leave_an_overview_that_loads() -> None:
    assert list(_files([])) == ["slos.json"]


def test_the_data_source_is_picked_by_the_reader_or_fixed() -> None:
    picked = _files([slo()])["slo-checkout.json"]
    assert picked["templating"]["list"][0]["type"] == "datasource"
    fixed = slo_dashboards([slo()], DashboardOptions(datasource_uid="mimir-eu"))[1].json_text
    assert "${datasource}" not in fixed
    assert json.loads(fixed)["panels"][0]["datasource"] == {"type": "prometheus", "uid": "mimir-eu"}


def test_a_dashboard_leads_to_the_runbook_the_console_and_all_slos() -> None:
    links = {link["title"]: link["url"] for link in _files([slo("a")])["slo-a.json"]["links"]}
    assert links == {
        "All SLOs": "/d/flyball-slos",
        "Console": "https://flyball.example/slos/a",
        "Runbook": "https://runbooks.example/checkout",
    }


def test_deployments_and_pages_are_marked_on_every_chart() -> None:
    marks = _files([slo()])["slo-checkout.json"]["annotations"]["list"]
    assert {mark["name"]: mark["enable"] for mark in marks} == {
        "Deployments": True, "Pages": True, "Reduced on purpose": True,
    }  # fmt: skip
    assert marks[0]["titleFormat"] == "Deployed {{version}}"


@given(st.text(max_size=80))
def test_uids_are_stable_and_what_grafana_takes(name: str) -> None:
    uid = slo_uid(name)
    assert re.fullmatch(r"[a-z0-9_-]{1,40}", uid)
    assert uid == slo_uid(name)


@given(st.lists(st.text("aA-_.é ", min_size=1, max_size=50), min_size=2, max_size=2, unique=True))
def test_uids_of_different_names_differ(pair: list[str]) -> None:
    assert slo_uid(pair[0]) != slo_uid(pair[1])


@given(st.text(max_size=40))
def test_quoted_text_means_itself_and_holds_no_variable(text: str) -> None:
    literal = quoted(text)
    assert not GRAFANA_VARIABLE.search(literal)
    assert unquoted(literal) == text


def test_users_strings_keep_their_meaning_and_their_kind() -> None:
    assert inert_query(r"""a{b='$x',c="\\$x",d=`$x\d`,e=`\d`} # $x 'n""") == (
        r"""a{b='\x24x',c="\\\x24x",d="\x24x\\d",e=`\d`}"""
    )
    assert inert_query("rate(x[$__rate_interval])") == "rate(x[$__rate_interval])"


def test_words_read_the_same_but_hold_no_variable() -> None:
    words = inert_text("costs $5, ${slo} and [[slo]], $slo, 5 $")
    assert not GRAFANA_VARIABLE.search(words)
    assert words.replace("\u2060", "") == "costs $5, ${slo} and [[slo]], $slo, 5 $"


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("background", palette.GRAFANA_BACKGROUNDS)
def test_colours_stand_out_on_grafanas_light_and_dark_theme(background: str) -> None:
    for colour in (palette.HEALTHY, palette.LOW, palette.SPENT, palette.UNKNOWN, *palette.LINES):
        light, dark = sorted((_luminance(colour), _luminance(background)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3


def test_no_colour_stands_in_a_dashboard_that_is_not_of_the_house() -> None:
    house = {value for scheme in (LIGHT, DARK) for value in re.findall(r"#[0-9a-f]{6}", str(scheme))}
    for file in _every():
        assert set(re.findall(r"#[0-9a-fA-F]{6}", file.json_text)) <= house
