"""The console in Debian's Chromium: readable, reachable by keyboard, on a phone, without scripts, kept fresh."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.flyball.web import world
from tests.flyball.web.conftest import Consoles

pytestmark = pytest.mark.browser
AXE = Path(__file__).resolve().parents[2] / "web/axe/node_modules/axe-core/axe.min.js"
NASTY_PATH = f"/slos/{quote(f'nasty {world.NASTY}', safe='')}"
NASTY = pytest.param(NASTY_PATH, id="nasty")
PAGES = ("/", "/slos/gateway-availability", NASTY, "/alerts", "/problems", "/nowhere")
PHONE = {"width": 390, "height": 844}


def opened(browser: Browser, url: str, **options: object) -> Iterator[Page]:
    """A page that fails the test when a script fails, something is refused or comes from elsewhere."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: complaints.append(request.url) if not request.url.startswith(url) else None)
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def light(browser: Browser, consoles: Consoles) -> Iterator[Page]:
    yield from opened(browser, consoles.full, color_scheme="light")


@pytest.fixture
def phone(browser: Browser, consoles: Consoles) -> Iterator[Page]:
    yield from opened(browser, consoles.full, viewport=PHONE, has_touch=True)


@pytest.fixture
def scriptless(browser: Browser, consoles: Consoles) -> Iterator[Page]:
    yield from opened(browser, consoles.full, java_script_enabled=False)


@pytest.mark.parametrize("path", [*PAGES, "empty", "alone"])
def test_axe_finds_nothing_to_complain_about_in_light_and_dark(browser: Browser, consoles: Consoles, path: str) -> None:
    addresses = {"empty": consoles.empty, "alone": consoles.alone}
    url = addresses.get(path, consoles.full + path)
    context = browser.new_context(bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    page.goto(url)
    page.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true })")
    page.add_script_tag(path=AXE)
    told = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        rules = {"runOnly": ["color-contrast"]} if scheme == "dark" else {}  # nothing else is a matter of colours
        found = page.evaluate("rules => axe.run(document, {...rules, resultTypes: ['violations']})", rules)
        told += [(scheme, it["id"], [node["html"][:200] for node in it["nodes"]]) for it in found["violations"]]
    context.close()
    assert told == []


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_a_phone(phone: Page, consoles: Consoles, path: str) -> None:
    phone.goto(consoles.full + path)
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_on_a_phone_every_row_is_a_card_that_names_its_figures(phone: Page, consoles: Consoles) -> None:
    phone.goto(consoles.full)
    row = phone.get_by_role("row", name="Gateway availability")
    objective, burning = (row.locator(f'[data-label="{it}"]') for it in ("Objective", "Burn rate, 1 h"))
    label = objective.evaluate("it => getComputedStyle(it, '::before').content")
    assert label == '"Objective"'
    boxes = [it.bounding_box() for it in (row, objective, burning)]
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"] for box in boxes)
    assert boxes[0]
    assert boxes[0]["height"] > 100
    assert phone.evaluate("document.querySelector('.slos thead').getBoundingClientRect().height") <= 1


@pytest.mark.parametrize("path", ["/", "/slos/gateway-availability", "/problems"])
def test_tab_reaches_everything_and_shows_where_it_is(light: Page, consoles: Consoles, path: str) -> None:
    light.goto(consoles.full + path)
    wanted = light.evaluate(
        """() => { const kinds = 'a[href], button, input:not([type=hidden]), select, summary';
             const all = [...document.querySelectorAll(kinds)].filter(it => it.checkVisibility());
             all.forEach((it, at) => it.dataset.at = at);
             return all.length; }"""
    )
    reached: dict[str, bool] = {}
    for _ in range(wanted + 20):
        light.keyboard.press("Tab")
        at, seen = light.evaluate(
            """() => { const it = document.activeElement, style = getComputedStyle(it);
                 const wide = parseFloat(style.outlineWidth) >= 2;
                 return [it.dataset.at ?? '', wide && style.outlineStyle !== 'none']; }"""
        )
        reached[at] = seen
    assert wanted > 5
    assert {str(number) for number in range(wanted)} <= reached.keys()
    assert [at for at, seen in reached.items() if at and not seen] == []


