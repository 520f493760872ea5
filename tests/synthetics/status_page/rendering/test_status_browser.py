"""The public page in Debian's Chromium: for everybody, on every screen, without scripts, light and still."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from starlette.applications import Starlette

from flyball.web.status_files import status_routes
from synthetics.status_page.rendering import render, render_fresh
from synthetics.status_page.rendering.catalogue import catalogue
from synthetics.status_page.rendering.stylesheet import style_sheet
from tests.flyball.web.world import serving
from tests.synthetics.status_page.rendering import samples

pytestmark = pytest.mark.browser
AXE = Path(__file__).resolve().parents[3] / "web/axe/node_modules/axe-core/axe.min.js"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"width": 360, "height": 780}
BUDGET = 100_000  # bytes of the first page and its style sheet, as they are: a bucket compresses nothing
NASTY = "<script>alert(1)</script>\"'&"
KINDS = (
    "everything/", "short/de/", "short/history.html", "short/incidents/inc-2041.html", "short/uptime/checkout.html",
    "unknown/", "empty/", "right-to-left/uptime/reports.html",
)  # fmt: skip
OBSERVER = """
window.shift = 0;
new PerformanceObserver(list => list.getEntries().forEach(it => { window.shift += it.value }))
  .observe({type: 'layout-shift', buffered: true});
"""


def nasty() -> samples.PublicSnapshot:
    told = samples.everything()
    parts = tuple(replace(it, name=NASTY + it.name, description=NASTY * 9) for it in told.components)
    incidents = tuple(replace(it, name=NASTY, updates=(replace(it.updates[0], body=NASTY),)) for it in told.incidents)
    page = replace(told.page, name=NASTY, support_url="javascript:alert(1)", description=NASTY)
    return replace(told, page=page, components=parts, incidents=incidents)


def short(snapshot: samples.PublicSnapshot) -> samples.PublicSnapshot:
    """With twelve days: what looks at every element has less to look at, and nothing else."""
    parts = tuple(
        replace(it, uptime=it.uptime and replace(it.uptime, days=it.uptime.days[-12:])) for it in snapshot.components
    )
    return replace(snapshot, components=parts)


def subscribable() -> samples.PublicSnapshot:
    told = samples.everything()
    url = "https://flyball.acme.example/status/acme/subscribe"
    return replace(told, page=replace(told.page, takes_subscribers=True, subscribe_url=url))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Pages, served in place."""
    folder = tmp_path_factory.mktemp("status")
    empty = replace(samples.calm(), components=(), groups=(), incidents=())
    style = {style_sheet().path: style_sheet().content}
    sites = {name: render(it) for name, it in {
        "everything": subscribable(), "short": short(subscribable()), "nasty": short(nasty()), "empty": empty,
    }.items()}  # fmt: skip
    mirrored = replace(catalogue("en"), language="ar", direction="rtl")
    sites["right-to-left"] = render(short(samples.everything()), [mirrored])
    for name, first in {"calm": samples.calm(), "unknown": samples.unknown(), "large": samples.large(20)}.items():
        sites[name] = {**render_fresh(first), **style, "icon.svg": sites["everything"]["icon.svg"]}
    for name, files in sites.items():
        for path, content in files.items():
            file = folder / name / ".generations/1" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        (folder / name / "current").symlink_to(".generations/1")
    with serving(Starlette(routes=status_routes(folder))) as url:
        yield f"{url}/status/"


def test_axe_sees_what_it_should(browser: Browser, site: str) -> None:
    page = browser.new_page(bypass_csp=True)
    page.goto(f"{site}empty/")
    page.add_style_tag(content="h1 { color: #ccc } .top a { font-size: 9px; padding: 0; letter-spacing: -1px }")
    page.evaluate("document.documentElement.removeAttribute('lang')")
    page.add_script_tag(path=AXE)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", STANDARDS)
    page.close()
    assert {"color-contrast", "html-has-lang"} <= {it["id"] for it in found["violations"]}


