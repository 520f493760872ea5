"""DeliveryPolicy documents: what they mean, and every mistake at its place."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.specfile import Declared, SourceFile, read
from exporters.dora.policy.declared import declared
from exporters.dora.policy.kinds import KINDS
from exporters.dora.policy.model import DeliveryPolicy, EffectTerms

HOUR = timedelta(hours=1)
HEAD = "apiVersion: flyball.dev/v1\nkind: DeliveryPolicy\nmetadata: {name: shop}\nspec:\n"
WHOLE = (
    HEAD
    + """\
  environments:
    production: {names: [Prod, live, eu-prod]}
    canary: {isProduction: true}
    staging:
  services:
    - {name: checkout, alsoKnownAs: [checkout-svc, /apps/pay], team: shop}
    - name: search
  teams: {find: [search, suggest]}
  attribution: {window: 2h, rollbackWindow: 3d, priorities: [p1, SEV1], countsWithoutPriority: false}
  hotfix: {labels: urgent, branches: [fix/*], titles: []}
  timeZone: Europe/Berlin
  clusters: none
  effects: {window: 30m, settle: 0s, confidence: 0.9}
"""
)


def of(text: str) -> Declared[DeliveryPolicy]:
    """What a file declares, with the problems of its shape, too."""
    result = read([SourceFile("policy.yaml", text.encode())], KINDS)
    found = declared(result.documents)
    return Declared(found.values, (*result.problems, *found.problems))


def told(text: str) -> list[str]:
    return [f"{each.line}:{each.column} {each.field}: {each.message}" for each in of(text).problems]


def test_a_whole_document_is_a_policy() -> None:
    found = of(WHOLE)
    assert found.problems == ()
    assert found.values == (
        DeliveryPolicy(
            name="shop",
            production=("production", "canary"),
            environments={
                "production": "production", "canary": "canary", "staging": "staging",
                "prod": "production", "live": "production", "eu-prod": "production",
            },
            services={"checkout": "checkout", "search": "search", "checkout-svc": "checkout", "/apps/pay": "checkout"},
            teams={"checkout": "shop", "search": "find", "suggest": "find"},
            attribution_window=2 * HOUR,
            rollback_window=72 * HOUR,
            priorities=frozenset({"P1", "SEV1"}),
            hotfix_labels=("urgent",),
            hotfix_branches=("fix/*",),
            hotfix_titles=(),
            time_zone="Europe/Berlin",
            clusters="",
            effects=EffectTerms(HOUR / 2, timedelta(0), Decimal("0.9")),
        ),
    )  # fmt: skip


def test_what_is_left_out_is_as_without_a_policy() -> None:
    (policy,) = of(HEAD.replace("spec:\n", "spec: {}\n")).values
    assert policy == DeliveryPolicy(name="shop")


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (
            "environments: {eu: , us: {names: [prod]}}",
            "5:3 spec.environments: no environment is production: reports would show nothing",
        ),
        (
            "environments: {production: {names: [Live]}, eu: {names: [live]}}",
            "5:60 spec.environments.eu.names[0]: `live` means `production` already",
        ),
        (
            "environments: {production: , Production: }",
            "5:32 spec.environments.Production: `Production` is there twice",
        ),
        (
            "services: [{name: a, alsoKnownAs: [x]}, {name: b, alsoKnownAs: x}]",
            "5:66 spec.services[1].alsoKnownAs: `x` means `a` already",
        ),
        (
            "services: [{name: a, alsoKnownAs: [b]}, {name: b}]",
            "5:38 spec.services[0].alsoKnownAs[0]: `b` is a name of its own",
        ),
        ("services: [{name: a}, {name: a}]", "5:32 spec.services[1].name: `a` is there twice"),
        ("services: [{name: a, team: x}]\n  teams: {y: [a]}", "6:15 spec.teams.y[0]: `a` is of `x` already"),
        ("teams: {x: [a], y: [b, a]}", "5:26 spec.teams.y[1]: `a` is of `x` already"),
        (
            "services: [{name: a, alsoKnownAs: [b]}]\n  teams: {y: [b]}",
            "6:15 spec.teams.y[0]: `b` is another name of `a`",
        ),
        ("timeZone: Europe/Berln", "5:13 spec.timeZone: `Europe/Berln` is not a time zone"),
        ("clusters: 2017", "5:13 spec.clusters: `2017` is not an edition that we have"),
        ("attribution: {window: 8d}", "5:25 spec.attribution.window: must be between 1m and 7d, is 8d"),
        ("attribution: {rollbackWindow: 2w}", "5:33 spec.attribution.rollbackWindow: must be between 1m and 7d, is 2w"),
        ("attribution: {window: soon}", "5:25 spec.attribution.window: `soon` is not a length"),
        ("effects: {window: 5m}", "5:21 spec.effects.window: must be between 10m and 1d, is 5m"),
    ],
)
def test_every_mistake_is_told_at_its_place(spec: str, problem: str) -> None:
    text = f"{HEAD}  {spec}\n"
    assert problem in told(text)
    assert of(text).values == ()


def test_of_several_policies_the_first_holds_and_the_others_are_told() -> None:
    text = f"{WHOLE}---\n{WHOLE.replace('name: shop', 'name: other')}---\n{WHOLE.replace('name: shop', 'name: a')}"
    found = of(text)
    assert [policy.name for policy in found.values] == ["shop"]
    message = "a second DeliveryPolicy: a workspace has one, and that is at policy.yaml:3"
    assert [(each.field, each.message) for each in found.problems] == [("metadata.name", message)] * 2


def test_a_name_follows_the_rules_of_names() -> None:
    assert told(WHOLE.replace("name: shop", "name: Shop"))[0].endswith("metadata.name: `Shop` is not a name")


def test_names_lead_to_ours() -> None:
    (policy,) = of(WHOLE).values
    assert [policy.environment(name) for name in ("PROD", "/clusters/EU-Prod/", "Staging", "Demo", "eu/west")] == [
        "production", "production", "staging", "demo", "eu/west",
    ]  # fmt: skip
    assert [policy.service(name) for name in ("checkout-svc", "/apps/pay", "/x/search", "pay", "a/b", "/")] == [
        "checkout", "checkout", "search", "pay", "a/b", "",
    ]  # fmt: skip
    assert (policy.team("checkout"), policy.team("cart")) == ("shop", "")
    assert (policy.counts("sev1"), policy.counts("P2"), policy.counts("")) == (True, False, False)


@given(st.text() | st.from_regex(r"/?[A-Za-z/]{0,8}", fullmatch=True))
def test_a_name_that_is_ours_stays_as_it_is(name: str) -> None:
    policy = DeliveryPolicy(services={"a": "b"})
    assert policy.environment(policy.environment(name)) == policy.environment(name)
    assert policy.service(policy.service(name)) == policy.service(name)