def test_the_first_tab_skips_to_the_content(light: Page, consoles: Consoles) -> None:
    light.goto(consoles.full)
    light.keyboard.press("Tab")
    expect(light.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    light.keyboard.press("Enter")
    assert light.evaluate("document.activeElement.id") == "main"


def test_the_page_is_dark_for_who_asks_for_dark(browser: Browser, consoles: Consoles, light: Page) -> None:
    light.goto(consoles.full)
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert light.evaluate(ground) == "rgb(247, 248, 248)"
    light.get_by_role("button", name="dark").click()
    assert light.evaluate(ground) == "rgb(17, 21, 24)"
    light.goto(f"{consoles.full}/alerts")
    assert light.evaluate(ground) == "rgb(17, 21, 24)"
    assert light.get_by_role("button", name="dark").get_attribute("aria-pressed") == "true"
    for dark in opened(browser, consoles.full, color_scheme="dark"):
        dark.goto(consoles.full)
        assert dark.evaluate(ground) == "rgb(17, 21, 24)"


def test_without_scripts_one_can_filter_follow_and_choose_colours(scriptless: Page, consoles: Consoles) -> None:
    scriptless.goto(consoles.full)
    scriptless.get_by_label("Search").fill("gateway")
    scriptless.get_by_label("Service").select_option("graphql-gateway")
    scriptless.get_by_role("button", name="Filter").click()
    expect(scriptless.get_by_role("rowheader")).to_have_count(3)
    scriptless.get_by_role("rowheader").get_by_role("link", name="Gateway availability").click()
    expect(scriptless.get_by_role("heading", level=1)).to_have_text("Gateway availability")
    expect(scriptless.get_by_role("img", name="Error budget left, 30 d")).to_be_visible()
    scriptless.get_by_text("As a table").first.click()
    expect(scriptless.get_by_role("region", name="Error budget left, 30 d, as a table")).to_be_visible()
    scriptless.get_by_role("link", name="1 day").click()
    expect(scriptless.get_by_role("heading", name="The past 1 day")).to_be_visible()
    scriptless.get_by_role("button", name="dark").click()
    assert scriptless.url == f"{consoles.full}/slos/gateway-availability?range=1d"
    expect(scriptless.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("path", ["/", NASTY, "/alerts", "/problems"])
def test_nasty_text_is_shown_as_it_was_written(light: Page, consoles: Consoles, path: str) -> None:
    light.goto(consoles.full + path)
    expect(light.locator("main").get_by_text(world.NASTY).first).to_be_visible()
    assert light.locator("script:not([src])").count() == 0


def test_a_bar_is_as_long_as_what_is_left(light: Page, consoles: Consoles) -> None:
    light.goto(consoles.full)
    bar = light.get_by_role("row", name="neo4j-1hop").locator("svg.bar")
    share = bar.evaluate(
        """it => { const width = name => it.querySelector(name).getBoundingClientRect().width;
             return width('.left') / width('.track'); }"""
    )
    assert share == pytest.approx(0.19, abs=0.01)
    label = bar.get_attribute("aria-label")
    assert label
    assert label.startswith("Budget left: 19.0 %; tomorrow ")
    partly = light.get_by_role("row", name="stepup-success").locator("svg.bar").get_attribute("aria-label")
    assert partly
    assert "69 % was not measured; at an even pace it would be 69 %" in partly


def test_the_alert_stands_in_the_chart_as_a_labelled_vertical(light: Page, consoles: Consoles) -> None:
    light.goto(f"{consoles.full}/slos/exports-signed")
    chart = light.get_by_role("img", name="Error budget left, 30 d")
    expect(chart.locator("text.event")).to_have_text(["ticket"])
    x = chart.locator("line.event").get_attribute("x1")
    assert x
    assert float(x.removesuffix("%")) == pytest.approx(19 / 30 * 100, abs=1)
    light.goto(f"{consoles.full}/slos/gateway-read-latency")
    expect(light.locator("#charts text.event.deployment").first).to_have_text("2.41.0")


def test_numbers_are_exchanged_in_place_and_focus_stays(browser: Browser, consoles: Consoles, tmp_path: Path) -> None:

    store = world.a_store(tmp_path, world.received()[:1])
    with world.serving(world.application(replace(consoles.state, store=store))) as url:
        for page in opened(browser, url):
            page.clock.install()
            page.goto(url)
            page.evaluate("window.untouched = true")
            page.get_by_role("link", name="exports-signed").focus()
            resolved = replace(world.received()[0], status=world.AlertStatus.RESOLVED, ends_at=world.NOW)
            with store.transaction() as transaction:
                transaction.alerts.record(resolved, world.NOW)
            page.clock.fast_forward(31_000)
            expect(page.get_by_text("No alert is firing.")).to_be_visible()
            expect(page.locator("#said")).to_have_text("No alert is firing now.")
            assert page.evaluate("window.untouched")
            assert page.evaluate("document.activeElement.textContent") == "exports-signed"
            page.get_by_role("button", name="Pause").click()
            expect(page.get_by_text("Updates are paused.")).to_be_visible()


def test_times_are_told_in_the_readers_zone_with_utc_beside(browser: Browser, consoles: Consoles) -> None:
    for page in opened(browser, consoles.full, timezone_id="Europe/Berlin", locale="en-GB"):
        page.goto(f"{consoles.full}/alerts")
        said = page.get_by_role("row", name="gateway-availability").first.locator("time").inner_text()
        assert "13:53" in said
        assert "2026-09-16 11:53 UTC" in said
