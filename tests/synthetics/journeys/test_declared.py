"""What Journey documents say, and what is wrong with them."""

from datetime import timedelta

import pytest

from controlplane.problems import in_order
from synthetics.journeys.model import APIFlow, BrowserFlow, SaveFrom, SecretSource
from tests.synthetics.journeys.reading import a_journey, example_journeys, told, understood

_STEP = "steps: [{name: one, http: {url: http://shop.example}}]\n"


def test_the_example_workspace_walks_its_core_flow_in_both_ways() -> None:
    journeys = example_journeys()
    assert sorted(journeys) == ["core-flow", "core-flow-api", "hello-case", "hello-world"]
    browser = journeys["core-flow"]
    assert isinstance(browser.flow, BrowserFlow)
    assert browser.secrets == (SecretSource("password", "INTELGRAPH_PASSWORD"),)
    api = journeys["core-flow-api"].flow
    assert isinstance(api, APIFlow)
    assert [step.name for step in api.steps] == ["sign in", "query", "write", "two hops"]
    assert [save.origin for save in api.steps[0].saves] == [SaveFrom.JSON]


def test_a_workflow_is_started_and_then_watched() -> None:
    flow = example_journeys()["hello-world"].flow
    assert isinstance(flow, APIFlow)
    start, done = flow.steps
    assert (start.name, start.request.method, start.poll) == ("start", "POST", None)
    assert done.poll is not None
    assert (done.poll.every, done.poll.limit) == (timedelta(seconds=1), timedelta(seconds=30))


def test_numbers_in_json_are_those_without_quotes() -> None:
    from datetime import UTC, datetime

    from synthetics.journeys.model import JSONBody
    from synthetics.journeys.templates import Values, rendered

    journey = a_journey(
        "interval: 1m\n"
        "steps:\n"
        "  - name: one\n"
        "    http:\n"
        "      url: http://shop.example\n"
        """      json: {n: 1.50, t: "1.50", s: !!str 7, b: true, z: null, l: [-3, 'x', 1_0], o: {}}\n"""
    )
    assert isinstance(journey.flow, APIFlow)
    body = journey.flow.steps[0].request.body
    assert isinstance(body, JSONBody)
    values = Values({}, {}, {}, datetime(2026, 1, 1, tzinfo=UTC), "")
    assert rendered(body.tree, values) == '{"n":1.50,"t":"1.50","s":"7","b":true,"z":null,"l":[-3,"x","1_0"],"o":{}}'
    assert journey.flow.steps[0].request.method == "POST"


def test_where_nothing_is_said_of_the_status_it_must_be_2xx() -> None:
    spec = "interval: 1m\nsteps:\n  - name: one\n    http: {url: http://shop.example}\n    expect:\n"
    journey = a_journey(spec + "      - body: {matches: ok}\n")
    assert isinstance(journey.flow, APIFlow)
    assert [each.assertion.statuses for each in journey.flow.steps[0].expect] == [("2xx",), ()]
    stated = a_journey(spec + "      - status: 404\n")
    assert isinstance(stated.flow, APIFlow)
    assert [each.assertion.statuses for each in stated.flow.steps[0].expect] == [("404",)]


_SAVING = """\
interval: 1m
variables: {tenant: acme}
secrets: [{name: key, env: SHOP_KEY}]
steps:
  - name: one
    http:
      url: http://shop.example/${tennant}
      headers: {x-key: "${secret:kee}"}
    save: [{name: token, jsonPath: $.token}]
  - name: two
    http:
      url: http://shop.example/${token}/${later}
      json:
        deep: [{id: "a ${tokn}"}]
    expect:
      - jsonPath: {path: $.id, equals: "${secret:key}-${tkoen}"}
    save: [{name: later, header: x-later}]
"""


