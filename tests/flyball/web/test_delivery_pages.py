"""The pages about deliveries: what they say, who may correct what, and that nothing of it becomes HTML."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Browser
from starlette.applications import Starlette
from starlette.middleware import Middleware

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.model.follow_up import AccessToken, Role
from flyball.demo import servers
from flyball.web.access import Access, digest_of
from flyball.web.console import console_routes, exception_handlers
from flyball.web.delivery_gathering import DeclaredDeliveries
from flyball.web.delivery_pages import delivery_routes
from flyball.web.gathering import Gathering
from flyball.web.guards import Admission, Guards
from tests.exporters.dora.report import seeded
from tests.flyball.web import world
from tests.flyball.web.test_console_browser import AXE, PHONE

TOKENS = {"vera": Role.VIEWER, "rob": Role.RESPONDER}
CHECKOUT = "/delivery/checkout"
DEPLOYMENT = f"/delivery/deployments/{quote(seeded.BAD, safe='')}"
ATTRIBUTION = f"/delivery/incidents/{quote(seeded.INCIDENT, safe='')}"


@dataclass(frozen=True)
class Console:
    full: str
    empty: str


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    folder = tmp_path_factory.mktemp("deliveries")
    away = PrometheusBackend(f"http://{servers.LOOPBACK}:{servers.free_port()}")
    clock = world.FixedClock(seeded.NOW)
    full, empty = (world.State(away, world.a_store(folder / name, []), [], clock=clock) for name in ("full", "empty"))
    seeded.seed(full.store)
    seeded.take_events(full.store)
    with world.serving(application(full)) as full_url, world.serving(application(empty)) as empty_url:
        yield Console(full_url, empty_url)
    away.close()


def application(state: world.State) -> Starlette:
    with state.store.transaction() as transaction:
        for name, role in TOKENS.items():
            transaction.access.put_token(AccessToken(name, role, digest_of(f"token-of-{name}"), seeded.NOW))
    deliveries = DeclaredDeliveries(lambda: seeded.POLICY)
    routes = delivery_routes(state, deliveries, Gathering(state))
    guards = Middleware(
        Guards, admission=Admission(frozenset()), access=Access(state.store, None, state.clock, b"k" * 32)
    )
    return Starlette(
        routes=[*routes, *console_routes(state)], middleware=[guards], exception_handlers=dict(exception_handlers())
    )


def basic(who: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"me:token-of-{who}".encode()).decode()}


def shown(url: str, who: str = "rob") -> str:
    answer = httpx.get(url, headers=basic(who), timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.text


def told(url: str) -> dict[str, object]:
    answer = httpx.get(url, headers={"Authorization": "Bearer token-of-vera"}, timeout=20)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def test_all_services_have_their_metrics_and_what_stands_behind_them(console: Console) -> None:
    text = shown(f"{console.full}/delivery?days=30")
    assert "30 deployments" in text
    assert "between elite and high" in text
    assert "2 events not looked at yet" in text
    assert 'href="/delivery/services/checkout?environment=production"' in text
    assert "/delivery/services/search" not in shown(f"{console.full}/delivery?team=shop")
    scopes = told(f"{console.full}/api/v1/delivery?days=30")["scopes"]
    assert [(each["service"], each["change_fail_rate"]["samples"]) for each in scopes] == [  # type: ignore[index, attr-defined]
        ("checkout", 30),
        ("search", 1),
    ]


def test_a_service_says_what_became_of_its_deployments_and_why(console: Console) -> None:
    text = shown(f"{console.full}{CHECKOUT}")
    assert "failed (incident), recovered after 42 min" in text
    assert "rework (rollback)" in text
    assert "by the rules: 1.20 was the last deployment before it, 12 min earlier" in text
    _, _, incidents = text.partition("what they are held against")
    assert f'{DEPLOYMENT}">1.20</a>' in incidents  # its version, not its id
    assert "Deployments a week" in text
    file = told(f"{console.full}/api/v1/delivery/services/checkout")
    assert [each["name"] for each in file["incidents"]] == ["INC-7"]  # type: ignore[index, attr-defined]
    assert shown(f"{console.full}/delivery/services/checkout").count("failed (incident)") == 1
    assert httpx.get(f"{console.full}/delivery/chekout", headers=basic("rob")).status_code == 404


def test_a_deployment_has_its_changes_incidents_and_events(console: Console) -> None:
    text = shown(f"{console.full}{DEPLOYMENT}")
    for said in ("Change 20", "coding 16 h, review 10 h, deploy 1 h", "INC-7", "dev.cdevents.service.upgraded.0.2.0"):
        assert said in text
    data = told(f"{console.full}/api{DEPLOYMENT.replace('/delivery', '/v1/delivery', 1)}")
    assert (data["failure_reason"], data["why"], len(data["events"])) == ("incident", "held against it: INC-7", 1)  # type: ignore[arg-type]
    assert httpx.get(f"{console.full}/delivery/deployments/none", headers=basic("rob")).status_code == 404


def test_a_deployment_that_is_not_measured_says_what_that_takes(console: Console) -> None:
    text = shown(f"{console.full}/delivery/deployments/{quote('/argo#search-1', safe='')}")
    assert "it takes an SLO or a unit cost of search, and 1 h after the deployment" in text


def test_events_can_be_inspected_also_those_that_nobody_knows(console: Console) -> None:
    text = shown(f"{console.full}/delivery/events")
    assert "com.example.unheard" in text
    assert "unknown: it changes nothing" in text
    assert '<td role="cell" data-label="Refused" class="number"><strong>3</strong></td>' in text
    unknown = shown(f"{console.full}/delivery/events?unknown=1").split("Newest first")[1]
    assert "dev.cdevents" not in unknown.split("<tbody")[1]
    (link,) = re.findall(r'href="(/delivery/events/one\?[^"]+)"', unknown)
    body = shown(f"{console.full}{link.replace('&amp;', '&')}")
    assert "&lt;script&gt;alert(3)" in body
    one = told(f"{console.full}/api/v1{link.replace('&amp;', '&')}")
    assert (one["type"], "alert(3)" in str(one["body"])) == ("com.example.unheard", True)
    assert httpx.get(f"{console.full}/delivery/events/one?id=none", headers=basic("rob")).status_code == 404
    answer = told(f"{console.full}/api/v1/delivery/events?type=dev.cdevents")
    assert [each["id"] for each in answer["events"]] == ["checkout-20"]  # type: ignore[index, attr-defined]


PATHS = ("/delivery", CHECKOUT, "/delivery/search", "/delivery/deployments/%2Fargo%23checkout-6", "/delivery/events")


@pytest.mark.parametrize("path", PATHS)
def test_nothing_from_outside_is_html_or_a_link_that_runs(console: Console, path: str) -> None:
    text = shown(f"{console.full}{path}")
    assert "<script>alert" not in text
    assert 'onload="x' not in text
    assert not re.search(r"""(?:href|src|action)\s*=\s*["']?\s*javascript:""", text, re.IGNORECASE)


