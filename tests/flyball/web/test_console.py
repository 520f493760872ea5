"""The console over HTTP, without a browser: what pages and their JSON twins say."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from controlplane import conventions as names
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.series import Series
from controlplane.model.slo import SLO
from controlplane.specfile import SourceFile, read
from flyball.kinds import KINDS
from flyball.web import pages
from slo.resolve import slos_from
from tests.flyball.web import world
from tests.flyball.web.conftest import Consoles

NASTY_PATH = f"/slos/{quote(f'nasty {world.NASTY}', safe='')}"
EVERY_PATH = (
    "/", "/?q=gateway&service=graphql-gateway", "/slos/gateway-availability", "/slos/hello-case?range=1d", NASTY_PATH,
    "/alerts", "/problems", "/slos/nobody", "/nowhere",
)  # fmt: skip


def words(html: str) -> str:
    """The text of a page, as one line."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", re.sub(r"<(script|style).*?</\1>", "", html))))


def test_the_worst_slo_comes_first_with_its_figures(consoles: Consoles) -> None:
    page = httpx.get(consoles.full).text
    names = re.findall(r'<th role="rowheader" scope="row"><a href="/slos/([^"]+)"', page)
    assert names[0] == "gateway-availability"
    assert names.index("exports-signed") < names.index("neo4j-1hop") < names.index("hello-case")
    assert names[-1] == "opa-decisions"
    first = words(page[page.index('scope="row"') : page.index("exports-signed</a>")])
    for told in ("Gateway availability", "graphql-gateway", "low", "99.9 %", "22.6 %", "130×", "page"):
        assert told in first


def test_missing_is_not_zero(consoles: Consoles) -> None:
    found = httpx.get(f"{consoles.full}/api/v1/slos?q=hello-case").json()["slos"][0]
    assert found["standing"] == "no_data"
    assert found["budget_remaining_ratio"] is None
    assert found["burn_rate_1h"] is None
    row = words(httpx.get(f"{consoles.full}/?q=hello-case").text)
    assert "no data" in row
    assert " 0 %" not in row.split("hello-case", 1)[1]


def test_a_filter_works_without_scripts(consoles: Consoles) -> None:
    page = httpx.get(f"{consoles.full}/", params={"q": "LATENCY low", "service": "neo4j"}).text
    assert "No SLO matches" in page
    page = httpx.get(f"{consoles.full}/", params={"q": "latency", "service": "graphql-gateway"}).text
    assert re.findall(r'scope="row"><a href="/slos/([^"]+)"', page) == ["gateway-read-latency", "gateway-write-latency"]
    assert '<option selected value="graphql-gateway">' in page


def test_one_slo_tells_what_happened_and_when_the_budget_is_gone(consoles: Consoles) -> None:
    text = words(httpx.get(f"{consoles.full}/slos/gateway-availability").text)
    assert "Gateway availability spent 18 % of its 30-day budget in the last hour." in text
    assert "At this rate it is gone in 1 h 15 min." in text
    assert "Worst: route=/pay code=500 412" in text
    assert "slos/graphql-gateway.yaml:20" in text
    assert 'http_requests_total{service="graphql-gateway",code=~"5.."}' in text
    assert "page 5 min 143× 14.4×" in text


def test_a_page_of_one_slo_links_to_the_outside_only_where_a_browser_may_go(consoles: Consoles) -> None:
    good = httpx.get(f"{consoles.full}/slos/gateway-availability").text
    assert 'href="https://runbooks.example/graphql-gateway"' in good
    assert 'href="https://grafana.example/d/slo-gateway-availability?var-slo=gateway-availability"' in good
    assert f'href="{consoles.prometheus}/graph?' in good
    nasty = httpx.get(consoles.full + NASTY_PATH).text
    assert "javascript:" not in nasty


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://a.example/x?y=1", "https://a.example/x?y=1"),
        ("javascript:alert(1)", ""), (" JavaScript:alert(1)", ""), ("data:text/html,x", ""), ("//a.example", ""),
        ("https://", ""), ("http://[::1", ""), ("", ""),
    ],
)  # fmt: skip
def test_only_http_links_with_a_host_are_links(url: str, link: str) -> None:
    assert pages.web_link(url) == link