@contextmanager
def opened(browser: Browser, site: str, **options: object) -> Iterator[Page]:
    """A page that fails the test when anything is refused, missing, or asked of somebody else."""
    context: BrowserContext = browser.new_context(**options)  # type: ignore[arg-type]
    page = context.new_page()
    complaints: list[str] = []
    page.on("request", lambda it: complaints.append(it.url) if not it.url.startswith(site) else None)
    page.on("response", lambda it: complaints.append(f"{it.status} {it.url}") if it.status >= 400 else None)
    page.on("console", lambda it: complaints.append(it.text))
    page.on("pageerror", lambda it: complaints.append(str(it)))
    page.on("dialog", lambda it: complaints.append(it.message))
    yield page
    context.close()
    assert complaints == []


def test_axe_finds_nothing_to_complain_about_on_any_kind_of_page_in_light_and_dark(browser: Browser, site: str) -> None:
    context = browser.new_context(bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    told = []
    for path in KINDS[1:]:  # the second is the first with fewer days
        page.goto(site + path)
        page.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true })")
        page.add_script_tag(path=AXE)
        for scheme, rules in (("light", STANDARDS), ("dark", ["color-contrast"])):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", rules)
            told += [(path, scheme, it["id"], [n["html"][:200] for n in it["nodes"]]) for it in found["violations"]]
    context.close()
    assert told == []


def test_nothing_is_wider_than_a_phone(browser: Browser, site: str) -> None:
    with opened(browser, site, viewport=PHONE, has_touch=True) as page:
        wide = []
        for path in (*KINDS, "nasty/"):
            page.goto(site + path)
            if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
                wide.append(path)
        assert wide == []


@pytest.mark.parametrize("path", ["large/", "everything/"])
def test_the_page_is_small_and_nothing_on_it_moves(browser: Browser, site: str, path: str) -> None:
    with opened(browser, site) as page:
        sizes: dict[str, int] = {}
        page.on("response", lambda it: sizes.update({it.url: len(it.body())}))
        page.add_init_script(OBSERVER)
        page.goto(site + path)
        page.wait_for_load_state("networkidle")
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate("window.shift") == 0
        assert len(sizes) >= 2
        assert sum(sizes.values()) <= BUDGET


def test_it_needs_no_scripts_and_has_none(browser: Browser, site: str) -> None:
    with opened(browser, site, java_script_enabled=False) as page:
        page.goto(f"{site}everything/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Some systems are down")
        page.get_by_text("3 days with trouble").click()
        expect(page.get_by_role("listitem").filter(has_text="14 October 2026: 97.847")).to_be_visible()
        page.get_by_role("link", name="99.944 % uptime of Checkout: how it is counted").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Uptime of Checkout")
        expect(page.get_by_text("Probes did not see that clients refused the certificate")).to_be_visible()
        page.get_by_role("link", name="Deutsch").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Verfügbarkeit von Kasse")
        page.get_by_role("link", name="Verlauf").click()
        page.get_by_role("link", name="Oktober 2026").click()
        page.get_by_role("link", name="No connection to the API").click()
        expect(page.locator("html")).to_have_attribute("lang", "de")
        assert page.locator("script").count() == 0


def test_colours_are_those_of_the_system_until_the_reader_chooses(browser: Browser, site: str) -> None:
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    with opened(browser, site, color_scheme="light") as page:
        page.goto(f"{site}calm/")
        assert page.evaluate(ground) == "rgb(247, 248, 248)"
        page.get_by_role("radio", name="Dark").check()
        assert page.evaluate(ground) == "rgb(17, 21, 24)"
        page.emulate_media(media="print")
        assert page.evaluate(ground) == "rgb(247, 248, 248)"
    with opened(browser, site, color_scheme="dark") as page:
        page.goto(f"{site}calm/")
        assert page.evaluate(ground) == "rgb(17, 21, 24)"
        page.get_by_role("radio", name="Light").check()
        assert page.evaluate(ground) == "rgb(247, 248, 248)"


