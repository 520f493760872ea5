"""Flags as applications see them: through OpenFeature from a file, and by OFREP."""

import threading
from pathlib import Path

import pytest

from controlplane.ports import Permanent, Transient
from finops.flags.adapters.openfeature_client import OpenFeatureFile
from finops.flags.adapters.opening import open_declared
from finops.flags.model import DeclaredStore
from tests.contracts.flag_benches import SOURCE, Clock, declared, document, entry, ofrep_bench, opened
from tests.finops.flags import ofrep_server
from tests.finops.flags.serving import Reply, serving

SWITCH = entry([True, False], True)


def test_what_applications_get_is_what_targeting_says_and_nothing_of_a_disabled_flag(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    flags = {
        "plain": SWITCH,
        "targeted": {**SWITCH, "targeting": {"if": [True, "v1"]}},
        "off": {**SWITCH, "state": "DISABLED"},
        "bare": {key: value for key, value in SWITCH.items() if key != "defaultVariant"},
        "text": entry(["a"], "a"),
    }
    path.write_text(document(flags))
    client = OpenFeatureFile(path)
    try:
        asked = [declared(name) for name in ("plain", "targeted", "off", "bare", "nowhere")]
        assert list(client.values(asked).values()) == [True, False, None, None, None]
        with pytest.raises(Permanent, match="flag text"):
            client.values([declared("text")])
    finally:
        client.close()


def test_the_thread_that_looks_at_the_file_ends_with_the_client(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    path.write_text(document({}))
    before = set(threading.enumerate())
    client = OpenFeatureFile(path)
    started = set(threading.enumerate()) - before
    assert started
    client.close()
    for thread in started:
        thread.join(30)
    assert not any(thread.is_alive() for thread in started)


@pytest.mark.parametrize("text", [None, "{"], ids=["missing", "half"])
def test_a_file_that_cannot_be_read_at_first_may_pass(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "flags.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(Transient, match=r"flags\.json"):
        OpenFeatureFile(path)


def test_ofrep_beside_a_store_is_what_clients_see(tmp_path: Path) -> None:
    (tmp_path / "flags.json").write_text(document({"a": entry([False, True], False)}))
    (tmp_path / "served.json").write_text(document({"a": entry([False, True], True)}))
    with serving(ofrep_server.OfrepServer(tmp_path / "served.json")) as url:
        options = {"file": "flags.json", "ofrep.url": url, "ofrep.tokenFrom": "T"}
        opening = opened("flagd", options, tmp_path, {"T": ofrep_server.TOKEN})
        assert opening.store.read([declared("a")])["a"].value is False
        assert opening.client.values([declared("a")]) == {"a": True}
        opening.close()


def test_an_ofrep_server_that_has_another_type_or_no_such_path_is_told(tmp_path: Path) -> None:
    with ofrep_bench(tmp_path) as bench:
        flag = bench.flag("number", 1)
        with pytest.raises(Permanent, match="declared as boolean"):
            bench.opened.client.values([declared(flag.name)])
    with serving(lambda request: Reply(404, b"{}")) as url, pytest.raises(Permanent, match="status 404"):
        opened("ofrep", {"url": url}).client.values([declared("a")])


@pytest.mark.parametrize(
    ("type_", "options", "told"),
    [
        ("consul", {}, "type `consul` is none of flagd, unleash"),
        ("flagd", {}, "flagd needs `file`"),
        ("unleash", {"url": "http://h", "tokenFrom": "TOKEN"}, "platform needs TOKEN or TOKEN_FILE"),
        ("webhook", {"url": "http://h", "secretFrom": "SECRET"}, "platform needs SECRET or SECRET_FILE"),
    ],
    ids=["type", "file", "token", "secret"],
)
def test_a_store_that_lacks_something_names_it(type_: str, options: dict[str, str], told: str) -> None:
    with pytest.raises(Permanent, match=told):
        opened(type_, options)


def test_memory_outlives_its_opening_where_it_is_kept() -> None:
    from finops.flags.adapters.memory import MemoryFlags

    kept: dict[str, MemoryFlags] = {}
    store = DeclaredStore("m", "memory", (), (declared("a", True),), SOURCE)
    for _ in range(2):
        opening = open_declared(store, folder=Path(), variables={}, clock=Clock(), memory=kept)
        assert opening.client.values(store.flags) == {"a": True}
        opening.close()
    assert list(kept) == ["m"]
