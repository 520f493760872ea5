"""The pages about money in Debian's Chromium: readable in light and dark, on a phone, by keyboard, without scripts."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.flyball.web.conftest import MoneyConsoles
from tests.flyball.web.test_console_browser import AXE, PHONE, opened

pytestmark = pytest.mark.browser
DARK_TOO = ("/money", "/money/infrastructure")  # between them they have every colour
PAGES = ("/money", "/money/infrastructure", "/money/unit-costs/ingest", "/money/sources")


def test_axe_finds_nothing_to_complain_about_and_nothing_is_wider_than_a_phone(
    browser: Browser, money: MoneyConsoles
) -> None:
    context = browser.new_context(bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    told: list[object] = []
    for url in (
        *[money.full + path for path in PAGES],
        f"{money.empty}/money?",
        f"{money.alone}/money/infrastructure?",
    ):
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(url)
        page.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true })")
        page.add_script_tag(path=AXE)
        for scheme in ("light", "dark") if url.endswith(DARK_TOO) else ("light",):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            rules = {"runOnly": ["color-contrast"]} if scheme == "dark" else {}  # nothing else is a matter of colours
            found = page.evaluate("rules => axe.run(document, {...rules, resultTypes: ['violations']})", rules)
            told += [
                (url, scheme, it["id"], [node["html"][:200] for node in it["nodes"]]) for it in found["violations"]
            ]
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
            told.append((url, "wider than a phone"))
    context.close()
    assert told == []


def test_a_bar_of_money_is_as_long_as_what_is_left(browser: Browser, money: MoneyConsoles) -> None:
    for page in opened(browser, money.full, viewport=PHONE):
        page.goto(f"{money.full}/money")
        row = page.get_by_role("row", name="Infrastructure")
        assert (row.bounding_box() or {"height": 0})["height"] > 100  # a card
        bar = row.locator("svg.bar")
        share = bar.evaluate(
            """it => { const width = name => it.querySelector(name).getBoundingClientRect().width;
                 return width('.left') / width('.track'); }"""
        )
        assert share == pytest.approx(0.46, abs=0.01)
        said = bar.get_attribute("aria-label") or ""
        assert (
            said
            == "Budget left: 46.0 %; at the expected pace it would be 47 %; at the end −6 %, between −13 % and −1 %"
        )


def test_without_scripts_one_can_go_from_a_budget_to_its_reasons(browser: Browser, money: MoneyConsoles) -> None:
    for page in opened(browser, money.full, java_script_enabled=False):
        page.goto(money.full)
        page.get_by_role("link", name="Money").click()
        page.get_by_role("rowheader").get_by_role("link", name="Infrastructure").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Infrastructure")
        expect(page.get_by_role("img", name="Spent this month")).to_be_visible()
        page.get_by_text("As a table").first.click()
        expect(page.get_by_role("region", name="Spent this month, as a table")).to_be_visible()
        page.get_by_role("navigation", name="Ledger").get_by_role("link", name="billed").click()
        expect(page.get_by_text("From the billed ledger")).to_be_visible()
        page.get_by_role("link", name="the movers of the week").click()
        expect(page).to_have_url(re.compile("/money#movers-title$"))
        page.get_by_role("navigation", name="Split by").get_by_role("link", name="tenant").click()
        expect(page.get_by_role("columnheader", name="Tenant")).to_be_visible()


def test_tab_reaches_everything_about_money_and_shows_where_it_is(browser: Browser, money: MoneyConsoles) -> None:
    for page in opened(browser, money.full):
        page.goto(f"{money.full}/money/infrastructure")
        wanted = page.evaluate(
            """() => { const kinds = 'a[href], button, summary';
                 const all = [...document.querySelectorAll(kinds)].filter(it => it.checkVisibility());
                 all.forEach((it, at) => it.dataset.at = at);
                 return all.length; }"""
        )
        reached: dict[str, bool] = {}
        for _ in range(wanted + 15):
            page.keyboard.press("Tab")
            at, seen = page.evaluate(
                """() => { const it = document.activeElement, style = getComputedStyle(it);
                     return [it.dataset.at ?? '', parseFloat(style.outlineWidth) >= 2]; }"""
            )
            reached[at] = seen
        assert {str(number) for number in range(wanted)} <= reached.keys()
        assert [at for at, seen in reached.items() if at and not seen] == []
