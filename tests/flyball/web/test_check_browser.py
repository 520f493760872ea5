"""The pages about checks in Debian's Chromium: light and dark, on a phone, by keyboard, without scripts."""

import pytest
from playwright.sync_api import Browser, expect

from tests.flyball.web.conftest import CheckConsoles
from tests.flyball.web.test_check_pages import NASTY_PATH
from tests.flyball.web.test_console_browser import AXE, PHONE, opened

pytestmark = pytest.mark.browser
DARK_TOO = ("/checks", "/checks/probe/sign-in-page")  # between them they have every colour


def test_axe_finds_nothing_to_complain_about_and_nothing_is_wider_than_a_phone(
    browser: Browser, checks: CheckConsoles
) -> None:
    context = browser.new_context(bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    told: list[object] = []
    for url in (
        *[checks.full + path for path in (*DARK_TOO, NASTY_PATH)],
        f"{checks.empty}/checks?",
        f"{checks.alone}/checks/probe/gateway-tls?",
    ):
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(url)
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


def test_on_a_phone_a_check_is_a_card_that_names_its_regions(browser: Browser, checks: CheckConsoles) -> None:
    for page in opened(browser, checks.full, viewport=PHONE):
        page.goto(f"{checks.full}/checks")
        row = page.get_by_role("row", name="Sign-in page")
        assert (row.bounding_box() or {"height": 0})["height"] > 150
        us = row.locator('[data-label="United States"]')
        assert us.evaluate("it => getComputedStyle(it, '::before').content") == '"United States"'
        assert us.get_by_role("img", name="Last 12 runs: 0 ok, 12 failed").count() == 1


def test_without_scripts_one_can_go_from_the_grid_to_a_reason(browser: Browser, checks: CheckConsoles) -> None:
    for page in opened(browser, checks.full, java_script_enabled=False):
        page.goto(f"{checks.full}/checks")
        page.get_by_role("rowheader").get_by_role("link", name="Sign-in page").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign-in page")
        expect(page.get_by_role("img", name="us: 90.6 %")).to_be_visible()
        page.get_by_text("As a table").click()
        expect(page.get_by_role("region", name="Hours with failures, as a table")).to_be_visible()
        page.get_by_role("navigation", name="Main").get_by_role("link", name="Checks").click()
        expect(page.get_by_role("heading", name="Regions")).to_be_visible()
