"""The pages about anomalies: what they say, who may say what it was, and that nothing of it becomes HTML."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Browser, expect

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.model.anomaly import Verdict
from flyball.demo import servers
from flyball.web.anomaly_series import series_text
from tests.flyball.web import anomaly_world, world
from tests.flyball.web.anomaly_world import CHECKOUT, GROUP, QUIET, SEARCH, UGLY
from tests.flyball.web.conftest import NoStore
from tests.flyball.web.test_console_browser import AXE, PHONE

TRAFFIC = "/anomalies/traffic"
API = "/api/v1/anomalies"
CLIENT = httpx.Client(timeout=20, verify=False)  # one: each has to read certificates


@dataclass(frozen=True)
class Console:
    full: str
    empty: str
    alone: str
    state: world.State


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    folder = tmp_path_factory.mktemp("anomalies")
    with servers.prometheus(folder / "prometheus") as prometheus:
        anomaly_world.write(prometheus.url)
        backend = PrometheusBackend(prometheus.url)
        away = PrometheusBackend(f"http://{servers.LOOPBACK}:{servers.free_port()}")
        full, empty = (world.State(backend, world.a_store(folder / name, []), []) for name in ("full", "empty"))
        anomaly_world.fill(full.store)
        lonely = world.State(away, NoStore(), [])  # type: ignore[arg-type]
        declared = anomaly_world.detectors()
        with (
            world.serving(anomaly_world.application(full, declared)) as full_url,
            world.serving(anomaly_world.application(empty, ())) as empty_url,
            world.serving(world_of(lonely)) as alone_url,
        ):
            yield Console(full_url, empty_url, alone_url, full)
        backend.close()
        away.close()


def world_of(state: world.State) -> Any:
    """Without guards, who could not tell who asks either."""
    app = anomaly_world.application(state, anomaly_world.detectors())
    app.user_middleware.clear()
    return app


def basic(who: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"me:token-of-{who}".encode()).decode()}


def shown(url: str, who: str = "rob") -> str:
    answer = CLIENT.get(url, headers=basic(who))
    assert answer.status_code == 200, plain(answer.text)[-300:]
    return answer.text


def told(url: str) -> dict[str, Any]:
    answer = CLIENT.get(url, headers={"Authorization": "Bearer token-of-vera"})
    assert answer.status_code == 200, plain(answer.text)[-300:]
    found: dict[str, Any] = answer.json()
    return found


def of(labels: dict[str, str], **more: str) -> str:
    return f"{TRAFFIC}/series?{urlencode({'series': series_text(labels), **more})}"


def plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_index_says_what_is_open_and_which_detectors_can_be_relied_on(console: Console) -> None:
    text = plain(shown(f"{console.full}/anomalies"))
    assert "2 anomalies are open. 1 of 3 detectors cannot be relied on now." in text
    assert "2 open 4 1 2026-09-16 12:26 UTC" in text
    assert "warming up" in text
    assert "stands still" in text
    found = told(f"{console.full}{API}")
    assert [(each["name"], each["state"]) for each in found["detectors"]] == [
        ("traffic", "2 open"), ("spend", "stands still"), ("tokens", "warming up"),
    ]  # fmt: skip
    assert [each["id"] for each in found["open"]] == ["gap", "open"]
    assert "No detector is called like that" in shown(f"{console.full}/anomalies?q=nothing")


def test_a_detector_lists_its_series_the_open_and_the_most_unusual_first(console: Console) -> None:
    text = shown(f"{console.full}{TRAFFIC}")
    rows = re.findall(r'<th role="rowheader" scope="row"><a href="[^"]*/series\?[^"]*">([^<]*)</a></th>', text)
    assert rows[0] == "region eu, service checkout"
    assert rows[1:3] == ["region eu, service mail", "eu (group)"]
    said = plain(text)
    assert "region eu, service checkout anomalous" in said
    assert "region eu, service mail missing none" in said
    assert "eu (group) outside 1.67" in said
    assert "Every 5 min, compared with days and weeks in Europe/Berlin, both directions" in said
    assert "region eu, service search" not in plain(shown(f"{console.full}{TRAFFIC}?q=checkout")).split("Ended")[0]
    found = told(f"{console.full}{API}/traffic?q=checkout")
    (row,) = found["listed"]
    assert (row["labels"], row["state"], found["total"]) == (CHECKOUT, "anomalous", 1)
    assert row["value"] == pytest.approx(3 * row["expected"], rel=1e-6)
    assert CLIENT.get(f"{console.full}/anomalies/none", headers=basic("rob")).status_code == 404


def test_a_series_is_drawn_on_its_band_and_explained(console: Console) -> None:
    text = shown(f"{console.full}{of(CHECKOUT)}")
    said = plain(text)
    assert "above what is usual" in said
    assert "6.67 times as far off as what is anomalous" in said
    assert "three times the same time on earlier days" in said
    assert "compared with the same time in earlier weeks, which was right most often lately." in said
    assert "It alerts (page): open since long ago. Deployment of checkout 1.4.2 9 min ago." in said
    assert "85 %" in said
    assert "1 in 1,600" in said
    assert text.count('class="line unusual"') == 1
    assert text.count('class="fan"') == 1
    for mark in ("anomaly", "shift"):
        assert f'class="event {mark}"' in text
    assert said.count("Say what it was") == 1


def test_a_series_that_nobody_can_explain_shows_what_prometheus_knows(console: Console) -> None:
    said = plain(shown(f"{console.full}{of(SEARCH)}"))
    assert "as usual" in said
    assert "It is compared with the same time in earlier weeks" in said
    assert said.count("Tuesday, 2026-09-15 12:34 UTC") == 1  # the clock of Berlin did not change in between
    assert "How rare it is" not in said
    assert "Nothing unusual was found in that time." in said
    assert "No sample has come lately." in plain(shown(f"{console.full}{of(QUIET)}"))


def test_points_stand_where_their_step_began_not_where_it_was_scraped(console: Console) -> None:
    course = told(f"{console.full}/api/v1{of(SEARCH)}")["course"]
    assert course["at"][-1] == "2026-09-16T12:26:00Z"
    assert len(course["at"]) in (288, 289)
    assert course["value"][-1] == pytest.approx(anomaly_world.usual(world.NOW - anomaly_world.LAG), rel=1e-6)


def test_a_group_is_not_taken_for_its_members(console: Console) -> None:
    found = told(f"{console.full}/api/v1{of(GROUP)}")
    assert found["figures"]["anomaly_score"] == pytest.approx(0.5 / 0.3, rel=1e-6)
    assert len(found["course"]["at"]) in (288, 289)


def test_labels_of_any_kind_find_their_series_and_never_become_html(console: Console) -> None:
    for path in ("/anomalies", TRAFFIC, of(UGLY), of(UGLY, range="7d")):
        assert world.NASTY not in shown(f"{console.full}{path}")
    assert told(f"{console.full}/api/v1{of(UGLY)}")["labels"] == UGLY
    assert "as usual" in plain(shown(f"{console.full}{of(UGLY)}"))


@pytest.mark.parametrize("series", ["", "checkout", "{service=checkout}", '{service="a"', '{service="a"x="b"}'])
def test_what_names_no_series_is_not_found(console: Console, series: str) -> None:
    answer = CLIENT.get(f"{console.full}{TRAFFIC}/series", params={"series": series}, headers=basic("rob"))
    assert answer.status_code == 404
    assert "Say which series" in answer.text


def test_the_empty_page_says_how_to_fill_it(console: Console) -> None:
    text = shown(f"{console.empty}/anomalies")
    assert "kind: AnomalyDetector" in text
    assert told(f"{console.empty}{API}")["detectors"] == []


def test_without_prometheus_and_database_pages_say_so(console: Console) -> None:
    for path, words in (
        ("/anomalies", "Whether anything unusual is open is not known."),
        (TRAFFIC, "Which series there are is not known now."),
        (of(CHECKOUT), "The past of this series cannot be read now."),
    ):
        said = plain(CLIENT.get(f"{console.alone}{path}").text)
        assert words in said
        assert "What was found cannot be read." in said


def said_of(console: Console) -> list[tuple[str, Verdict, bool, str]]:
    with console.state.store.transaction(read_only=True) as transaction:
        found = transaction.anomalies.feedback("traffic")
    return [(each.actor, each.verdict, each.is_learnt, each.note) for each in found]


def posted(url: str, who: str, **fields: str) -> httpx.Response:
    return CLIENT.post(url, headers={"Authorization": f"Bearer token-of-{who}"}, json=fields)


def test_who_may_only_read_is_offered_no_form_and_refused(console: Console) -> None:
    text = shown(f"{console.full}{of(CHECKOUT)}", "vera")
    assert '<form class="feedback"' not in text
    assert "vera may read" in plain(text)
    assert posted(f"{console.full}{API}/traffic/episodes/open", "vera", verdict="expected").status_code == 403
    assert said_of(console) == []


def test_a_form_of_another_site_says_nothing(console: Console) -> None:
    url = f"{console.full}{TRAFFIC}/episodes/open"
    for fields in ({"verdict": "expected"}, {"verdict": "expected", "csrf": "0" * 64}):
        assert CLIENT.post(url, headers=basic("rob"), data=fields).status_code == 403
    assert said_of(console) == []


@pytest.mark.parametrize(
    ("path", "fields", "code"),
    [
        ("traffic/episodes/open", {"verdict": "yes"}, 422),
        ("traffic/episodes/open", {"verdict": "real", "fit": "perhaps"}, 422),
        ("traffic/episodes/none", {"verdict": "real"}, 404),
        ("tokens/episodes/open", {"verdict": "real"}, 404),
    ],
)
def test_what_cannot_be_said_is_refused(console: Console, path: str, fields: dict[str, str], code: int) -> None:
    assert posted(f"{console.full}{API}/{path}", "rob", **fields).status_code == code
    assert said_of(console) == []


def test_what_was_said_is_kept_audited_told_and_taken_back(console: Console) -> None:
    answer = posted(f"{console.full}{API}/traffic/episodes/before", "rob", verdict="real", note="INC-7", fit="keep")
    assert answer.status_code == 200, plain(answer.text)[-300:]
    assert (answer.json()["learnt"], answer.json()["end"]) == (True, "2026-09-15T17:14:00Z")
    assert said_of(console) == [("rob", Verdict.REAL, True, "INC-7")]
    text = shown(f"{console.full}{of(CHECKOUT)}")
    assert "something was wrong, learnt from rob : INC-7" in plain(text).replace("rob:", "rob :")
    with console.state.store.transaction(read_only=True) as transaction:
        events = transaction.events.between(world.NOW - timedelta(days=1), world.NOW + timedelta(days=1))
        entries = transaction.audit.entries(0, 10)
    told = [(each.event.kind, each.event.data["service"]) for each in events]
    assert told[-1] == ("anomaly.feedback", "checkout")
    assert ("rob", "anomaly.feedback", "traffic") in [(each.actor, each.action, each.subject) for each in entries]
    taken = re.search(r'action="([^"]*/feedback/[^"]*)"', text)
    csrf = re.search(r'name="csrf" value="([^"]*)"', text)
    assert taken
    assert csrf
    back = CLIENT.post(
        f"{console.full}{taken[1]}",
        headers=basic("rob"),
        data={"csrf": csrf[1], "series": series_text(CHECKOUT)},
    )
    assert (back.status_code, back.headers["location"]) == (303, f"{of(CHECKOUT)}#anomalies-title")
    assert said_of(console) == []


@pytest.mark.browser
def test_in_a_browser_without_scripts_one_goes_from_the_index_to_saying_what_it_was(
    browser: Browser, console: Console
) -> None:
    context = browser.new_context(
        java_script_enabled=False, http_credentials={"username": "me", "password": "token-of-rob"}
    )
    page = context.new_page()
    page.goto(f"{console.full}/anomalies")
    page.get_by_role("row", name="service checkout").first.get_by_role("link", name="service checkout").click()
    expect(page.get_by_role("img", name="Value and what is usual")).to_be_visible()
    page.get_by_role("navigation", name="Time").get_by_role("link", name="7d").click()
    page.locator("details", has_text="say").first.locator("summary").click()
    page.get_by_role("textbox", name="Why").first.fill("a campaign")
    page.get_by_role("button", name="Expected").first.click()
    expect(page.get_by_text("expected, learnt from")).to_be_visible()
    assert said_of(console) == [("rob", Verdict.EXPECTED, True, "a campaign")]
    page.get_by_role("button", name="Take back").first.click()
    expect(page.get_by_text("expected, learnt from")).to_have_count(0)
    context.close()
    assert said_of(console) == []


@pytest.mark.browser
def test_axe_finds_nothing_about_anomalies_and_nothing_is_wider_than_a_phone(
    browser: Browser, console: Console
) -> None:
    context = browser.new_context(
        bypass_csp=True, reduced_motion="reduce", http_credentials={"username": "me", "password": "token-of-rob"}
    )
    page = context.new_page()
    complaints: list[object] = []
    for at, (path, schemes) in enumerate([("/anomalies", ("light",)), (of(CHECKOUT), ("light", "dark"))]):
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(f"{console.full}{path}")
        page.evaluate("document.querySelectorAll('td details').forEach(it => { it.open = true })")
        page.add_script_tag(path=AXE)
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            rules = {"runOnly": ["color-contrast"]} if scheme == "dark" else {}
            found = page.evaluate("rules => axe.run(document, {...rules, resultTypes: ['violations']})", rules)
            complaints += [
                (path, scheme, it["id"], [n["html"][:200] for n in it["nodes"]]) for it in found["violations"]
            ]
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
            complaints.append((at, path, "wider than a phone"))
    context.close()
    assert complaints == []


def test_a_series_that_is_known_for_minutes_is_drawn_over_an_hour(console: Console) -> None:
    young = shown(f"{console.full}/anomalies/tokens/series?series=%7B%7D")
    assert 'aria-current="true">1h</a>' in young
    assert 'aria-current="true">24h</a>' in shown(console.full + of(CHECKOUT))