def test_undefined_names_are_found_where_they_stand() -> None:
    _, problems = understood(_SAVING)
    assert told(in_order(problems)) == [
        "11:34 spec.steps[0].http.url: no value is named `tennant`, did you mean `tenant`?",
        "12:27 spec.steps[0].http.headers.x-key: no secret is named `kee`, did you mean `key`?",
        "16:43 spec.steps[1].http.url: no value is named `later` (no step before this one saves it)",
        "18:26 spec.steps[1].http.json.deep[0].id: no value is named `tokn`, did you mean `token`?",
        "20:57 spec.steps[1].expect[0].jsonPath.equals: no value is named `tkoen`, did you mean `token`?",
    ]


@pytest.mark.parametrize(
    ("spec", "lines"),
    [
        ("interval: 1m\n", ["5:3 spec: nothing is walked (exactly one of steps, browser and workflow)"]),
        (
            "interval: 1m\n" + _STEP + "browser: {file: journeys/test_a.py}\n",
            ["7:12 spec.browser: steps and browser exclude each other (exactly one of steps, browser and workflow)"],
        ),
        (
            "interval: 30s\ntimeout: 2m\n" + _STEP,
            ["6:12 spec.timeout: is longer than the interval, 30s"],
        ),
        (
            "interval: 1m\nbrowser: {file: ../test_a.py, function: walk}\n",
            [
                "6:19 spec.browser.file: must lie in the workspace"
                " (from the workspace's root on, such as journeys/test_core_flow.py)",
                "6:43 spec.browser.function: pytest takes it for no test (begin its name with `test`)",
            ],
        ),
        (
            "interval: 1m\nvariables: {api_key: abc}\nsteps:\n  - name: one\n    http:\n"
            "      url: http://shop.example\n      headers: {Authorization: Bearer abc}\n"
            "      form: {password: abc, user: ada}\n",
            [
                "6:15 spec.variables.api_key: a secret in plain text: `api_key` (name it in spec.secrets)",
                "11:19 spec.steps[0].http.headers.Authorization: a secret in plain text: `Authorization`"
                " (name it in spec.secrets and take it as ${secret:NAME})",
                "12:16 spec.steps[0].http.form.password: a secret in plain text: `password`"
                " (name it in spec.secrets and take it as ${secret:NAME})",
            ],
        ),
        (
            "interval: 1m\nsteps:\n  - name: one\n    http: {url: http://shop.example, body: a, form: {a: b}}\n"
            "    expect:\n      - certificateDays: 3\n      - status: 200\n        body: {matches: x}\n"
            "    save:\n      - {name: a, jsonPath: '$.a[', header: b}\n      - {name: b, regex: '(?=a)'}\n",
            [
                "8:46 spec.steps[0].http.body: form and body exclude each other (at most one of json, form and body)",
                "10:28 spec.steps[0].expect[0].certificateDays: a journey does not look at certificates"
                " (a Probe of the same address does)",
                "11:11 spec.steps[0].expect[1]: status and body exclude each other"
                " (exactly one of status, header, body, jsonPath, certificateDays, latency)",
                "14:11 spec.steps[0].save[0]: several places to take it from"
                " (exactly one of jsonPath, header, cookie, regex)",
                "15:28 spec.steps[0].save[1].regex: not a regular expression (RE2): invalid perl operator: (?="
                " (RE2 has no look-around and no back-references: use notMatches, or two assertions)",
            ],
        ),
        (
            "interval: 1m\nsteps:\n  - name: one\n    always: true\n    http: {url: shop.example}\n"
            "  - name: one\n    http: {url: http://shop.example}\n    poll: {until: [{status: 200}], for: 5 s}\n",
            [
                "9:19 spec.steps[0].http.url: is no address (begin it with https://)",
                "10:13 spec.steps[1].name: `one` is there twice",
                "10:13 spec.steps[1].name: stands after a step that always runs (put those that always run last)",
                "12:43 spec.steps[1].poll.for: `5 s` is not a length (a number and ms, s, m or h, as in 500ms or 30s)",
            ],
        ),
    ],
)
def test_mistakes_are_told_with_their_place_and_the_way_out(spec: str, lines: list[str]) -> None:
    journeys, problems = understood(spec)
    assert told(in_order(problems)) == lines
    assert journeys == ()
