"""The kind StatusPage: what it means, and every mistake at its place."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from controlplane.model.public_status import ComponentStatus
from controlplane.problems import Problem
from controlplane.specfile import SourceFile, read
from synthetics.status_page.declared import declared
from synthetics.status_page.kinds import KINDS
from synthetics.status_page.model import Automatic, StatusPage

ROOT = Path(__file__).resolve().parents[3]
PAGE = """apiVersion: flyball.dev/v1
kind: StatusPage
metadata: {name: shop}
spec:
  title: Shop
  url: https://status.example/
  timeZone: Europe/Berlin
  languages: [en, de]
  components:
    - {id: api, name: API, names: {de: Schnittstelle}, from: {slos: [reads], probes: [gateway], journeys: [flow]}}
    - {id: web, name: Web, group: front, from: {probes: [gateway]}, uptime: {weights: {partial_outage: 0.5}}}
"""


def read_page(text: str) -> tuple[StatusPage | None, list[Problem]]:
    result = read([SourceFile("page.yaml", text.encode())], KINDS)
    found = declared(result.documents, slos=["reads"], probes=["gateway"], journeys=["flow"])
    return next(iter(found.values), None), [*result.problems, *found.problems]


def problems(more: str) -> list[str]:
    """`line:column field: message (hint)` of what the page with more at its end says."""
    _, found = read_page(PAGE + more)
    return [
        f"{each.line}:{each.column} {each.field}: {each.message}" + (f" ({each.hint})" if each.hint else "")
        for each in found
    ]


FRONT = "  groups: [{id: front, name: Front}]\n"


def test_everything_has_a_default() -> None:
    page, found = read_page(PAGE + FRONT)
    assert found == []
    assert page is not None
    assert (page.url, page.incidents.automatic, page.incidents.needs_approval) == (
        "https://status.example", Automatic.DRAFT, True,
    )  # fmt: skip
    api, web = page.components
    assert (api.group, web.group, page.groups[0].components) == (None, "front", ("web",))
    assert (web.weights.degraded, web.weights.partial, web.weights.major) == (0, Decimal("0.5"), 1)
    assert page.page_alert is ComponentStatus.DEGRADED
    assert page.ticket_alert is None
    assert page.retention == timedelta(days=400)


def test_times_are_by_the_clocks_of_the_page() -> None:
    page, found = read_page(PAGE + FRONT + """  maintenances:
    - {id: once, title: Once, start: 2026-07-05 22:00, end: 2026-07-05T21:30Z, components: [api]}
    - {id: weekly, title: Weekly, start: 2026-01-04 03:00, rrule: FREQ=WEEKLY, duration: 30m, components: [web]}
  corrections: [{component: api, start: 2026-01-01, end: 2026-01-02T00:00+02:00, status: partial_outage, reason: r}]
