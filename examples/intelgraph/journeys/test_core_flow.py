"""The core flow of IntelGraph, as a person walks it: sign in, query, write, traverse two hops.

`flyball journey run core-flow examples/intelgraph --headed` shows it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

from playwright.sync_api import Page, expect


def test_core_flow(
    page: Page,
    step: Callable[[str], AbstractContextManager[None]],
    secret: Callable[[str], str],
    variable: Callable[[str], str],
) -> None:
    """It works without scripts, and so does this."""
    with step("sign in"):
        page.goto("/sign-in")
        page.get_by_label("User").fill(variable("user"))
        page.get_by_label("Password").fill(secret("password"))
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url("/graph")

    with step("query"):
        page.get_by_label("Query").fill("person")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_test_id("results").locator("li").first).to_be_visible()

    with step("write"):
        page.goto("/entities/new")
        page.get_by_label("Name").fill("Synthetic journey")
        page.get_by_label("Kind").select_option("company")
        page.get_by_role("button", name="Create").click()
        expect(page.locator("h1")).to_have_text("Synthetic journey")

    with step("two hops"):
        page.goto(f"{page.url}/neighbours?hops=2")
        expect(page.locator("li[data-hop='2']").first).to_be_visible()
