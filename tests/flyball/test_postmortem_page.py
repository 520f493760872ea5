"""A postmortem's page: one file with charts of SLO and money, which runs nothing and fetches nothing."""

import math
import re
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markupsafe import escape
from starlette.applications import Starlette
from starlette.testclient import TestClient

from alerts.postmortems.gathering import gathered
from alerts.postmortems.model import Postmortem
from controlplane.model.series import Sample, Series
from controlplane.ports import MetricsBackend, Transient
from controlplane.store import SqlStore, migrate, open_store
from flyball.postmortem_charts import Drawn, drawn
from flyball.postmortem_page import as_html, policy
from flyball.web.postmortem_pages import postmortem_routes
from tests.alerts.postmortems.stories import BEGAN, MINUTE, NOW, happened

END = BEGAN + 63 * MINUTE


class Past:
    """A Prometheus with the incident's past: errors and money rise while it lasts; one scrape has NaN."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def query(self, expr: str, at: datetime) -> list[Sample]:
        self.asked.append(expr)
        return [Sample({}, at, 0.999)]

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        self.asked.append(expr)
        assert (end - start) / step <= 241
        times = [start + step * number for number in range(int((end - start) / step) + 1)]
        labels = {"currency": "USD"} if "currency" in expr else {}
        return [Series(labels, tuple((at, self._value(expr, at)) for at in times))]

    def _value(self, expr: str, at: datetime) -> float:
        burns = BEGAN <= at <= END
        if at == BEGAN + 10 * MINUTE:
            return math.nan
        if "budget:spend" in expr or "cost:spend" in expr:
            return 360.0 if burns else 120.0
        if "budget:expected" in expr:
            return 130.0
        if "remaining" in expr:
            return 0.8 - max(0.0, (min(at, END) - BEGAN) / (END - BEGAN)) * 0.184
        return 0.97 if burns else 0.9998


class Away:
    """A Prometheus that does not answer."""

    def query(self, expr: str, at: datetime) -> list[Sample]:
        raise Transient("Prometheus is away")

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        raise Transient("Prometheus is away")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Postmortem:
    url = f"sqlite:///{tmp_path_factory.mktemp('page')}/state.db"
    migrate(url)
    store: SqlStore = open_store(url)
    happened(store)
    with store.transaction(read_only=True) as transaction:
        found = gathered(transaction, "INC-2", NOW, console_url="https://flyball.example")
    store.close()
    assert found
    return found


class State:
    """What the console runs in."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.metrics: MetricsBackend = Past()
        self.at = NOW
        self.clock = self

    def now(self) -> datetime:
        return self.at

    def slos(self) -> tuple[()]:
        return ()

    problems = slos


