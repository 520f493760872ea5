"""Whatever comes, translators say `Malformed` or make what the intake takes."""

import re
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters.cloudevents.faults import Malformed
from exporters.events.reading import Candidate
from tests.exporters.events.translating.payloads import (
    ALL,
    FLAGGER,
    GITHUB_DEPLOYMENT,
    NOW,
    READER,
    SENDERS,
    Json,
    changed,
    content,
    own,
    told,
)

WORDS = st.sampled_from(
    ["", " ", "\x00", "\ud800", "a\u2028b", "é" * 70, "𝕊" * 1200, "x" * 300, "https://exa mple", "https://e.x/%zz/[#]#",
     "https://" + "ü" * 500 + "/a/b", "2026-11-20T11:05:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00",
     "2026-02-30T00:00:00Z", "1970-01-01T00:00:00Z", "success", '{"flyball": []}', "[" * 5000, "-1", "9" * 30, "١٢"]
)  # fmt: skip
NUMBERS = st.sampled_from([0, -1, 1, 2**63, 10**30, 1795104600]) | st.floats()
SIMPLE = st.none() | st.booleans() | NUMBERS | WORDS | st.text()
NAMES = st.sampled_from(
    ["flyball", "id", "name", "sha", "labels", "html_url", "timestamp", "service", "body", "environment", "changes"]
)
ANYTHING = st.recursive(
    SIMPLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(), inner, max_size=4),
    max_leaves=6,
)


def places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Every place in a payload, the payload itself aside."""
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, each in inner for found in [(*path, key), *places(each, (*path, key))]]


def put(payload: Json, path: tuple[Any, ...], value: object) -> None:
    found: Any = payload
    for key in path[:-1]:
        if not isinstance(found, (dict, list)):
            return
        try:
            found = found[key]
        except (LookupError, TypeError):
            return
    if isinstance(found, dict) or (isinstance(found, list) and isinstance(path[-1], int) and path[-1] < len(found)):
        found[path[-1]] = value


@st.composite
def broken(draw: st.DrawFn) -> tuple[str, dict[str, str], Json]:
    """A webhook in which some values are others."""
    name, headers, payload = draw(st.sampled_from(ALL))
    payload = deepcopy(payload)
    for path in draw(st.lists(st.sampled_from(places(payload)), min_size=1, max_size=4)):
        put(payload, path, draw(ANYTHING))
    return name, headers, payload


def check(name: str, headers: dict[str, str], payload: object) -> None:
    try:
        events = SENDERS[name].translate(headers, payload, NOW)
    except Malformed:
        return
    taken = [READER.event(Candidate("", event), NOW) for event in events]
    assert [event.source for event in taken] == [event["source"] for event in events]


@settings(max_examples=80)
@given(broken())
def test_a_webhook_with_anything_in_it_is_malformed_or_taken(webhook: tuple[str, dict[str, str], Json]) -> None:
    check(*webhook)


@given(st.sampled_from(ALL), ANYTHING)
def test_anything_at_all_is_malformed_or_taken(webhook: tuple[str, dict[str, str], Json], payload: object) -> None:
    check(webhook[0], webhook[1], payload)


def test_strange_text_is_kept_as_a_line_and_strange_addresses_as_addresses() -> None:
    [event] = told_with("deployment.payload", {"flyball": {"version": " 2.0\x00\n\ud800β\u202e "}})
    assert own(event)["version"] == "2.0 β"
    [event] = told_with("repository.html_url", "https://e.x/a%zz/sh%20op")
    assert event["source"] == "https://e.x/a%25zz/sh%20op"
    [event] = told_with("repository.html_url", f"https://e.x/{'𝕊' * 40}/shop")
    assert event["source"].startswith("https://e.x/%F0%9D%95%8A")
    [event] = told_with("deployment.payload", {"flyball": {"service": "𝕊" * 190}})
    assert event["subject"] == "𝕊" * 190
    with pytest.raises(Malformed, match="source"):
        told_with("repository.html_url", f"https://e.x/{'𝕊' * 100}/shop")


def told_with(path: str, value: object) -> list[Json]:
    headers = {"x-github-event": "deployment_status"}
    return told("github", changed(GITHUB_DEPLOYMENT, path, value), headers)


def test_the_longest_package_url_is_a_digest() -> None:
    [event] = told("flagger", changed(FLAGGER | {"checksum": "𝕊" * 190}, "metadata.service", "𝕊" * 190))
    assert re.fullmatch("pkg:generic/[0-9a-f]{64}", content(event)["artifactId"])


@pytest.mark.parametrize(("name", "headers", "payload"), ALL)
def test_the_longest_values_fit_into_an_event(name: str, headers: dict[str, str], payload: Json) -> None:
    for value in ("𝕊" * 5000, '"' * 5000, ["𝕊" * 5000] * 2000, [{"name": "𝕊" * 5000, "title": "𝕊" * 5000}] * 2000):
        for path in places(payload):
            copy = deepcopy(payload)
            put(copy, path, value)
            check(name, headers, copy)


@pytest.mark.parametrize(("name", "headers", "payload"), ALL)
def test_what_comes_again_gives_the_same_events_whatever_the_time(
    name: str, headers: dict[str, str], payload: Json
) -> None:
    later = NOW.replace(hour=23)
    first = SENDERS[name].translate(headers, payload, NOW)
    assert first
    assert first == SENDERS[name].translate(headers, deepcopy(payload), later)
    assert len({(str(event["source"]), str(event["id"])) for event in first}) == len(first)
