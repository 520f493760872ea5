"""The public status page: how large, how long to render, whether anything on it moves, whether axe complains."""

import functools
import http.server
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

from benchmarks.report import Figure, progress, show
from controlplane.model.public_status import PublicSnapshot
from synthetics.status_page.adapters.page_folder import PageFolder
from synthetics.status_page.publishing import publish
from synthetics.status_page.rendering import render, render_fresh
from tests.synthetics.status_page.rendering import samples

AXE: Final = Path(__file__).resolve().parent.parent / "tests/web/axe/node_modules/axe-core/axe.min.js"
STANDARDS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TURNS: Final = 3
BUDGET: Final = 100.0  # kB
WITHIN: Final = 60.0  # seconds from an outage to its page
OBSERVER: Final = """
window.shift = 0;
new PerformanceObserver(list => list.getEntries().forEach(it => { window.shift += it.value }))
  .observe({type: 'layout-shift', buffered: true});
"""


def run() -> None:
    """Measure and print."""
    figures = []
    for count in (20, 200):
        progress(f"{count} components, two languages")
        figures += rendered(samples.large(count), count)
    progress("Chromium")
    figures += seen(samples.everything(), samples.large(20))
    show("Status page: 90 days, two languages", figures)


def rendered(snapshot: PublicSnapshot, count: int) -> list[Figure]:
    """Sizes, and processor time of rendering and publishing."""
    files = render(snapshot)
    first = (len(files["index.html"]) + sum(len(it) for path, it in files.items() if path.endswith(".css"))) / 1000
    later = replace(snapshot, at=snapshot.at + timedelta(minutes=1))
    with tempfile.TemporaryDirectory() as folder:
        place = PageFolder(Path(folder) / "page")
        began = time.perf_counter()
        publish(place, snapshot)
        took = time.perf_counter() - began
        fresh = publish(place, later)
    name = f"{count} components"
    return [
        Figure(f"first page and style sheet, {name}", first, "kB", BUDGET if count == 20 else None, detail="unpacked"),
        Figure(f"all files, {name}", sum(map(len, files.values())) / 1000, "kB", detail=f"{len(files)} files"),
        Figure(f"render all, {name}", best(lambda: render(snapshot)), "s", detail="processor time"),
        Figure(f"render what tells the time, {name}", best(lambda: render_fresh(snapshot)), "s"),
        Figure(f"render and publish to a folder, {name}", took, "s", WITHIN, detail="wall clock, fsync included"),
        Figure(f"written a minute while nothing happens, {name}", fresh.written_bytes / 1000, "kB",
               detail=f"{len(fresh.written)} of {fresh.files} files"),
    ]  # fmt: skip


def best(work: Callable[[], object]) -> float:
    """Processor seconds of the quickest of three."""
    times = []
    for _ in range(TURNS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def seen(snapshot: PublicSnapshot, large: PublicSnapshot) -> list[Figure]:
    """Layout shift and what axe finds, over every kind of page, light and dark."""
    files = render(snapshot)
    kinds = {path.partition("/")[0] if "/" in path else path: path for path in files if path.endswith(".html")}
    with served({"all": files, "large": render(large)}) as url, sync_playwright() as playwright:
        executable = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        violations = sum(complaints(browser, f"{url}/all/{path}") for path in kinds.values())
        shift = max(shifted(browser, f"{url}/{path}") for path in ("all/index.html", "large/index.html"))
        browser.close()
    return [
        Figure("layout shift", shift, "", 0),
        Figure("axe-core: violations", violations, "", 0, detail=f"{len(kinds)} kinds of page, light and dark"),
    ]


def complaints(browser: Browser, url: str) -> int:
    """Violations of WCAG 2.2 AA and best practice in both schemes."""
    page = browser.new_page(reduced_motion="reduce", bypass_csp=True)
    page.goto(url)
    page.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true })")
    page.add_script_tag(path=AXE)
    found = 0
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found += page.evaluate("tags => axe.run(document, {runOnly: tags}).then(it => it.violations.length)", STANDARDS)
    page.close()
    return found


def shifted(browser: Browser, url: str) -> float:
    """The sum of layout shifts while the page loads."""
    page = browser.new_page()
    page.add_init_script(OBSERVER)
    page.goto(url)
    page.wait_for_load_state("networkidle")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    shift: float = page.evaluate("window.shift")
    page.close()
    return shift


@contextmanager
def served(sites: Mapping[str, Mapping[str, bytes]]) -> Iterator[str]:
    """The files behind a plain web server."""
    with tempfile.TemporaryDirectory() as folder:
        for name, files in sites.items():
            for path, content in files.items():
                file = Path(folder) / name / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=folder))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""