@pytest.mark.parametrize("path", EVERY_PATH)
def test_what_users_wrote_is_text_on_every_page(consoles: Consoles, path: str) -> None:
    page = httpx.get(consoles.full + path).text
    assert "<script>alert" not in page
    assert "<b>x</b>" not in page
    assert not re.search(r'\son\w+="', page)


@pytest.mark.parametrize("path", EVERY_PATH)
def test_pages_forbid_what_they_do_not_use(consoles: Consoles, path: str) -> None:
    answer = httpx.get(consoles.full + path)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert " style=" not in answer.text
    assert "<style" not in answer.text
    assert re.findall(r"<script(?! src=)", answer.text) == []


def test_alerts_tell_how_long_they_lasted_and_how_often_they_came(consoles: Consoles) -> None:
    text = words(httpx.get(f"{consoles.full}/alerts").text)
    assert "firing gateway-availability" in text
    assert "41 min 2" in text
    assert "resolved exports-signed" in text
    told = httpx.get(f"{consoles.full}/api/v1/alerts").json()
    assert [alert["slo"] for alert in told["firing"]] == ["gateway-availability", f"nasty {world.NASTY}"]
    assert told["recent"][-1]["seconds"] == 5 * 3600


def test_problems_show_the_line_and_a_caret(consoles: Consoles) -> None:
    page = unescape(httpx.get(f"{consoles.full}/problems").text)
    assert "slos/auth.yaml:4:3" in page
    assert re.search(r'nmae: stepup <b>x</b>\n<span class="quiet">  │</span> <span class="caret">  \^\^\^\^<', page)
    assert "The SLO files have 2 problems." in httpx.get(consoles.full).text


def test_without_prometheus_and_database_every_page_says_so(consoles: Consoles) -> None:
    for path in ("/", "/slos/gateway-availability", "/alerts"):
        answer = httpx.get(consoles.alone + path)
        assert answer.status_code == 200
        assert "Prometheus does not answer." in answer.text
        assert "the database is locked" in answer.text
        assert "No alert is firing" not in answer.text
    assert httpx.get(f"{consoles.alone}/api/v1/slos").json()["failure"]
    assert httpx.get(f"{consoles.alone}/api/v1/alerts").status_code == 503


def test_an_empty_console_says_how_to_begin_with_a_file_that_is_right(consoles: Consoles) -> None:
    page = httpx.get(consoles.empty).text
    shown = re.search(r"<pre><code>(.*?)</code></pre>", page, re.DOTALL)
    assert shown
    found = read([SourceFile("slo.yaml", unescape(shown[1]).encode())], KINDS)
    assert found.problems == ()
    resolved = slos_from(found.documents)
    assert [slo.name for slo in resolved.slos] == ["checkout"]
    assert resolved.problems == ()


def test_an_unknown_page_is_a_page_and_an_unknown_answer_is_json(consoles: Consoles) -> None:
    page = httpx.get(f"{consoles.full}/slos/nobody")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no SLO named “nobody”" in page.text
    answer = httpx.get(f"{consoles.full}/api/v1/slos/nobody")
    assert (answer.status_code, answer.json()) == (
        404, {"error": "There is no SLO named “nobody” in the files that are applied."}
    )  # fmt: skip
    assert httpx.post(f"{consoles.full}/alerts").status_code == 405


def test_one_slo_as_json_has_exact_numbers_and_its_past(consoles: Consoles) -> None:
    told = httpx.get(f"{consoles.full}/api/v1/slos/gateway-availability").json()
    assert told["objective"] == "0.999"
    assert told["budget_spent_last_hour_ratio"] == pytest.approx(0.18)
    assert told["seconds_to_exhaustion"] == pytest.approx(told["budget_remaining_ratio"] / 0.18 * 3600)
    assert told["burn"]["slo:burn_rate:1h"] == pytest.approx(129.6)
    assert len(told["history"]["budget_remaining_ratio"]) > 200
    assert told["measured_at"] == "2026-09-16T12:34:00Z"


