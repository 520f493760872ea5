"""What users of IntelGraph meet at each tier of the ladder: clear answers, and a core flow that always works."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest

from flyball.demo.platform.app import HOST, IntelGraphApp
from flyball.demo.platform.app_cache import LIVES, MOST
from flyball.demo.platform.app_http import SESSION, AppRequest, AppResponse
from flyball.demo.platform.app_reduced import REDUCED_HEADER
from flyball.demo.platform.app_state import AppState, Credentials
from flyball.demo.platform.platform_flags import FULL_SERVICE, Reduced

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
USER, PASSWORD, API_TOKEN = "synthetic", "correct horse", "a-standing-token"
TIERS = [FULL_SERVICE]
for _changes in (
    {"adaptive_sampling": True, "batch_jobs_frozen": True},
    {"rate_limit_non_p0": True, "llm_context_reduced": True},
    {"enrichers_paused": True, "heavy_reads_from_cache": True},
    {"advanced_analytics_off": True, "graph_depth_limit": 2},
    {"new_tenants_blocked": True, "priority_traffic_only": True},
    {"essential_endpoints_only": True, "expensive_services_down": True},
):
    TIERS.append(replace(TIERS[-1], **_changes))


@dataclass
class World:
    """The application, somebody who uses it, and the flags and the time as they are now."""

    flags: Reduced = FULL_SERVICE
    now: datetime = NOW
    session: str = ""
    app: IntelGraphApp = field(init=False)

    def __post_init__(self) -> None:
        self.app = IntelGraphApp(AppState(Credentials(USER, PASSWORD, API_TOKEN)), set, lambda: self.flags)

    def ask(self, method: str, path: str, body: bytes = b"", **query: str) -> AppResponse:
        headers = {"host": HOST, "authorization": f"Bearer {API_TOKEN}", "cookie": f"{SESSION}={self.session}"}
        request = AppRequest(method, path, query, headers, body, self.now)
        return self.app.answer(request, self.app.trouble(path))

    def send(self, path: str, value: Mapping[str, object]) -> AppResponse:
        return self.ask("POST", path, json.dumps(value).encode())

    def graphql(self, query: str) -> Mapping[str, object]:
        answer = self.send("/api/graphql", {"query": query})
        assert answer.status is HTTPStatus.OK
        found = json.loads(answer.body)
        assert isinstance(found, dict)
        return found

    def sign_in(self) -> None:
        answer = self.ask("POST", "/sign-in", f"user={USER}&password={PASSWORD.replace(' ', '+')}".encode())
        self.session = dict(answer.headers)["Set-Cookie"].partition("=")[2].partition(";")[0]


@pytest.fixture
def world() -> World:
    world = World()
    world.sign_in()
    return world


def header(answer: AppResponse, name: str) -> str | None:
    return dict(answer.all_headers()).get(name)


@pytest.mark.parametrize("tier", range(7))
def test_the_core_flow_works_at_every_tier_for_people_and_for_programs(tier: int) -> None:
    world = World(TIERS[tier])
    world.sign_in()
    assert world.send("/api/sign-in", {"user": USER, "password": PASSWORD}).status is HTTPStatus.OK
    for _ in range(20):  # more than luck
        assert b'data-testid="results"><li>' in world.ask("GET", "/graph", query="person").body
        written = world.ask("POST", "/entities/new", b"name=Synthetic+journey&kind=company")
        place = dict(written.headers)["Location"]
        assert b"<h1>Synthetic journey</h1>" in world.ask("GET", place).body
        assert b'data-hop="2"' in world.ask("GET", f"{place}/neighbours", hops="2").body
        assert world.graphql('{ search(text: "person") { id } }')["data"]
        made = world.graphql('mutation { createEntity(name: "One", kind: "person") { id } }')["data"]
        assert isinstance(made, dict)
        near = world.graphql(f'{{ neighbours(id: "{made["createEntity"]["id"]}", hops: 2) {{ hop }} }}')["data"]
        assert isinstance(near, dict)
        assert {it["hop"] for it in near["neighbours"]} == {1, 2}


@pytest.mark.parametrize("tier", range(6))
def test_workflows_run_at_every_tier_but_the_last(tier: int) -> None:
    world = World(TIERS[tier])
    for _ in range(20):
        begun = world.ask("POST", "/api/workflows/hello-world")
        assert begun.status is HTTPStatus.ACCEPTED
        path = f"/api/workflows/runs/{json.loads(begun.body)['id']}"
        assert world.ask("GET", path).status is HTTPStatus.OK


OTHERS: tuple[tuple[str, Callable[[World], AppResponse]], ...] = (
    ("export", lambda world: world.ask("GET", "/api/exports/graph")),
    ("analytics", lambda world: world.ask("GET", "/api/analytics/centrality")),
    ("assistant", lambda world: world.send("/api/assistant", {"question": "Who is Ada?"})),
)


@pytest.mark.parametrize(("name", "ask"), OTHERS, ids=[name for name, _ in OTHERS])
def test_what_is_not_p0_is_limited_then_waits_and_says_why_and_how_long(
    name: str, ask: Callable[[World], AppResponse]
) -> None:
    del name
    assert {ask(World(TIERS[tier])).status for tier in (0, 1)} == {HTTPStatus.OK}
    world = World(Reduced(rate_limit_non_p0=True))
    answers = [ask(world) for _ in range(100)]
    limited = [each for each in answers if each.status is HTTPStatus.TOO_MANY_REQUESTS]
    assert 50 <= len(limited) <= 70
    assert {each.status for each in answers} == {HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS}
    assert {header(each, "Retry-After") for each in limited} == {"5"}
    assert b"on purpose" in limited[0].body
    for tier in (5, 6):
        refused = ask(World(TIERS[tier]))
        assert refused.status is HTTPStatus.SERVICE_UNAVAILABLE
        assert header(refused, "Retry-After")
        assert header(refused, REDUCED_HEADER)


def test_the_assistant_gets_less_context_and_answers_more_shortly() -> None:
    full, less = (
        json.loads(World(flags).send("/api/assistant", {"question": "Rotterdam?"}).body)
        for flags in (FULL_SERVICE, Reduced(llm_context_reduced=True))
    )
    assert full["answer"] == less["answer"] == "I found Rotterdam."
    assert less["tokens"]["input"] < 0.6 * full["tokens"]["input"]
    assert less["tokens"]["output"] < full["tokens"]["output"]


def test_heavy_reads_come_from_the_cache_say_how_old_they_are_and_are_asked_again_in_time(world: World) -> None:
    query = {"query": '{ search(text: "fresh") { id } }'}
    assert header(world.send("/api/graphql", query), "X-Cache") is None
    world.flags = TIERS[3]
    first = world.send("/api/graphql", query)
    assert (header(first, "X-Cache"), header(first, "Age")) == ("MISS", "0")
    world.graphql('mutation { createEntity(name: "Fresh paint", kind: "place") { id } }')
    world.now += timedelta(seconds=90)
    again = world.send("/api/graphql", query)
    assert (header(again, "X-Cache"), header(again, "Age")) == ("HIT", "90")
    assert again.body == first.body
    world.now += LIVES
    anew = world.send("/api/graphql", query)
    assert header(anew, "X-Cache") == "MISS"
    assert b"Fresh paint" in anew.body
    page = [world.ask("GET", "/graph", query="ada") for _ in range(2)]
    assert [header(each, "X-Cache") for each in page] == ["MISS", "HIT"]
    world.flags = FULL_SERVICE
    assert header(world.send("/api/graphql", query), "X-Cache") is None


def test_the_cache_shares_nothing_between_people_and_is_bounded(world: World) -> None:
    world.flags = TIERS[3]
    world.ask("GET", "/graph", query="ada")
    other = replace(world)
    other.app = world.app
    other.session = ""
    assert other.ask("GET", "/graph", query="ada").status is HTTPStatus.SEE_OTHER
    for number in range(MOST + 10):
        world.ask("GET", "/graph", query=f"n{number}")
    assert len(world.app._cache._kept) == MOST


def test_analytics_are_paused_and_say_so() -> None:
    answer = World(Reduced(advanced_analytics_off=True)).ask("GET", "/api/analytics/centrality")
    assert answer.status is HTTPStatus.SERVICE_UNAVAILABLE
    assert json.loads(answer.body)["error"] == "reduced on purpose: Advanced analytics are paused."


def test_three_hops_are_switched_off_with_a_way_on_and_two_work(world: World) -> None:
    path = "/entities/e1/neighbours"
    assert b'data-hop="3"' in world.ask("GET", path, hops="3").body
    world.flags = TIERS[4]
    page = world.ask("GET", path, hops="3")
    assert page.status is HTTPStatus.SERVICE_UNAVAILABLE
    assert header(page, REDUCED_HEADER) == "graph-depth-limit"
    assert b"Queries reach 2 steps far" in page.body
    assert b'href="/entities/e1/neighbours?hops=2"' in page.body
    assert b"3 hops</a>" not in world.ask("GET", "/entities/e1").body
    answer = world.graphql('{ neighbours(id: "e1", hops: 3) { id } }')
    assert answer["data"] is None
    told = json.dumps(answer["errors"])
    assert '"extensions": {"code": "REDUCED_ON_PURPOSE", "flag": "graph-depth-limit", "limit": 2}' in told


def test_nobody_new_gets_in_at_tier_five_and_hears_why_in_words(world: World) -> None:
    assert world.ask("GET", "/sign-up").status is HTTPStatus.OK
    assert world.ask("POST", "/sign-up", b"name=Acme").status is HTTPStatus.ACCEPTED
    assert world.send("/api/tenants", {"name": "Acme"}).status is HTTPStatus.ACCEPTED
    assert world.send("/api/tenants", {"name": " "}).status is HTTPStatus.UNPROCESSABLE_ENTITY
    for tier in (5, 6):
        world.flags = TIERS[tier]
        page = world.ask("GET", "/sign-up")
        assert page.status is HTTPStatus.SERVICE_UNAVAILABLE
        assert b"New workspaces cannot be created for now." in page.body
        assert world.send("/api/tenants", {"name": "Acme"}).status is HTTPStatus.SERVICE_UNAVAILABLE


def test_pages_say_on_top_what_is_reduced_and_nothing_when_nothing_is(world: World) -> None:
    said = b"Reduced on purpose"
    assert said not in world.ask("GET", "/graph").body
    texts = []
    for flags in TIERS[1:]:
        world.flags = flags
        texts.append(world.ask("GET", "/graph").body.partition(b"</aside>")[0])
    assert all(said in text for text in texts)
    assert b"Nightly batch work waits." in texts[0]
    assert [text.count(b"<li>") for text in texts] == [1, 3, 5, 7, 9, 11]
    world.flags = Reduced(adaptive_sampling=True)
    assert said not in world.ask("GET", "/graph").body  # nobody notices, so nobody is told