class Elements(HTMLParser):
    """What is in a page, and whether every element ends that begins."""

    VOID = frozenset(("meta", "input", "br", "link"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        found = dict(attrs)
        self.attributes |= set(found)
        self.links += [found[name] or "" for name in ("href", "src") if name in found]
        self.ids += [found["id"] or ""] if "id" in found else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag


def test_the_page_runs_nothing_fetches_nothing_and_escapes_what_people_wrote(story: Postmortem) -> None:
    page = as_html(story, drawn(story, Past()))
    found = Elements(page)
    assert found.open == []
    assert "script" not in found.names
    assert not {name for name in found.attributes if name.startswith("on") or name == "style"}
    assert all(link.startswith(("#", "https://flyball.example/", "https://tickets.example/")) for link in found.links)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert f'content="{escape(policy())}"' in page
    assert "unsafe" not in policy()
    assert "url(" not in re.sub(r"url\(\"?#hatch\"?\)", "", page)
    assert len(found.ids) == len(set(found.ids))


def test_the_slo_and_the_money_of_the_incident_are_drawn_with_what_was_done_meanwhile(story: Postmortem) -> None:
    found = drawn(story, Past())
    assert [each.title for each in found.slos] == [
        "Good events: gateway-availability",
        "Error budget left: gateway-availability",
    ]
    assert [each.title for each in found.money] == ["Spent an hour: budget platform"]
    assert found.money[0].description.startswith("120 USD an hour before, 360 USD during the incident.")
    kinds = {mark.kind for mark in found.slos[0].marks}
    assert {"incident", "deployment", "acknowledged", "resolved", "page"} <= kinds
    band = next(mark for mark in found.slos[0].marks if mark.kind == "incident")
    assert band.told == "INC-2: 2026-12-01 03:00 UTC to 2026-12-01 04:03 UTC"
    assert 20 < band.x < 30  # 30 minutes before of 123 in all
    assert found.slos[0].reference is not None


def test_alerts_that_overlap_are_one_band(story: Postmortem) -> None:
    bands = [mark for mark in drawn(story, Past()).slos[1].marks if mark.kind == "page"]
    assert [mark.told for mark in bands] == ["SLOErrorBudgetBurn, page: 2026-12-01 03:00 UTC to 2026-12-01 03:58 UTC"]
    apart = [replace(each, starts_at=each.starts_at + 60 * MINUTE, ends_at=None) for each in story.alerts[:1]]
    later = drawn(replace(story, alerts=(*story.alerts, *apart)), Past()).slos[1].marks
    assert len([mark for mark in later if mark.kind == "page"]) == 2


def test_where_no_budget_is_concerned_the_money_of_the_service_is_drawn(story: Postmortem) -> None:
    price = story.incident.price
    assert price
    bare = replace(story.incident, price=replace(price, extra_spend=()))
    past = Past()
    found = drawn(replace(story, incident=bare, alerts=()), past)
    assert [each.title for each in found.money] == ["Spent an hour: graphql-gateway"]
    assert any('cost:spend:rolling5m{service="graphql-gateway"}' in expr for expr in past.asked)


def test_names_of_users_are_quoted_in_queries(story: Postmortem) -> None:
    odd = replace(story.incident, price=None, labels={"slo": 'a"} or vector(1) or {x="'}, service='s"}')
    past = Past()
    drawn(replace(story, incident=odd, alerts=()), past)
    assert all('\\"} or vector(1)' in expr or 'slo="a"' not in expr for expr in past.asked)
    assert any('slo="a\\"} or vector(1) or {x=\\""' in expr for expr in past.asked)


def test_without_prometheus_the_page_says_so_and_has_all_the_rest(story: Postmortem) -> None:
    found = drawn(story, Away())
    assert found == Drawn(note="There are no charts: Prometheus is away")
    page = as_html(story, found)
    assert "There are no charts: Prometheus is away" in page
    assert "Cap the connection pool" in page


def test_an_incident_about_nothing_that_is_measured_says_that_there_is_nothing_to_draw(story: Postmortem) -> None:
    bare = replace(story.incident, price=None, labels={}, service="")
    page = as_html(replace(story, incident=bare, alerts=()), drawn(replace(story, incident=bare, alerts=()), Past()))
    assert "there is nothing to draw" in page


@pytest.mark.parametrize("length", [timedelta(seconds=1), timedelta(hours=1), timedelta(days=40)])
def test_incidents_of_any_length_are_drawn_in_a_bounded_number_of_steps(story: Postmortem, length: timedelta) -> None:
    it = replace(story.incident, resolved_at=BEGAN + length)
    found = drawn(replace(story, incident=it, made_at=BEGAN + length + timedelta(days=1)), Past())
    assert found.slos[0].lines.line
    assert found.money[0].lines


def test_the_console_serves_it_with_the_policy_that_it_needs(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    migrate(url)
    store = open_store(url)
    happened(store)
    state = State(store)
    client = TestClient(Starlette(routes=postmortem_routes(state, "https://flyball.example")))
    page = client.get("/incidents/INC-2/postmortem")
    assert page.status_code == 200
    assert page.headers["content-security-policy"] == policy()
    assert "Good events: gateway-availability" in page.text
    draft = client.get("/incidents/i2/postmortem.md")
    assert draft.headers["content-disposition"] == 'attachment; filename="inc-2.md"'
    assert draft.text.startswith("# INC-2: graphql-gateway burns its budget\n")
    assert client.get("/incidents/INC-9/postmortem").status_code == 404
    state.metrics = Away()
    state.at += timedelta(minutes=1)
    assert "There are no charts" in client.get("/incidents/INC-2/postmortem").text
    store.close()
