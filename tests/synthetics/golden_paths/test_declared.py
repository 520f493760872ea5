"""GoldenPath and RouteInventory documents: what they become, and what is wrong with them, at its place."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from synthetics.golden_paths.declared import declared, inventories
from synthetics.golden_paths.model import Exemption, Gap, Ignored, Route
from tests.synthetics.golden_paths.paths import PATH_TEXT, documents, told

SLOS, JOURNEYS, PROBES = ["gateway-availability"], ["core-flow"], ["gateway-health"]
INVENTORY = """
    apiVersion: flyball.dev/v1
    kind: RouteInventory
    metadata: {name: gateway}
    spec:
      metric: http_requests_total
"""


def test_a_path_says_its_routes_and_what_watches_it() -> None:
    text = """
        apiVersion: flyball.dev/v1
        kind: GoldenPath
        metadata:
          name: core-flow
          displayName: Core flow
          labels: {team: edge}
          annotations: {flyball.dev/owner: team-edge, flyball.dev/runbook-url: https://runbooks.example/x}
        spec:
          description: Sign in and query.
          critical: false
          routes:
            - {service: gateway, method: post, route: /graphql/*, labels: {operation: read}}
          slos: [gateway-availability]
          journeys: [core-flow]
          probes: [gateway-health]
          maxAge: 13h
          exempt:
            - {gap: not-run, reason: the prober moves house, until: 2026-12-24}
    """
    found, wrong = documents(text)
    result = declared(found, slos=SLOS, journeys=JOURNEYS, probes=PROBES)
    assert (wrong, result.problems) == ((), ())
    (path,) = result.values
    assert path.routes == (Route("/graphql/*", "gateway", "POST", (("operation", "read"),)),)
    assert str(path.routes[0]) == 'gateway POST /graphql/* {operation="read"}'
    assert (path.slos, path.journeys, path.probes) == (tuple(SLOS), tuple(JOURNEYS), tuple(PROBES))
    assert path.max_age == timedelta(hours=13)
    assert path.exempt == (Exemption(Gap.NOT_RUN, "the prober moves house", date(2026, 12, 24)),)
    assert (path.is_critical, path.title, path.owner) == (False, "Core flow", "team-edge")
    assert (path.labels, path.runbook_url) == ((("team", "edge"),), "https://runbooks.example/x")


def test_what_a_path_leaves_out_has_a_default() -> None:
    found, _ = documents(PATH_TEXT)
    (path,) = declared(found).values
    assert (path.is_critical, path.max_age, path.exempt) == (True, timedelta(hours=6), ())


def test_a_name_that_nothing_has_is_told_with_the_one_that_was_meant() -> None:
    found, _ = documents(PATH_TEXT)
    result = declared(found, slos=["gateway-avialability"], journeys=[], probes=["x", "y"])
    assert result.values == ()
    assert told(result.problems) == [
        "7:10: error: spec.slos[0]: there is no SLO `gateway-availability`, did you mean `gateway-avialability`?",
        "8:14: error: spec.journeys[0]: there is no Journey `core-flow` (declare a Journey)",
        "9:12: error: spec.probes[0]: there is no Probe `gateway-health` (declared: x, y)",
    ]


def test_a_name_in_a_file_that_could_not_be_read_is_not_missed() -> None:
    found, _ = documents(PATH_TEXT)
    result = declared(found, slos=[], journeys=[], probes=[], may_be_declared=lambda name: name != "core-flow")
    assert [problem.field for problem in result.problems] == ["spec.journeys[0]"]


@pytest.mark.parametrize(
    ("replaced", "by", "said"),
    [
        ("name: core-flow}", "name: Core Flow}", "metadata.name: `Core Flow` is not a name"),
        ("journeys: [core-flow]", "maxAge: soon", "spec.maxAge: `soon` is not a length"),
        ("journeys: [core-flow]", "maxAge: 60d", "spec.maxAge: must be between 1m and 30d"),
        ("name: core-flow}", "name: core-flow, labels: {a-b: c}}", "metadata.labels.a-b: is not a label's name"),
        ("name: core-flow}", "name: core-flow, annotations: {flyball.dev/runbook-url: x}}", "not a web address"),
        ("journeys: [core-flow]", "exempt: [{gap: not-run, reason: a, until: 2026-12-01}, "
         "{gap: not-run, reason: b, until: 2026-12-01}]", "spec.exempt[1].gap: `not-run` is exempt twice"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place_and_leaves_the_path_out(replaced: str, by: str, said: str) -> None:
    found, wrong = documents(PATH_TEXT.replace(replaced, by))
    assert wrong == ()
    result = declared(found)
    assert result.values == ()
    assert said in told(result.problems)[0]


@pytest.mark.parametrize(
    ("replaced", "by", "said"),
    [
        ("slos:", "sloes:", "sloes"),
        ("slos: [gateway-availability]", "critical: perhaps", "spec.critical"),
        ("slos: [gateway-availability]", "exempt: [{gap: no-jurney, reason: a, until: 2026-12-01}]", "spec.exempt[0]"),
        ("slos: [gateway-availability]", "exempt: [{gap: no-slo, until: 2026-12-01}]", "spec.exempt[0]"),
        ("slos: [gateway-availability]", "exempt: [{gap: no-slo, reason: a, until: some day}]", "spec.exempt[0].until"),
    ],
)
def test_what_has_the_wrong_shape_is_told(replaced: str, by: str, said: str) -> None:
    _, wrong = documents(PATH_TEXT.replace(replaced, by))
    assert any(said in problem.field or said in problem.message for problem in wrong)


def test_what_is_of_no_use_is_a_warning() -> None:
    text = PATH_TEXT.replace("[core-flow]", "[core-flow, core-flow]").replace(
        "probes:", "exempt: [{gap: no-slo, reason: a, until: 2026-12-01}]\n      probes:"
    )
    result = declared(documents(text)[0])
    assert len(result.values) == 1
    assert told(result.problems) == [
        "8:25: warning: spec.journeys[1]: `core-flow` is there twice",
        "9:18: warning: spec.exempt[0].gap: the path has an SLO: there is nothing to exempt (delete it)",
    ]


def test_an_inventory_says_which_metric_tells_the_routes() -> None:
    text = (
        INVENTORY
        + """
      selector: {job: graphql-gateway, code: ["200", "404"]}
      labels: {service: job, method: verb, route: path}
      within: 12h
      leastPerDay: 2.5
      ignore: [{route: "/(healthz|metrics)", reason: machines}]
"""
    )
    found, wrong = documents(text)
    assert wrong == ()
    (inventory,) = inventories(found).values
    assert inventory.selector == (("code", ("200", "404")), ("job", ("graphql-gateway",)))
    assert (inventory.service_label, inventory.method_label, inventory.route_label) == ("job", "verb", "path")
    assert (inventory.days, inventory.least_per_day) == (0.5, Decimal("2.5"))
    assert inventory.ignored == (Ignored("/(healthz|metrics)", "machines"),)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("ignore: [{route: '(', reason: x}]", "spec.ignore[0].route: not a regular expression: missing )"),
        ("labels: {service: path, route: path}", "spec.labels.route: `path` is the label of the service already"),
        ("within: 5m", "spec.within: must be between 60m and 31d"),
    ],
)
def test_a_mistake_in_an_inventory_is_told(more: str, said: str) -> None:
    found, wrong = documents(f"{INVENTORY}      {more}\n")
    assert wrong == ()
    result = inventories(found)
    assert result.values == ()
    assert said in told(result.problems)[0]