""")  # fmt: skip
    assert found == []
    assert page is not None
    once, weekly = page.maintenances
    assert (once.start, once.length) == (datetime(2026, 7, 5, 20, 0, tzinfo=UTC), timedelta(minutes=90))
    assert (weekly.start, weekly.length) == (datetime(2026, 1, 4, 2, 0, tzinfo=UTC), timedelta(minutes=30))
    (correction,) = page.corrections
    assert (correction.start, correction.end) == (
        datetime(2025, 12, 31, 23, 0, tzinfo=UTC),
        datetime(2026, 1, 1, 22, 0, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", "11:35 spec.components[1].group: no group has the id `front`"),
        (
            "  groups: [{id: front, name: F, components: [wep]}]\n",
            "12:46 spec.groups[0].components[0]: no component has the id `wep` (did you mean `web`?)",
        ),
        (
            "  groups: [{id: front, name: F}, {id: b, name: B, components: [web]}]\n",
            "11:35 spec.components[1].group: group `b` lists it already",
        ),
        (
            FRONT + "  incidents: {automatic: publish}\n",
            "13:26 spec.incidents.automatic: nothing is published while approval is required "
            "(automatic: draft waits for people; approval: none lets updates go out by themselves)",
        ),
        (
            FRONT + "  incidents: {templates: {update: 'it is {broken}'}}\n",
            "13:35 spec.incidents.templates.update: `{broken}` stands for nothing "
            "(known are {components}, {impact}, {since}, {next})",
        ),
        (
            FRONT + "  incidents: {templates: {update: '{components.__class__}'}}\n",
            "13:35 spec.incidents.templates.update: `{components.__class__}` stands for nothing "
            "(known are {components}, {impact}, {since}, {next})",
        ),
        (FRONT + "  incidents: {updateEvery: 2m}\n", "13:28 spec.incidents.updateEvery: must be between 5m and 1h"),
        (
            FRONT + "  maintenances: [{id: m, title: M, start: 2026-01-01, components: [api]}]\n",
            "13:18 spec.maintenances[0]: it is not clear when it happens "
            "(once: start and end; recurring: start, duration and rrule)",
        ),
        (
            FRONT
            + "  maintenances:\n"
            "    - {id: m, title: M, start: 2026-01-01, rrule: FREQ=OFTEN, duration: 1h, components: [api]}\n",
            "14:51 spec.maintenances[0].rrule: `OFTEN` is no frequency (one of DAILY, WEEKLY, MONTHLY, YEARLY)",
        ),
        (
            FRONT
            + "  corrections: [{component: api, start: 2026-01-02, end: 2026-01-01, status: unknown, reason: r}]\n",
            "13:58 spec.corrections[0].end: does not come after its start",
        ),
        (
            FRONT + "  tiers: [{tier: 2, text: a}, {tier: 2, text: b, components: [web]}]\n",
            "13:38 spec.tiers[1].tier: tier 2 says two things of `web`",
        ),
        (
            FRONT + "  subscribers: {email: {from: status}, subscribeUrl: https://x.example}\n",
            "13:31 spec.subscribers.email.from: not an e-mail address (such as status@example.com)",
        ),
        (
            FRONT + "  subscribers: {webhook: true}\n",
            "13:3 spec.subscribers: the page shows no form: nobody outside can subscribe "
            "(subscribeUrl: where the public reaches the control plane)",
        ),
        (FRONT + "  retention: 30d\n", "13:14 spec.retention: must be between 92d and 3660d"),
        (
            FRONT + "  supportUrl: javascript:alert(1)\n",
            "13:15 spec.supportUrl: not a web address (such as https://status.example.com)",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place(more: str, expected: str) -> None:
    assert problems(more) == [expected]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("probes: [gateway], j", "probes: [gatewya], j", "no probe is named `gatewya`"),
        ("slos: [reads]", "slos: [raeds]", "no SLO is named `raeds`"),
        ("journeys: [flow]", "journeys: [flwo]", "no journey is named `flwo`"),
        ("Europe/Berlin", "Europe/Berln", "`Europe/Berln` is not a time zone"),
        ("[en, de]", "[en, de, fr]", "there is no catalogue of texts in `fr`"),
        ("[en, de]", "[en]", "the page has no `de`"),
        ("id: web", "id: api", "`api` is there twice"),
        ("partial_outage: 0.5", "partial_outage: 0.5, degraded_performance: 0.6", "what is worse must not count less"),
        ("partial_outage: 0.5", "partial_outage: 1.5", "must be at most 1"),
        ("name: shop", "name: a/b", "`a/b` is not a name"),
        ("https://status.example/", "ftp://status.example/", "not a web address"),
        ("from: {probes: [gateway]}", "from: {}", "nothing is measured of it"),
    ],
)
def test_what_is_wrong_in_a_component_or_page_is_told(old: str, new: str, expected: str) -> None:
    _, found = read_page(PAGE.replace(old, new) + FRONT)
    assert any(expected in each.message for each in found), found


def test_names_that_are_not_known_are_not_looked_at() -> None:
    result = read([SourceFile("page.yaml", (PAGE + FRONT).encode())], KINDS)
    assert declared(result.documents).problems == ()
    assert declared(result.documents, probes=[], may_be_declared=lambda name: name == "gateway").problems == ()


def test_the_page_of_the_example_is_right() -> None:
    path = ROOT / "examples/intelgraph/synthetics/status-page.yaml"
    result = read([SourceFile(str(path), path.read_bytes())], KINDS)
    found = declared(result.documents)
    assert (result.problems, found.problems) == ((), ())
    (page,) = found.values
    assert [component.name for component in page.components] == [
        "Web app & API", "Sign-in", "Subscriptions", "Graph queries", "Ingest", "Exports", "Workflows",
    ]  # fmt: skip
    assert [tier.tier for tier in page.tiers] == [1, 2, 3, 4, 5, 6]
