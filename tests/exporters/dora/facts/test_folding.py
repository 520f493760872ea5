"""A fact is a function of the set of events: hypothesis looks for orders, repetitions and bodies that say otherwise."""

import dataclasses
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.delivery import DeliveryEvent
from exporters.dora.facts.folding import digest_of, fold
from exporters.dora.policy.model import DeliveryPolicy
from tests.exporters.dora.facts.telling import AT, HASH, MINUTE, SHOP, event

POLICY = DeliveryPolicy()
PREDICATES = {
    "deployment:/ci#d1": ("deployed", "upgraded", "rolledback", "removed"),
    f"change:{SHOP}#7": ("created", "reviewed", "merged", "abandoned"),
    "artifact:pkg:oci/shop@1": ("packaged", "published"),
    "incident:/pd#i1": ("detected", "reported", "resolved"),
}
OWN = (
    "version",
    "repository",
    "revision",
    "changes",
    "outcome",
    "startedAt",
    "undoes",
    "remedies",
    "unplanned",
    "run",
    "url",
    "firstCommitAt",
    "openedAt",
    "approvedAt",
    "services",
    "reverts",
    "hotfix",
    "title",
    "labels",
    "branch",
    "name",
    "priority",
    "deployment",
    "counted",
)
scalars = st.sampled_from(
    [
        "",
        "1",
        "7",
        "#7",
        HASH,
        "1.4.2",
        "failed",
        "succeeded",
        "P3",
        "hotfix",
        "hotfix/1",
        "https://x/1",
        "acme/shop#3",
        "\x00",
        "2026-11-30T11:00:00Z",
        "2026-11-30T11:30:00+05:30",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+12:00",
        True,
        False,
        None,
        3,
    ]
)
json_values = st.recursive(
    scalars | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
owns = st.dictionaries(st.sampled_from(OWN), scalars | st.lists(scalars, max_size=3) | json_values, max_size=5)
contents = st.fixed_dictionaries(
    {"environment": st.sampled_from([{"id": "prod"}, {"id": "eu"}, {}, None])},
    optional={
        "service": st.sampled_from([{"id": "checkout"}, {"id": ["x"]}, "checkout"]),
        "artifactId": st.sampled_from([f"pkg:github/acme/shop@{HASH}", "pkg:oci/a@1?tag=2", 7, ""]),
        "repository": st.sampled_from([{"id": SHOP}, {"id": "https://github.com/acme/other.git"}, None]),
        "change": st.sampled_from([{"id": "7", "source": f"https://{SHOP}"}, {"id": HASH}, []]),
        "description": st.sampled_from(["Reverts acme/shop#3", "slow", 1]),
    },
)


@st.composite
def told(draw: st.DrawFn, entity: str) -> DeliveryEvent:
    return event(
        entity,
        draw(st.sampled_from(PREDICATES[entity])),
        AT + draw(st.integers(-3, 3)) * MINUTE,
        source=draw(st.sampled_from(["/ci", "/other"])),
        subject=draw(st.sampled_from(["checkout", "/apps/cart", None, 3])),
        content=draw(contents | json_values),
        own=draw(owns | json_values),
        trace_id=draw(st.sampled_from(["", "a" * 32])),
    )


@given(st.sampled_from(sorted(PREDICATES)), st.data())
def test_neither_order_nor_repetition_matters(entity: str, data: st.DataObject) -> None:
    events = data.draw(st.lists(told(entity), max_size=4))
    fact = fold(entity, events, POLICY)
    again = data.draw(
        st.permutations([*events, *data.draw(st.lists(st.sampled_from(events), max_size=3) if events else st.just([]))])
    )
    assert fold(entity, again, POLICY) == fact


@pytest.mark.parametrize("entity", PREDICATES)
@given(
    body=st.one_of(
        st.binary(max_size=60),
        json_values.map(lambda value: json.dumps(value).encode()),
        json_values.map(
            lambda value: json.dumps({"data": {"subject": {"id": "x", "content": value}, "customData": value}}).encode()
        ),
    )
)
def test_no_body_makes_it_fail(entity: str, body: bytes) -> None:
    for predicate in PREDICATES[entity]:
        fold(entity, [dataclasses.replace(event(entity, predicate), body=body)], POLICY)


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"data":' * 20_000, b'{"data": ' + b"9" * 5000 + b"}", b"\xff", b""]
)
def test_bodies_that_break_readers_say_nothing(body: bytes) -> None:
    for entity, predicates in PREDICATES.items():
        found = fold(entity, [dataclasses.replace(event(entity, predicates[0]), body=body)], POLICY)
        assert found == fold(entity, [event(entity, predicates[0], subject=None)], POLICY)


def test_of_two_events_with_one_name_the_earlier_counts() -> None:
    first, second = (
        event("incident:/pd#i1", "detected", id_="e"),
        event("incident:/pd#i1", "detected", AT + MINUTE, id_="e"),
    )
    for order in ([second, first], [first, second]):
        assert fold("incident:/pd#i1", order, POLICY) == fold("incident:/pd#i1", [first], POLICY)


def test_what_is_no_entity_has_no_fact() -> None:
    assert fold("", [event("incident:/pd#i1", "detected")], POLICY) is None
    assert fold("journey:1", [event("incident:/pd#i1", "detected")], POLICY) is None
    assert fold("incident:/pd#i1", [], POLICY) is None
    usage = dataclasses.replace(event("incident:/pd#i1", "detected"), type="com.acme.used")
    assert fold("incident:/pd#i1", [usage], POLICY) is None


def test_only_what_facts_depend_on_changes_the_digest() -> None:
    same = DeliveryPolicy(name="x", teams={"checkout": "shop"}, attribution_window=timedelta(hours=1), clusters="")
    assert digest_of(same) == digest_of(POLICY)
    others = [
        DeliveryPolicy(production=("eu",)),
        DeliveryPolicy(environments={}),
        DeliveryPolicy(services={"a": "b"}),
        DeliveryPolicy(priorities=frozenset({"P1"})),
        DeliveryPolicy(hotfix_labels=()),
        DeliveryPolicy(hotfix_branches=()),
        DeliveryPolicy(hotfix_titles=()),
    ]
    assert len({digest_of(policy) for policy in [POLICY, *others]}) == 8