def test_viewers_read_and_correct_nothing(console: Console) -> None:
    assert "vera may read" in shown(f"{console.full}{CHECKOUT}", "vera")
    assert '<form class="correct"' not in shown(f"{console.full}{CHECKOUT}", "vera")
    answer = httpx.post(f"{console.full}/api/v1{ATTRIBUTION}", json={"what": "none"},
                        headers={"Authorization": "Bearer token-of-vera"})  # fmt: skip
    assert answer.status_code == 403


def test_a_form_without_the_token_of_its_page_corrects_nothing(console: Console) -> None:
    for forged in ({}, {"csrf": "0" * 64}):
        answer = httpx.post(f"{console.full}{ATTRIBUTION}", data={"what": "none", **forged}, headers=basic("rob"))
        assert answer.status_code == 403
    assert "rob said" not in shown(f"{console.full}{CHECKOUT}")


def test_a_responder_corrects_an_attribution_and_takes_it_back(console: Console) -> None:
    csrf = re.search(r'name="csrf" value="([0-9a-f]{64})"', shown(f"{console.full}{CHECKOUT}"))
    assert csrf
    form = {"csrf": csrf[1], "what": "deployment", "to": "1.18", "note": "see the <b>postmortem</b>"}
    answer = httpx.post(f"{console.full}{ATTRIBUTION}", data=form, headers=basic("rob"))
    assert answer.status_code == 303
    assert answer.headers["location"] == "/delivery/services/checkout?environment=production#incidents-title"
    text = shown(f"{console.full}{CHECKOUT}")
    assert "rob said so: see the &lt;b&gt;postmortem&lt;/b&gt;" in text
    url, bearer = f"{console.full}/api/v1{ATTRIBUTION}", {"Authorization": "Bearer token-of-rob"}
    for fields, code in (
        ({"what": "deployment", "to": "no such version"}, 404),
        ({"what": "deployment"}, 422),
        ({"what": "guess"}, 422),
        ({"what": "automatic"}, 200),
    ):
        assert httpx.post(url, json=fields, headers=bearer).status_code == code, fields
    assert "by the rules: 1.20" in shown(f"{console.full}{CHECKOUT}")


def test_empty_pages_say_how_to_begin(console: Console) -> None:
    for path in ("/delivery", "/delivery/events"):
        text = shown(f"{console.empty}{path}")
        assert "flyball event send" in text
        assert "docs/how-to/send-events.md" in text
    assert told(f"{console.empty}/api/v1/delivery")["scopes"] == []


def test_odd_queries_are_harmless(console: Console) -> None:
    for path, query in (
        ("/delivery", "team=nobody&days=9e9"),
        (CHECKOUT, "environment=%00&days=-1"),
        (CHECKOUT, "environment=all"),
        ("/delivery/events", "before=-1&type=%00%ED%A0%80"),
        ("/delivery/events", "before=" + "9" * 40),
    ):
        answer = httpx.get(f"{console.full}{path}?{query}", headers=basic("rob"), timeout=20)
        assert answer.status_code == 200, (path, query, answer.text)


@pytest.mark.browser
def test_pages_about_deliveries_have_nothing_that_axe_finds(console: Console, browser: Browser) -> None:
    context = browser.new_context(
        viewport=PHONE, color_scheme="dark", extra_http_headers=basic("rob"), bypass_csp=True  # type: ignore[arg-type]
    )  # fmt: skip
    page = context.new_page()
    for path in (CHECKOUT, "/delivery/events"):
        page.goto(f"{console.full}{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        page.add_script_tag(path=AXE)
        found = page.evaluate("axe.run({resultTypes: ['violations']}).then(it => it.violations.map(v => v.id))")
        assert found == [], (path, found)
    context.close()
