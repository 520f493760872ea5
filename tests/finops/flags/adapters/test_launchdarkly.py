"""What is particular about LaunchDarkly, on a server of our own that follows its documentation."""

from collections.abc import Iterator

import pytest

from controlplane.ports import Permanent
from finops.flags.adapters.launchdarkly import LaunchDarkly, _sdk_url
from finops.flags.model import FlagState, FlagWrite, WriteNote
from finops.flags.ports import Conflict
from tests.contracts.flag_benches import declared
from tests.finops.flags.launchdarkly_server import ENVIRONMENT, PROJECT, TOKEN, LaunchDarklyServer
from tests.finops.flags.serving import Reply, Request, serving

NOTE = WriteNote("flyball", "llm burns twice its pace", "w1")


@pytest.fixture
def server() -> LaunchDarklyServer:
    made = LaunchDarklyServer()
    made.create("switch", [True, False], default=True, off=False)
    made.create("text", ["full", "low", "off"], default="full", off="off")
    return made


@pytest.fixture
def store(server: LaunchDarklyServer) -> Iterator[LaunchDarkly]:
    with serving(server) as url:
        yield LaunchDarkly(url, project=PROJECT, environment=ENVIRONMENT, token=TOKEN)


def state(store: LaunchDarkly, flag: str, value: bool | str = False) -> FlagState:
    return store.read([declared(flag, value)])[flag]


def config(server: LaunchDarklyServer, flag: str) -> dict[str, object]:
    return dict(server.flags[flag]["environments"][ENVIRONMENT])


def test_a_switch_is_turned_and_nothing_else_of_it_changes(server: LaunchDarklyServer, store: LaunchDarkly) -> None:
    before = config(server, "switch")
    store.write([FlagWrite(state(store, "switch"), False)], NOTE)
    assert config(server, "switch") == {**before, "on": False, "version": 2, "lastModified": server.clock}
    store.write([FlagWrite(state(store, "switch"), True)], NOTE)
    assert (config(server, "switch")["on"], config(server, "switch")["fallthrough"]) == (True, {"variation": 0})


def test_another_variation_becomes_that_of_the_default_rule_or_of_the_flag_that_is_off(
    server: LaunchDarklyServer, store: LaunchDarkly
) -> None:
    store.write([FlagWrite(state(store, "text", "full"), "low")], NOTE)
    assert config(server, "text")["fallthrough"] == {"variation": 1}
    server.change("text", [{"kind": "turnFlagOff"}], "ann")
    store.write([FlagWrite(state(store, "text", "full"), "full")], NOTE)
    assert (config(server, "text")["on"], config(server, "text")["offVariation"]) == (False, 0)
    assert server.log[0]["comment"] == "llm burns twice its pace (flyball) [flyball]"


@pytest.mark.parametrize(
    "chooses",
    [
        {"rules": [{"clauses": []}]},
        {"targets": [{"values": ["ann"]}]},
        {"contextTargets": [{"values": ["ann"]}]},
        {"prerequisites": [{"key": "other"}]},
        {"fallthrough": {"rollout": {"variations": []}}},
    ],
    ids=["rule", "target", "context", "prerequisite", "rollout"],
)
def test_a_flag_that_differs_between_people_has_no_value_and_is_not_turned_on(
    server: LaunchDarklyServer, store: LaunchDarkly, chooses: dict[str, object]
) -> None:
    server.flags["switch"]["environments"][ENVIRONMENT].update(chooses)
    with pytest.raises(Permanent, match="decide for some"):
        state(store, "switch")
    server.flags["switch"]["environments"][ENVIRONMENT]["on"] = False
    assert state(store, "switch").value is False
    if "fallthrough" not in chooses:
        with pytest.raises(Permanent, match="decide for some"):
            store.write([FlagWrite(state(store, "switch"), True)], NOTE)


def test_an_archived_flag_is_not_there(server: LaunchDarklyServer, store: LaunchDarkly) -> None:
    server.flags["switch"]["archived"] = True
    assert state(store, "switch").value is None
    assert store.uses([declared("switch")])[0].is_archived


def test_somebody_who_was_quicker_is_named(server: LaunchDarklyServer) -> None:
    def meddling(request: Request) -> Reply:
        if request.method == "PATCH":
            server.change("text", [{"kind": "turnFlagOff"}], "ann")
        return server(request)

    with serving(meddling) as url:
        store = LaunchDarkly(url, project=PROJECT, environment=ENVIRONMENT, token=TOKEN)
        with pytest.raises(Conflict, match="ann changed text"):
            store.write([FlagWrite(state(store, "text", "full"), "low")], NOTE)


def test_sdks_are_served_by_the_host_beside_the_apis_in_every_region() -> None:
    assert _sdk_url("https://app.launchdarkly.com") == "https://sdk.launchdarkly.com"
    assert _sdk_url("https://app.eu.launchdarkly.com") == "https://sdk.eu.launchdarkly.com"
    assert _sdk_url("http://127.0.0.1:8030") == "http://127.0.0.1:8030"
