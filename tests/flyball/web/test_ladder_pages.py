"""The pages about ladders: what they say, their JSON, and how they look in Debian's Chromium."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest
from playwright.sync_api import Browser

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.model.ladder import StepOutcome
from flyball.demo import servers
from flyball.web.ladder_strip import stretches
from tests.flyball.web import ladder_world, world
from tests.flyball.web.test_console_browser import AXE, PHONE
from tests.flyball.web.test_golden_path_pages import NoStore


@dataclass(frozen=True)
class Consoles:
    """Addresses: one with ladders of every state, one with none, one without its database."""

    full: str
    empty: str
    alone: str


@pytest.fixture(scope="module")
def ladders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consoles]:
    folder = tmp_path_factory.mktemp("ladders")
    away = PrometheusBackend(f"http://{servers.LOOPBACK}:{servers.free_port()}")
    full = world.State(away, world.a_store(folder / "full", []), [])
    empty = world.State(away, world.a_store(folder / "empty", []), [])
    ladder_world.fill(full.store)
    alone = replace(full, store=NoStore())  # type: ignore[arg-type]
    everything = ladder_world.everything()
    with (
        world.serving(ladder_world.application(full, everything)) as full_url,
        world.serving(ladder_world.application(empty, ladder_world.Ladders())) as empty_url,
        world.serving(ladder_world.application(alone, replace(everything, stopped="FLYBALL_LADDER_STOP is set"))) as it,
    ):
        yield Consoles(full_url, empty_url, it)
    away.close()


def page(url: str, path: str = "/ladders", status: int = 200) -> str:
    answer = httpx.get(f"{url}{path}", timeout=20)
    assert answer.status_code == status
    return answer.text


def test_the_list_says_where_each_ladder_stands_and_who_is_needed(ladders: Consoles) -> None:
    text = page(ladders.full)
    assert "gone is at tier 1 (not declared any more); intelgraph is at tier 2 of 3 (throttle)." in text
    assert "flyball ladder step gone --to 0" in text
    assert "burn 4.25" in text
    assert "forecast stale (its data is 1 h old" in text
    assert "approval of tier 3" in text
    assert "flags that people changed: depth" in text
    assert "had it acted: full service" in text
    assert "declared no more" in text


def test_one_ladder_says_why_it_stands_there_what_would_move_it_and_what_it_saved(ladders: Consoles) -> None:
    text = page(ladders.full, "/ladders/intelgraph")
    assert "burn is 4.25, tier 3 wants 6 or more" in text
    assert "--keep-theirs" in text
    assert "Without this tier" in text
    assert "core-flow failed" in text
    assert "tier 1 from" in text
    assert "1.5 USD to 3.5 USD" in text


def test_nothing_that_a_file_or_a_person_says_becomes_part_of_the_page(ladders: Consoles) -> None:
    assert "<script>alert" not in page(ladders.full) + page(ladders.full, "/ladders/intelgraph")


def test_without_ladders_the_page_says_how_to_begin(ladders: Consoles) -> None:
    assert "No ladder yet" in page(ladders.empty)


def test_without_its_database_the_page_says_so_and_the_kill_switch_still_shows(ladders: Consoles) -> None:
    text = page(ladders.alone)
    assert "The database does not answer" in text
    assert "FLYBALL_LADDER_STOP is set" in text
    assert httpx.get(f"{ladders.alone}/api/v1/ladders").status_code == 503
    page(ladders.alone, "/ladders/intelgraph", 503)


def test_an_unknown_ladder_is_not_found(ladders: Consoles) -> None:
    page(ladders.full, "/ladders/nowhere", 404)
    assert httpx.get(f"{ladders.full}/api/v1/ladders/nowhere").status_code == 404


def test_a_tier_that_does_not_pay_has_a_word_and_a_mark(ladders: Consoles) -> None:
    text = page(ladders.full, "/ladders/intelgraph")
    (chip,) = re.findall(r'<span class="chip ticket">.*?</span>', text)
    assert "#mark-ticket" in chip
    assert "does not pay" in chip
    assert text.count("does not pay") == 1


def test_programs_read_the_same(ladders: Consoles) -> None:
    told = httpx.get(f"{ladders.full}/api/v1/ladders").json()
    assert {each["ladder"]: each["tier"] for each in told["ladders"]} == {"gone": 1, "intelgraph": 2, "shop": 0}
    one = httpx.get(f"{ladders.full}/api/v1/ladders/intelgraph").json()
    assert [step["outcome"] for step in one["steps"]] == ["undone", "committed", "committed"]
    assert [(it["tier"], it["realised_per_hour"], it["saves_nothing"]) for it in one["savings"]] == [
        (1, "0.1", True), (2, "2.5", False),
    ]  # fmt: skip
    assert one["yielded"] == {"depth": 2}


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/ladders", "/ladders/intelgraph"])
def test_axe_finds_nothing_on_a_phone_in_the_dark_either(browser: Browser, ladders: Consoles, path: str) -> None:
    for scheme in ("light", "dark"):
        context = browser.new_context(bypass_csp=True, color_scheme=scheme, viewport=PHONE)  # type: ignore[arg-type]
        opened = context.new_page()
        opened.goto(ladders.full + path)
        assert opened.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        opened.add_script_tag(path=AXE)
        assert [found["id"] for found in opened.evaluate("axe.run().then(it => it.violations)")] == []
        context.close()


def test_the_strip_shows_tiers_that_were_verified_and_no_others() -> None:
    now = world.NOW
    steps = [
        ladder_world.a_step(1, to=1, outcome=StepOutcome.COMMITTED, ago=timedelta(hours=5)),
        ladder_world.a_step(2, to=2, outcome=StepOutcome.COMMITTED, ago=timedelta(hours=1)),
        ladder_world.a_step(3, to=3, outcome=StepOutcome.UNDONE, ago=timedelta(minutes=30)),
    ]
    drawn = stretches(steps, 2, 3, now - timedelta(hours=10), now)
    assert [(each.tier, each.x, each.height) for each in drawn] == [(1, "50.167", "33.3"), (2, "90.167", "66.7")]
    assert drawn[-1].end == now
    assert [each.tier for each in stretches([], 1, 3, now - timedelta(hours=10), now)] == [1]
    assert stretches([], 0, 3, now - timedelta(hours=10), now) == []


def test_a_minute_of_a_month_is_seen_and_tiers_in_a_row_are_one_reduction() -> None:
    now = world.NOW
    steps = [
        ladder_world.a_step(1, to=1, outcome=StepOutcome.COMMITTED, ago=timedelta(minutes=3)),
        ladder_world.a_step(2, to=2, outcome=StepOutcome.COMMITTED, ago=timedelta(minutes=2)),
    ]
    drawn = stretches(steps, 2, 3, now - timedelta(days=30), now)
    assert [(each.x, each.width, each.begins) for each in drawn] == [
        ("99.500", "0.500", True),
        ("99.500", "0.500", False),
    ]
