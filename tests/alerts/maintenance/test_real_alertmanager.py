"""Silences, inhibitions and what is told of them, by the Alertmanager of Debian with the file that we write."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import yaml

from alerts.maintenance.daemon import SilenceDaemon
from alerts.maintenance.silencing import window_of
from alerts.routing.alertmanager_yaml import alertmanager_yaml
from controlplane.adapters.alertmanager import AlertmanagerBackend
from controlplane.model.matcher import Matcher, MatchOperator
from controlplane.model.silence import HeldAlert, Silence
from controlplane.ports import Permanent
from flyball.demo.servers import alertmanager
from tests.alerts.routing.reading import of, root, window
from tests.flyball.running import NOWHERE, eventually

TREE = root(of("Route", "default", "default: true\nreceivers: [chat]"))
OLD = window("weekly: [{}]\nmatch: [['service=old'], ['team=~\"x|y\"', 'service!~\"a.*\"']]", "old")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    text = alertmanager_yaml(TREE, [OLD], [], external_url=NOWHERE, credentials_file="token")
    with alertmanager(tmp_path_factory.mktemp("alertmanager"), config=yaml.safe_load(text)) as server:
        yield server.url


@pytest.fixture
def backend(url: str) -> Iterator[AlertmanagerBackend]:
    made = AlertmanagerBackend(url)
    yield made
    for silence in made.silences():
        made.expire(silence.id)
    made.close()


def fire(url: str, *alerts: dict[str, str]) -> None:
    now = datetime.now(UTC).isoformat()
    posted = [{"labels": labels, "startsAt": now} for labels in alerts]
    httpx.post(f"{url}/api/v2/alerts", json=posted).raise_for_status()


def held(backend: AlertmanagerBackend, **labels: str) -> HeldAlert:
    found = [each for each in backend.alerts() if labels.items() <= each.labels.items()]
    assert len(found) == 1
    return found[0]


def test_windows_become_silences_and_alerts_say_which_keeps_them_quiet(url: str, backend: AlertmanagerBackend) -> None:
    fire(url, {"alertname": "A", "service": "old"}, {"alertname": "A", "service": "new"})
    daemon = SilenceDaemon(backend, lambda: [OLD])
    assert daemon.run_once(datetime.now(UTC)).put == 2
    assert daemon.run_once(datetime.now(UTC)).put == 0
    by_service = {each.matchers[0].name: each for each in backend.silences()}
    assert {window_of(each) for each in by_service.values()} == {"old"}
    assert {
        Matcher("team", MatchOperator.MATCHES, "x|y"),
        Matcher("service", MatchOperator.DOES_NOT_MATCH, "a.*"),
    } in [set(each.matchers) for each in backend.silences()]
    eventually(lambda: held(backend, service="old").silenced_by)
    assert held(backend, service="new").silenced_by == ()
    assert held(backend, service="new").receivers == ("default",)
    idle = replace(OLD, matchers=())
    assert SilenceDaemon(backend, lambda: [idle]).run_once(datetime.now(UTC)).expired == 2
    assert backend.silences() == []
    eventually(lambda: held(backend, service="old").silenced_by == ())


def test_a_silence_is_prolonged_under_its_id_and_ended_once(backend: AlertmanagerBackend) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    matchers = (Matcher("a", MatchOperator.NOT_EQUAL, "b"), Matcher("c", MatchOperator.EQUAL, 'd"\\'))
    silence = Silence("", matchers, now, now + timedelta(hours=1), "ann", "why")
    given = backend.put(silence)
    (there,) = backend.silences()
    assert (there.id, there.matchers, there.created_by, there.comment) == (given, silence.matchers, "ann", "why")
    prolonged = Silence(given, there.matchers, there.starts_at, now + timedelta(hours=3), "ann", "why")
    assert backend.put(prolonged) == given
    assert [each.ends_at for each in backend.silences()] == [now + timedelta(hours=3)]
    backend.expire(given)
    backend.expire(given)
    assert backend.silences() == []


def test_a_silence_that_alertmanager_refuses_is_told_with_its_words(backend: AlertmanagerBackend) -> None:
    past = datetime(2020, 1, 1, tzinfo=UTC)
    silence = Silence("", (Matcher("a", MatchOperator.EQUAL, "b"),), past, past + timedelta(hours=1), "ann", "why")
    with pytest.raises(Permanent, match="answered 400"):
        backend.put(silence)
    with pytest.raises(Permanent, match="is not the id of a silence"):
        backend.expire("../alerts")


def test_a_region_that_is_down_keeps_its_tickets_quiet_and_no_page(url: str, backend: AlertmanagerBackend) -> None:
    fire(
        url,
        {"alertname": "RegionDown", "severity": "page", "region": "eu"},
        {"alertname": "CheckDownInRegion", "severity": "ticket", "region": "eu", "check": "login", "kind": "probe"},
        {"alertname": "CheckDownInRegion", "severity": "ticket", "region": "us", "check": "login", "kind": "probe"},
        {"alertname": "SLOErrorBudgetBurn", "severity": "page", "region": "eu"},
    )
    eventually(lambda: held(backend, alertname="CheckDownInRegion", region="eu").inhibited_by)
    source = held(backend, alertname="RegionDown").fingerprint
    assert held(backend, alertname="CheckDownInRegion", region="eu").inhibited_by == (source,)
    assert held(backend, alertname="CheckDownInRegion", region="us").inhibited_by == ()
    assert held(backend, alertname="SLOErrorBudgetBurn").inhibited_by == ()
