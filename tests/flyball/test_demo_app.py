"""IntelGraph's own pages, seen as people, programs and probes see them, and how faults show there."""

import asyncio
import os
import re
import shutil
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from controlplane.adapters.clock import SystemClock
from controlplane.adapters.files import read_folder
from controlplane.model.check import CheckResult, Outcome
from controlplane.specfile import read
from flyball.demo.folder import DemoFolder
from flyball.demo.platform import app_state
from flyball.demo.platform.app import HOST, IntelGraphApp
from flyball.demo.platform.app_state import AppState, Credentials
from flyball.demo.platform.authority import make_certificates
from flyball.demo.platform.catalogue import INTELGRAPH
from flyball.demo.platform.ingress import REGIONS, Ingress, serving
from flyball.demo.platform.live import LivePlatform
from flyball.demo.platform.name_server import NAME_SERVER, serving_names
from flyball.demo.platform.simulation import Simulation
from flyball.demo.platform.trouble import trouble
from flyball.demo.probing import EXAMPLE_AUTHORITY, write_addresses
from flyball.demo.run import example_workspace
from synthetics.probes.declared import declared
from synthetics.probes.kinds import KINDS
from synthetics.probes.model import Probe
from synthetics.probes.running import Place, run_probe

USER, PASSWORD, API_TOKEN = "synthetic", "correct horse", "a-standing-token"
CREDENTIALS = Credentials(USER, PASSWORD, API_TOKEN)
UNVERIFIED = ssl._create_unverified_context()  # one for all: reading the system's certificates takes long
get, post = partial(httpx.get, verify=UNVERIFIED), partial(httpx.post, verify=UNVERIFIED)
NASTY = "<script>alert(1)</script>\"'&"


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Outside:
    """The platform as its regions see it."""

    platform: LivePlatform
    ingresses: Mapping[str, Ingress]
    authority: Path
    pins: Mapping[str, str]

    def url(self, region: str = "eu") -> str:
        return f"http://127.0.0.1:{self.ingresses[region].http_port}"

    def resolve(self, region: str) -> dict[str, str]:
        return {**self.ingresses[region].resolve, **self.pins}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    seam = int(now().timestamp() // 60)
    platform = LivePlatform(Simulation(INTELGRAPH, seed=5, start=seam - 60, seam=seam), INTELGRAPH.faults)
    certificates = make_certificates(tmp_path_factory.mktemp("demo") / "certificates", HOST, now())
    app = IntelGraphApp(AppState(CREDENTIALS), platform.broken)
    with ExitStack() as stack:
        names = stack.enter_context(serving_names())
        ingresses = stack.enter_context(serving(app, platform, certificates, clock=SystemClock()))
        pins = {f"{NAME_SERVER}:53": f"127.0.0.1:{names}"}
        yield Outside(platform, {it.region: it for it in ingresses}, certificates.authority_file, pins)


@pytest.fixture
def outside(served: Outside) -> Iterator[Outside]:
    yield served
    for name in served.platform.broken():
        served.platform.heal(name, now())


@pytest.fixture
def browser(outside: Outside) -> Iterator[httpx.Client]:
    """Somebody who has signed in."""
    with httpx.Client(
        base_url=outside.url(), headers={"Host": HOST}, follow_redirects=True, verify=UNVERIFIED
    ) as client:
        client.post("/sign-in", data={"user": USER, "password": PASSWORD}).raise_for_status()
        yield client


def bearer(outside: Outside) -> dict[str, str]:
    answer = post(f"{outside.url()}/api/sign-in", json={"user": USER, "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def test_people_without_a_session_are_sent_to_sign_in(outside: Outside) -> None:
    answer = get(f"{outside.url()}/graph")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")


def test_signing_in_gives_a_cookie_that_scripts_cannot_read_and_leads_to_the_graph(outside: Outside) -> None:
    answer = post(f"{outside.url()}/sign-in", data={"user": USER, "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/graph")
    assert re.fullmatch(r"session=[\w-]{20,}; Path=/; HttpOnly; SameSite=Lax", answer.headers["Set-Cookie"])


@pytest.mark.parametrize(
    "given", [{}, {"user": USER}, {"user": USER, "password": "wrong"}, {"user": "ü", "password": PASSWORD}]
)
def test_wrong_credentials_are_refused_on_a_page_and_in_the_api(outside: Outside, given: dict[str, str]) -> None:
    page = post(f"{outside.url()}/sign-in", data=given)
    assert page.status_code == 401
    assert 'role="alert"' in page.text
    assert "Set-Cookie" not in page.headers
    assert post(f"{outside.url()}/api/sign-in", json=given).status_code == 401


def test_the_graph_is_asked_written_and_walked_without_scripts(browser: httpx.Client) -> None:
    found = browser.get("/graph", params={"query": "northwind"})
    assert '<ul data-testid="results"><li><a href="/entities/e1">' in found.text
    written = browser.post("/entities/new", data={"name": "Synthetic journey", "kind": "company"})
    assert written.history[0].status_code == 303
    assert "<h1>Synthetic journey</h1>" in written.text
    near = browser.get(f"{written.url.path}/neighbours", params={"hops": "2"}).text
    assert {hop: near.count(f'data-hop="{hop}"') for hop in "123"} == {"1": 1, "2": 3, "3": 0}
    assert "Synthetic journey" in browser.get("/graph", params={"query": "synthetic"}).text


def test_whatever_people_write_is_escaped(browser: httpx.Client) -> None:
    pages = [
        browser.post("/entities/new", data={"name": NASTY, "kind": "person"}),
        browser.get("/graph", params={"query": NASTY}),
        browser.post("/entities/new", data={"name": NASTY, "kind": NASTY}),
    ]
    assert [page.status_code for page in pages] == [200, 200, 422]
    assert not any("<script" in page.text for page in pages)
    assert all("script-src" not in page.headers["Content-Security-Policy"] for page in pages)


@pytest.mark.parametrize("path", ["/entities/none", "/entities/none/neighbours?hops=2", "/nothing"])
def test_what_is_not_there_is_a_page_that_says_so(browser: httpx.Client, path: str) -> None:
    assert browser.get(path).status_code == 404


def test_after_signing_out_the_session_is_over(browser: httpx.Client, outside: Outside) -> None:
    cookie = browser.cookies["session"]
    browser.post("/sign-out")
    assert get(f"{outside.url()}/graph", cookies={"session": cookie}).status_code == 303


def test_programs_sign_in_and_do_the_same_over_the_api(outside: Outside) -> None:
    with httpx.Client(base_url=outside.url(), headers=bearer(outside), verify=UNVERIFIED) as api:

        def ask(query: str, **variables: str) -> httpx.Response:
            return api.post("/api/graphql", json={"query": query, "variables": variables})

        found = ask("query Search($text: String!) { search(text: $text) { id } }", text="ada").json()
        assert [it["name"] for it in found["data"]["search"]] == ["Ada Marsh"]
        written = ask('mutation { createEntity(name: "A \\"b\\"", kind: "place") { id } }').json()["data"][
            "createEntity"
        ]
        assert written["name"] == 'A "b"'
        near = ask("{ neighbours(id: $id, hops: 2) { id hop } }", id=written["id"]).json()["data"]["neighbours"]
        assert [it["hop"] for it in near] == [1, 2, 2, 2]
        assert ask("{ __typename }").json() == {"data": {"__typename": "Query"}}
        for wrong in ("{ nonsense }", "{ search(text: $missing) }", 'mutation { createEntity(name: "", kind: "x") }'):
            assert ask(wrong).json()["errors"], wrong


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"query": 3}', b"[" * 50_000])
def test_a_query_that_is_none_is_refused(outside: Outside, body: bytes) -> None:
    answer = post(f"{outside.url()}/api/graphql", content=body, headers=bearer(outside))
    assert answer.status_code == 400


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {API_TOKEN}x"}])
def test_the_api_wants_a_token(outside: Outside, headers: dict[str, str]) -> None:
    assert post(f"{outside.url()}/api/graphql", json={}, headers=headers).status_code == 401


def test_a_workflow_is_done_after_a_while_and_not_before() -> None:
    state, began = AppState(CREDENTIALS), now()
    run = state.start("hello-world", began, timedelta(0))
    assert run.done_at - began == timedelta(seconds=3)
    assert state.run(run.id) == run
    with pytest.raises(KeyError):
        state.start("nothing", began, timedelta(0))


def test_a_workflow_is_started_and_asked_about_over_the_api(outside: Outside) -> None:
    headers = {"Authorization": f"Bearer {API_TOKEN}"}
    started = post(f"{outside.url()}/api/workflows/hello-world", headers=headers)
    assert started.status_code == 202
    run = get(f"{outside.url()}/api/workflows/runs/{started.json()['id']}", headers=headers)
    assert run.json()["state"] == "running"
    assert post(f"{outside.url()}/api/workflows/other", headers=headers).status_code == 404


def test_sessions_entities_and_runs_are_bounded_and_the_oldest_go() -> None:
    state = AppState(CREDENTIALS)
    first = state.sign_in(USER, PASSWORD)
    written = state.add("first", "person")
    run = state.start("hello-case", now(), timedelta(0))
    for _ in range(app_state.MAX_SESSIONS):
        state.sign_in(USER, PASSWORD)
    for number in range(app_state.MAX_ENTITIES):
        state.add(f"entity {number}", "person")
    for _ in range(app_state.MAX_RUNS):
        state.start("hello-world", now(), timedelta(0))
    assert state.user_of(first or "") is None
    assert state.entity(written.id) is None
    assert state.run(run.id) is None
    assert state.entity("e1") is not None
    assert len(state.search("")) == app_state.MAX_RESULTS


def test_secrets_of_those_who_sign_in_are_not_told() -> None:
    assert PASSWORD not in repr(CREDENTIALS)
    assert API_TOKEN not in repr(CREDENTIALS)


def test_an_ingress_answers_for_its_own_host_only(outside: Outside) -> None:
    assert get(f"{outside.url()}/healthz", headers={"Host": HOST}).json() == {"status": "ok"}
    assert get(f"{outside.url()}/healthz", headers={"Host": "evil.example"}).status_code == 421


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 99999999",
        "Transfer-Encoding: chunked",
        "Content-Length: minus one",
    ],
)
def test_bodies_that_are_too_large_or_without_end_are_refused_at_once(outside: Outside, head: str) -> None:
    with socket.create_connection(("127.0.0.1", outside.ingresses["eu"].http_port), timeout=10) as connection:
        connection.sendall(f"POST /sign-in HTTP/1.1\r\nHost: {HOST}\r\n{head}\r\n\r\n".encode())
        assert connection.makefile("rb").readline() == b"HTTP/1.1 413 Request Entity Too Large\r\n"


# --- faults -----------------------------------------------------------------------------------------------------------
def share_failing(broken: set[str], path: str) -> float:
    return sum(trouble(broken, path, number).status is not None for number in range(1000)) / 1000


def test_each_fault_shows_in_its_own_way() -> None:
    assert share_failing(set(), "/graph") == 0
    assert share_failing({"outage"}, "/healthz") == 1
    assert share_failing({"errors"}, "/sign-in") == pytest.approx(0.5, abs=0.01)
    assert share_failing({"latency"}, "/api/graphql") == pytest.approx(0.4, abs=0.01)
    assert share_failing({"latency"}, "/healthz") == 0
    assert trouble({"slow"}, "/healthz", 0).delay_seconds == 2.5
    assert trouble({"slow", "latency"}, "/graph", 0).delay_seconds > 2.5
    assert trouble({"certificate", "region", "cost", "tenant", "ingest"}, "/graph", 0) == trouble(set(), "/graph", 0)


def test_errors_come_evenly_so_that_no_run_of_luck_hides_them() -> None:
    failed = [trouble({"errors"}, "/", number).status is not None for number in range(200)]
    assert all(0 < sum(failed[start : start + 5]) < 5 for start in range(195))


def test_an_outage_is_503_everywhere_and_ends_when_it_is_healed(outside: Outside) -> None:
    outside.platform.break_("outage", now())
    assert {get(f"{outside.url(region)}/sign-in").status_code for region in REGIONS} == {503}
    outside.platform.heal("outage", now())
    assert get(f"{outside.url()}/sign-in").status_code == 200


def test_a_region_that_is_cut_off_resets_connections_and_the_others_answer(outside: Outside) -> None:
    with httpx.Client(base_url=outside.url("us"), verify=UNVERIFIED) as kept:
        kept.get("/healthz").raise_for_status()
        outside.platform.break_("region", now())
        with pytest.raises(httpx.TransportError):
            kept.get("/healthz")
    with pytest.raises(httpx.TransportError):
        get(f"https://127.0.0.1:{outside.ingresses['us'].tls_port}/healthz")
    for region in ("eu", "ap"):
        assert get(f"{outside.url(region)}/healthz").status_code == 200
    outside.platform.heal("region", now())
    assert get(f"{outside.url('us')}/healthz").status_code == 200


def days_left(outside: Outside, region: str) -> float:
    context = ssl.create_default_context(cafile=str(outside.authority))
    with (
        socket.create_connection(("127.0.0.1", outside.ingresses[region].tls_port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as secured,
    ):
        shown = secured.getpeercert()
    assert shown
    return (ssl.cert_time_to_seconds(str(shown["notAfter"])) - now().timestamp()) / 86_400


def test_the_certificate_runs_out_in_two_days_while_that_is_broken_and_is_trusted_all_along(outside: Outside) -> None:
    assert days_left(outside, "ap") > 80
    outside.platform.break_("certificate", now())
    assert {round(days_left(outside, region)) for region in REGIONS} == {2}
    outside.platform.heal("certificate", now())
    assert days_left(outside, "eu") > 80


# --- what the example's probes make of it -----------------------------------------------------------------------------
def example_probes(authority: Path) -> list[Probe]:
    files, _ = read_folder(example_workspace() / "synthetics")
    wanted = [file for file in files if str(file.path).endswith("probes.yaml")]
    found = declared(read(wanted, KINDS).documents)
    assert found.problems == ()
    return [_trusting(probe, authority) for probe in found.values]


def _trusting(probe: Probe, authority: Path) -> Probe:
    options = getattr(probe.module, "tls", None)
    if options is None or not options.ca_file:
        return probe
    assert options.ca_file == EXAMPLE_AUTHORITY
    return replace(probe, module=replace(probe.module, tls=replace(options, ca_file=str(authority))))  # type: ignore[call-arg]


def asked(outside: Outside, region: str) -> dict[str, CheckResult]:
    """The example's probes, all at once."""
    place = Place(region, os.urandom, {"INTELGRAPH_API_TOKEN": API_TOKEN}, outside.resolve(region))
    probes = example_probes(outside.authority)

    async def all_of_them() -> list[CheckResult]:
        return [run.result for run in await asyncio.gather(*(run_probe(probe, place, now()) for probe in probes))]

    return {result.check: result for result in asyncio.run(all_of_them())}


def ended(results: Mapping[str, CheckResult], outcome: Outcome) -> set[str]:
    return {name for name, result in results.items() if result.outcome is outcome}


WEB = {"gateway-health", "sign-in-page", "api-graphql"}
OVER_INGRESS = WEB | {"gateway-tls", "subscriptions", "event-stream"}


def test_on_a_good_day_every_probe_of_the_example_succeeds(outside: Outside) -> None:
    results = asked(outside, "eu")
    assert results.keys() == OVER_INGRESS | {"names"}
    assert {name: (result.reason, result.detail) for name, result in results.items() if result.reason} == {}


@pytest.mark.parametrize(
    ("fault", "region", "expected"),
    [
        ("region", "us", OVER_INGRESS),
        ("region", "eu", set()),
        ("certificate", "ap", {"gateway-tls"}),
        ("slow", "eu", WEB),
        ("outage", "eu", WEB | {"subscriptions"}),
    ],
)
def test_each_new_fault_fails_the_probes_that_it_should(
    outside: Outside, fault: str, region: str, expected: set[str]
) -> None:
    outside.platform.break_(fault, now())
    results = asked(outside, region)
    assert ended(results, Outcome.FAILED) == expected
    assert ended(results, Outcome.FAULT) == set()


def test_the_demo_tells_its_workspace_where_regions_reach_the_platform(outside: Outside, tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    shutil.copytree(example_workspace(), folder.workspace)
    write_addresses(folder, tuple(outside.ingresses.values()), outside.authority, outside.pins)
    probes = (folder.workspace / "synthetics" / "probes.yaml").read_text()
    assert EXAMPLE_AUTHORITY not in probes
    assert str(outside.authority) in probes
    regions = (folder.workspace / "synthetics" / "regions.yaml").read_text()
    for ingress in outside.ingresses.values():
        assert f"{HOST}:443: 127.0.0.1:{ingress.tls_port}" in regions
