"""The page of golden paths: what it says, its JSON, and how it looks in Debian's Chromium."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import httpx
import pytest
from playwright.sync_api import Browser

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.ports import Transient
from flyball.demo import servers
from tests.flyball.web import path_world, world
from tests.flyball.web.test_console_browser import AXE, PHONE


class NoStore:
    """A database that is away."""

    def ping(self) -> None:
        raise Transient("the database is locked")

    def transaction(self, **_: object) -> object:
        raise Transient("the database is locked")


@dataclass(frozen=True)
class Consoles:
    """Addresses: one with paths of every state, one with none, one without its Prometheus and database."""

    full: str
    empty: str
    alone: str


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consoles]:
    folder = tmp_path_factory.mktemp("paths")
    with servers.prometheus(folder / "prometheus") as prometheus:
        path_world.write(prometheus.url)
        backend = PrometheusBackend(prometheus.url)
        full = world.State(backend, world.a_store(folder / "full", []), [])
        path_world.fill(full.store)
        away = PrometheusBackend(f"http://{servers.LOOPBACK}:{servers.free_port()}")
        alone = replace(full, metrics=away, store=NoStore())  # type: ignore[arg-type]
        everything = path_world.everything()
        with (
            world.serving(path_world.application(full, everything)) as full_url,
            world.serving(path_world.application(full, path_world.Declared())) as empty_url,
            world.serving(path_world.application(alone, everything)) as alone_url,
        ):
            yield Consoles(full_url, empty_url, alone_url)
        backend.close()


def page(url: str) -> str:
    answer = httpx.get(f"{url}/golden-paths", timeout=20)
    assert answer.status_code == 200
    return answer.text


def test_the_page_says_what_watches_each_path_and_what_is_missing(paths: Consoles) -> None:
    text = page(paths.full)
    assert "5 golden paths: 1 covered, 1 with accepted gaps, 3 with gaps; 1 route on no path." in text
    assert "coverage hole: its SLOs burn, and no check sees it, since" in text
    assert "<strong>graphql-gateway /files/upload</strong> 604,800 requests a day" in text
    assert "accepted until 2026-12-31: the exporter gets an API in January" in text
    assert '<a href="/checks/journey/core-flow">core-flow</a>' in text
    assert '<a href="/slos/gateway-availability">gateway-availability</a>' in text
    assert "ran 9 h ago" in text


def test_nothing_that_a_file_or_a_prober_says_becomes_part_of_the_page(paths: Consoles) -> None:
    assert "<script>alert" not in page(paths.full)


def test_without_paths_the_page_says_how_to_write_one(paths: Consoles) -> None:
    assert "No golden paths yet" in page(paths.empty)


def test_without_prometheus_and_database_everything_is_unknown_and_nothing_is_covered(paths: Consoles) -> None:
    text = page(paths.alone)
    assert "Prometheus does not tell: " in text
    assert "the database is locked" in text
    assert 'class="chip ok"' not in text
    data = httpx.get(f"{paths.alone}/api/v1/golden-paths", timeout=20).json()
    assert {path["state"] for path in data["paths"]} == {"unknown", "gaps", "accepted"}
    assert {gap["gap"] for gap in data["gaps"]} == {"no-journey", "no-slo"}
    assert data["routesOnNoPath"] is None


def test_programs_get_the_same_as_json(paths: Consoles) -> None:
    data = httpx.get(f"{paths.full}/api/v1/golden-paths", timeout=20).json()
    assert [path["state"] for path in data["paths"]] == ["covered", "gaps", "accepted", "gaps", "gaps"]
    assert data["disagreements"] == {"core-flow": {"kind": "coverage_hole", "since": "2026-09-16T11:53:00Z"}}
    assert data["routesOnNoPath"] == [
        {"inventory": "gateway", "service": "graphql-gateway", "method": "", "route": "/files/upload",
         "requestsPerDay": "604800"}
    ]  # fmt: skip
    assert data["measured_at"] == "2026-09-16T12:34:00Z"


@pytest.mark.browser
def test_axe_finds_nothing_to_complain_about_and_nothing_is_wider_than_a_phone(
    browser: Browser, paths: Consoles
) -> None:
    context = browser.new_context(bypass_csp=True, reduced_motion="reduce")
    tab = context.new_page()
    told: list[object] = []
    for url in (paths.full, paths.alone):
        tab.set_viewport_size({"width": 1280, "height": 900})
        tab.goto(f"{url}/golden-paths")
        tab.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true })")
        tab.add_script_tag(path=AXE)
        for scheme in ("light", "dark") if url == paths.full else ("light",):
            tab.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            rules = {"runOnly": ["color-contrast"]} if scheme == "dark" else {}  # nothing else is a matter of colours
            found = tab.evaluate("rules => axe.run(document, {...rules, resultTypes: ['violations']})", rules)
            told += [
                (url, scheme, it["id"], [node["html"][:200] for node in it["nodes"]]) for it in found["violations"]
            ]
        tab.set_viewport_size(PHONE)  # type: ignore[arg-type]
        if tab.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
            told.append((url, "wider than a phone"))
    context.close()
    assert told == []


@pytest.mark.browser
def test_no_two_boxes_of_the_graph_overlap_and_every_label_fits(browser: Browser, paths: Consoles) -> None:
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.goto(f"{paths.full}/golden-paths")
    boxes = tab.locator(".graph .node rect").evaluate_all(
        "found => found.map(it => { const r = it.getBoundingClientRect(); return [r.x, r.y, r.width, r.height] })"
    )
    assert len(boxes) > 15
    for number, (x, y, width, height) in enumerate(boxes):
        for other_x, other_y, _, _ in boxes[:number]:
            assert abs(x - other_x) >= width or abs(y - other_y) >= height
    too_wide = tab.locator(".graph .node").evaluate_all(
        """found => found.filter(it => [...it.querySelectorAll('text')].some(
             text => text.getBBox().width > it.querySelector('rect').getBBox().width - 16)).map(it => it.textContent)"""
    )
    assert too_wide == []
    tab.close()