class Broken(world.State):
    """A control plane with a fault of its own."""

    def slos(self) -> list[SLO]:
        raise RuntimeError("a secret of the inside")


def test_a_fault_of_our_own_is_a_page_that_tells_nothing_of_the_inside(consoles: Consoles) -> None:
    with world.serving(world.application(Broken(consoles.state.metrics, consoles.state.store, []))) as url:
        page, answer = httpx.get(url), httpx.get(f"{url}/api/v1/slos")
    assert (page.status_code, answer.status_code) == (500, 500)
    assert "Something broke here" in page.text
    assert "secret" not in page.text + answer.text
    assert answer.json() == {"error": "Flyball failed to answer; the reason is in its log."}


def test_very_many_alerts_and_problems_are_shown_in_part(consoles: Consoles, tmp_path: Path) -> None:
    firing, wrong = world.received()[0], world.problems()[0]
    store = world.a_store(tmp_path, [replace(firing, fingerprint=f"f{number}") for number in range(510)])
    problems = [replace(wrong, line=number) for number in range(1, 602)]
    state = replace(consoles.state, store=store, given_problems=problems)
    with world.serving(world.application(state)) as url:
        assert "The latest 500 of 510" in words(httpx.get(f"{url}/alerts").text)
        assert "All 510 firing alerts" in words(httpx.get(url).text)
        assert "The first 500 of 601" in words(httpx.get(f"{url}/problems").text)


def test_colours_are_remembered_without_scripts(consoles: Consoles) -> None:
    with httpx.Client(base_url=consoles.full, follow_redirects=True) as reader:
        page = reader.post("/theme", data={"theme": "dark", "back": "/alerts"})
        assert page.url.path == "/alerts"
        assert '<html lang="en" data-theme="dark">' in page.text
        assert reader.post("/theme", data={"theme": '"><script>', "back": "/"}).text.count('data-theme="dark"') == 1


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/\t/evil.example"])
def test_the_colour_switch_sends_nobody_elsewhere(consoles: Consoles, back: str) -> None:
    answer = httpx.post(f"{consoles.full}/theme", data={"theme": "dark", "back": back})
    assert answer.status_code == 303
    assert httpx.URL(consoles.full).join(answer.headers["location"]).host == "127.0.0.1"


def test_static_files_are_kept_by_their_content_and_asked_for_again_otherwise(consoles: Consoles) -> None:
    path = re.search(r"/static/console\.css\?v=\w+", httpx.get(consoles.full).text)
    assert path
    kept = httpx.get(consoles.full + path[0])
    assert "immutable" in kept.headers["cache-control"]
    plain = httpx.get(f"{consoles.full}/static/console.css")
    assert plain.headers["cache-control"] == "no-cache"
    again = httpx.get(f"{consoles.full}/static/console.css", headers={"If-None-Match": plain.headers["etag"]})
    assert again.status_code == 304


def test_ten_thousand_slos_are_pages_of_a_hundred(consoles: Consoles) -> None:
    many = [world.an_slo(f"slo-{number:05}", f"service-{number % 50}") for number in range(10_000)]
    state = replace(consoles.state, given_slos=many, given_problems=())
    with world.serving(world.application(state)) as url:
        page = httpx.get(f"{url}/?page=100", timeout=30).text
        assert page.count('role="rowheader"') == 100
        assert "9,901 to 10,000 of 10,000" in page
        assert 'rel="prev" href="/?q=&amp;service=&amp;page=99"' in page
        assert 'rel="next"' not in page
        for odd in ("0", "-1", "x", "99999999999", "٣"):
            assert httpx.get(f"{url}/", params={"page": odd, "q": "slo-0001"}, timeout=30).status_code == 200