def test_tab_reaches_everything_and_shows_where_it_is(browser: Browser, site: str) -> None:
    with opened(browser, site) as page:
        page.goto(f"{site}everything/")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
        wanted = page.evaluate(
            """() => [...document.querySelectorAll('a[href], button, input:not([type=hidden], [tabindex]), summary')]
                 .filter(it => it.checkVisibility() && (it.type !== 'radio' || it.checked))
                 .map((it, at) => { it.dataset.at = at }).length"""
        )
        reached: dict[str, bool] = {}
        for _ in range(wanted + 5):
            at, seen = page.evaluate(
                """() => { const it = document.activeElement, style = getComputedStyle(it);
                     const seen = parseFloat(style.outlineWidth) >= 2 && style.outlineStyle != 'none';
                     return [it.dataset.at ?? '', seen] }"""
            )
            reached[at] = seen
            page.keyboard.press("Tab")
        assert {str(at) for at in range(wanted)} <= reached.keys()
        assert [at for at, seen in reached.items() if at and not seen] == []


def test_a_bar_says_in_words_what_it_shows_and_is_high_where_the_day_was_bad(browser: Browser, site: str) -> None:
    with opened(browser, site) as page:
        page.goto(f"{site}everything/")
        bar = page.locator("#c-checkout svg.bar")
        assert bar.get_attribute("aria-label") == "Last 90 days: 99.944\N{NO-BREAK SPACE}%. 3 days with trouble."
        heights = bar.evaluate(
            "it => Object.fromEntries([...it.querySelectorAll('path')].map(p => [p.className.baseVal, "
            "parseFloat(getComputedStyle(p).strokeWidth)]))"
        )
        assert heights == {"operational": 6, "major_outage": 28, "partial_outage": 22}
        assert bar.locator("title").first.text_content().startswith("14 October 2026: 97.847")  # type: ignore[union-attr]


def test_a_page_from_right_to_left_begins_on_the_right(browser: Browser, site: str) -> None:
    with opened(browser, site, viewport={"width": 1280, "height": 900}) as page:
        page.goto(f"{site}right-to-left/")
        mark, words = page.locator(".overall > svg").bounding_box(), page.locator("h1").bounding_box()
        assert mark
        assert words
        assert mark["x"] > words["x"]
        assert (
            page.locator("svg.bar").first.evaluate("it => getComputedStyle(it).transform")
            == "matrix(-1, 0, 0, 1, 0, 0)"
        )


def test_the_form_posts_where_people_subscribe_and_nowhere_else(browser: Browser, site: str) -> None:
    with opened(browser, site) as page:
        page.goto(f"{site}everything/")
        form = page.locator("form")
        assert form.get_attribute("action") == "https://flyball.acme.example/status/acme/subscribe"
        assert form.evaluate("it => [...new FormData(it).keys()]") == ["channel", "language", "website", "address"]
        policy = page.locator("meta[http-equiv]").get_attribute("content") or ""
        assert "form-action https://flyball.acme.example;" in policy
        page.goto(f"{site}calm/")
        assert page.locator("form").count() == 0


def test_badges_hold_their_text(browser: Browser, site: str) -> None:
    with opened(browser, site) as page:
        for path in ("everything/badge.svg", "everything/badge/public-api.svg", "nasty/badge/website.svg"):
            page.goto(site + path)
            spill = page.evaluate(
                """() => { const [left, right] = document.querySelectorAll('rect + rect, g rect:first-child');
                     const boxes = [left, right].map(it => it.getBoundingClientRect()).sort((a, b) => a.x - b.x);
                     const texts = [...document.querySelectorAll('text')].map(it => it.getBoundingClientRect());
                     const fits = (box, ground) => box.left - ground.left >= 4 && ground.right - box.right >= 4;
                     return texts.map((box, at) => fits(box, boxes[at])) }"""
            )
            assert spill == [True, True]