def test_the_number_of_queries_does_not_grow_with_the_slos(consoles: Consoles) -> None:
    assert queries_for(consoles, consoles.state.given_slos[:1]) == queries_for(consoles, consoles.state.given_slos) == 6


def queries_for(consoles: Consoles, slos: list[SLO]) -> int:
    """How many queries the list of these takes."""
    metrics = CountingMetrics(consoles.state.metrics)
    state = replace(consoles.state, given_slos=slos, metrics=metrics)
    with world.serving(world.application(state)) as url:
        assert httpx.get(url).status_code == 200
        assert httpx.get(url).status_code == 200  # is remembered
    return metrics.count


class CountingMetrics:
    """A backend that counts what it is asked."""

    def __init__(self, inner: world.MetricsBackend) -> None:
        self._inner = inner
        self.count = 0

    def query(self, *arguments: object) -> object:
        self.count += 1
        return self._inner.query(*arguments)

    def query_range(self, *arguments: object) -> object:
        self.count += 1
        return self._inner.query_range(*arguments)


def test_the_console_hangs_below_a_path(consoles: Consoles) -> None:
    from starlette.applications import Starlette
    from starlette.routing import Mount

    with world.serving(Starlette(routes=[Mount("/flyball", world.application(consoles.state))])) as url:
        page = httpx.get(f"{url}/flyball/slos/gateway-availability").text
        links = set(re.findall(r'(?:href|src|action)="(/[^"]*)"', page))
        assert all(link.startswith("/flyball/") for link in links)
        for link in links:
            assert httpx.get(url + unescape(link)).status_code in (200, 405)


def test_a_month_is_over(consoles: Consoles) -> None:
    later = replace(consoles.state, clock=world.FixedClock(world.NOW + timedelta(days=40)))
    with world.serving(world.application(later)) as url:
        text = words(httpx.get(f"{url}/slos/gateway-availability").text)
    assert "Prometheus has no budget for Gateway availability" in text
    assert "No data in the past 30 days." in text


def test_a_grouped_slo_shows_every_budget_the_worst_first(consoles: Consoles) -> None:
    slo = world.an_slo("by-tenant", "shop", groups=("tenant",))
    budgets = {"acme": 0.8, "globex": -0.5, "<b>": 0.3}
    with RemoteWriter(consoles.state.metrics.address) as writer:  # type: ignore[attr-defined]
        writer.write(
            [
                Series({"__name__": record, "slo": slo.name, "tenant": tenant, **labels}, ((world.NOW, value),))
                for tenant, left in budgets.items()
                for record, labels, value in (
                    (names.BUDGET_REMAINING, {}, left),
                    (names.WINDOW_COVERAGE, {}, 1.0),
                    (names.ROLLING_EVENTS, {"event": "all"}, 100.0),
                )
            ]
        )
    state = replace(consoles.state, given_slos=[slo], given_problems=())
    with world.serving(world.application(state)) as url:
        assert "worst of 3: globex" in words(httpx.get(url).text)
        page = httpx.get(f"{url}/slos/by-tenant").text
        rows = re.findall(r'data-label="tenant"><a href="([^"]*)"( aria-current="true")?>([^<]*)<', page)
        assert rows == [
            ("?tenant=globex", ' aria-current="true"', "globex"), ("?tenant=%3Cb%3E", "", "&lt;b&gt;"),
            ("?tenant=acme", "", "acme"),
        ]  # fmt: skip
        assert "by-tenant, globex" in words(page)
        assert "by-tenant, acme" in words(httpx.get(f"{url}/slos/by-tenant?tenant=acme").text)
        told = httpx.get(f"{url}/api/v1/slos/by-tenant").json()
        assert [(each["group"], each["budget_remaining_ratio"]) for each in told["groups"]] == [
            ({"tenant": "globex"}, -0.5), ({"tenant": "<b>"}, 0.3), ({"tenant": "acme"}, 0.8),
        ]  # fmt: skip
