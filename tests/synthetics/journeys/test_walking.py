"""API journeys against a small platform."""

import asyncio
import random
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from controlplane.model.check import CheckResult, CheckSample, Outcome
from synthetics.journeys.adapters.http import HTTPSessions
from synthetics.journeys.environment import Environment
from synthetics.journeys.ports import BrowserTask, OnStep, Report, StepEvent, no_progress
from synthetics.journeys.running import Runner, check_of
from tests.synthetics.journeys.pages import PASSWORD, SESSION, USER, Platform, serving
from tests.synthetics.journeys.reading import a_journey

NOW = datetime(2026, 11, 30, 19, 21, 7, tzinfo=UTC)
_HEAD = """\
interval: 1m
timeout: 20s
variables: {user: ada, api: "URL/api"}
secrets: [{name: password, env: SHOP_PASSWORD}]
steps:
"""
_SIGN_IN = """\
  - name: sign in
    http: {url: "${api}/sign-in", json: {user: "${user}", password: "${secret:password}"}}
    save: [{name: token, jsonPath: $.token}]
"""
_QUERY = """\
  - name: query
    http:
      url: ${api}/graphql
      headers: {Authorization: "Bearer ${token}"}
      json: {query: "{ entities }", number: 7, at: "${now}", who: "${unique}"}
    expect:
      - jsonPath: {path: $.data.asked.number, equals: 7}
      - jsonPath: {path: $.data.asked.at, equals: "2026-11-30T19:21:07Z"}
    save: [{name: id, jsonPath: "$.data.entities[0].id"}]
"""


@pytest.fixture
def platform() -> Iterator[Platform]:
    with serving() as found:
        yield found


async def no_browser(task: BrowserTask, on_step: OnStep = no_progress) -> Report:
    raise AssertionError("nobody asked for a browser")


def walked(
    spec: str,
    platform: Platform,
    *,
    variables: Mapping[str, str] | None = None,
    pins: Mapping[str, str] | None = None,
    sessions: HTTPSessions | None = None,
    on_step: OnStep = no_progress,
) -> CheckResult:
    journey = a_journey(spec.replace("URL", platform.url))
    known = {"SHOP_PASSWORD": PASSWORD} if variables is None else variables
    random_bytes = random.Random(3).randbytes
    runner = Runner(
        Path(), sessions or HTTPSessions(), no_browser, Environment(known), random_bytes, "eu", pins or {}
    )  # fmt: skip
    return asyncio.run(runner.run(journey, NOW, on_step))[0]


def test_a_flow_carries_values_from_step_to_step_in_one_trace(platform: Platform) -> None:
    events: list[StepEvent] = []
    result = walked(_HEAD + _SIGN_IN + _QUERY, platform, on_step=events.append)
    assert (result.outcome, result.reason, result.detail) == (Outcome.OK, "", "")
    assert [timing.name for timing in result.timings] == ["sign in", "query"]
    assert result.samples[0] == CheckSample("journey_success", 1.0)
    assert [dict(sample.labels) for sample in result.samples[2:]] == [{"step": "sign in"}, {"step": "query"}]
    assert [(event.name, event.seconds is None) for event in events] == [
        ("sign in", True), ("sign in", False), ("query", True), ("query", False),
    ]  # fmt: skip
    parents = [headers["traceparent"].split("-") for _, headers in platform.requests]
    assert {parent[1] for parent in parents} == {result.trace_id}
    assert len({parent[2] for parent in parents}) == 2


def test_a_failed_step_ends_the_run_and_says_what_was_seen(platform: Platform) -> None:
    spec = _HEAD + _SIGN_IN + _QUERY.replace("equals: 7", "equals: 8") + _SIGN_IN.replace("sign in", "again")
    result = walked(spec.replace("name: token", "name: other", 1).replace("${token}", "${other}"), platform)
    assert (result.outcome, result.reason) == (Outcome.FAILED, "json")
    assert result.detail == "step `query`: $.data.asked.number is 8: it is not so, 7"
    assert [timing.name for timing in result.timings] == ["sign in", "query"]
    assert result.samples[0] == CheckSample("journey_success", 0.0)


def test_what_always_runs_cleans_up_after_a_failure_if_there_is_something(platform: Platform) -> None:
    spec = f"""{_HEAD}{_SIGN_IN}
  - name: fails
    http: {{url: "${{api}}/nothing"}}
  - name: sign out
    always: true
    http: {{method: DELETE, url: "${{api}}/sessions/${{token}}"}}
    expect: [{{status: 404}}]
"""
    result = walked(spec, platform)
    assert (result.reason, [timing.name for timing in result.timings]) == ("status", ["sign in", "fails", "sign out"])
    assert platform.requests[-1][0] == f"DELETE /api/sessions/{SESSION}"
    wrong = walked(spec, platform, variables={"SHOP_PASSWORD": "wrong password"})
    assert [timing.name for timing in wrong.timings] == ["sign in"]
    assert "wrong password" not in repr(wrong)


def test_cookies_and_redirects_work_as_in_a_browser(platform: Platform) -> None:
    spec = """
interval: 1m
secrets: [{name: password, env: SHOP_PASSWORD}]
steps:
  - name: sign in
    http: {url: URL/sign-in, form: {user: ada, password: "${secret:password}"}}
    expect: [{body: {matches: 'data-testid="results"'}}]
    save: [{name: session, cookie: session}, {name: type, header: Content-Type}, {name: ul, regex: '<(ul) '}]
  - name: query
    http: {url: "URL/graph", query: {query: "a&b ${ul} ${session}"}}
    expect: [{body: {matches: "a&amp;b ul session-.* one"}}]
  - name: not followed
    http: {url: URL/sign-in, form: {user: ada, password: "${secret:password}"}, followRedirects: false}
    expect: [{status: 303}, {header: {name: location, equals: /graph}}]
"""
    result = walked(spec, platform)
    assert (result.detail, len(result.timings)) == ("", 3)


_WATCH = """
interval: 1m
timeout: 5s
workflow:
  start:
    http: {method: POST, url: URL/api/workflows/hello-world}
    expect: [{status: 202}]
    save: [{name: run, jsonPath: $.id}]
  done:
    http: {url: "URL/api/workflows/runs/${run}"}
    expect: [{jsonPath: {path: $.state, notMatches: failed}}]
    until: [{jsonPath: {path: $.state, equals: done}}]
    every: 100ms
  within: 300ms
"""


def test_a_workflow_is_watched_until_it_is_done(platform: Platform) -> None:
    result = walked(_WATCH.replace("within: 300ms", "within: 4s"), platform)  # a busy machine may take its time
    assert (result.outcome, [timing.name for timing in result.timings]) == (Outcome.OK, ["start", "done"])
    assert [line for line, _ in platform.requests].count("GET /api/workflows/runs/run-1") == 3


def test_a_workflow_that_fails_or_takes_too_long_is_told_as_such(platform: Platform) -> None:
    platform.state, platform.looks = "failed", 0
    result = walked(_WATCH, platform)
    assert (result.reason, result.detail) == (
        "json", "step `done`: $.state does not match failed: it is not so, failed",
    )  # fmt: skip
    platform.looks = 1000
    result = walked(_WATCH, platform)
    assert result.reason == "poll"
    assert result.detail == 'step `done`: still not so after 0.3 s: $.state is "done": it is not so, running'


def _only(path: str, timeout: str = "500ms") -> str:
    return f"interval: 1m\ntimeout: 1s\nsteps: [{{name: one, http: {{url: 'URL{path}', timeout: {timeout}}}}}]\n"


@pytest.mark.parametrize(
    ("path", "timeout", "reason", "detail"),
    [
        ("/redirects", "1s", "redirects", "URL/redirects redirects more than 10 times"),
        ("/endless", "1s", "size", "the body of URL/endless is larger than 100,000 bytes"),
        ("/hang", "200ms", "timeout", "URL/hang gave no full answer within 0.2 s"),
        ("/hang", "1s", "timeout", "the journey was not done within 1 s"),
        ("/nothing", "1s", "status", "status is 2xx: it is not so, 404"),
    ],
)
def test_bad_targets_are_bounded_failures(
    path: str, timeout: str, reason: str, detail: str, platform: Platform
) -> None:
    result = walked(_only(path, timeout), platform, sessions=HTTPSessions(max_body_bytes=100_000))
    assert (result.outcome, result.reason) == (Outcome.FAILED, reason)
    assert result.detail == f"step `one`: {detail.replace('URL', platform.url)}"


def test_who_refuses_connections_and_names_that_nobody_knows_are_told_apart() -> None:
    nobody = Platform("http://127.0.0.1:1", 1)
    refused = walked(_only("/"), nobody)
    assert (refused.reason, refused.detail) == (
        "connect", "step `one`: http://127.0.0.1:1/ refuses connections",
    )  # fmt: skip
    unknown = walked(_only("/"), Platform("http://shop.invalid", 80))
    assert unknown.reason == "dns"


def test_names_are_pinned_to_addresses(platform: Platform) -> None:
    pins = {"shop.example:80": f"127.0.0.1:{platform.port}"}
    result = walked(_only("/sign-in"), Platform("http://shop.example", 80), pins=pins)
    assert result.outcome is Outcome.OK
    assert platform.requests[0][1]["host"] == "shop.example"


def test_a_pinned_name_is_the_one_that_its_certificate_must_have() -> None:
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("shop.example").configure_cert(server)
    authority.configure_trust(client)
    with serving(server) as platform:
        pins = {f"{name}.example:443": f"127.0.0.1:{platform.port}" for name in ("shop", "other")}
        good = Platform("https://shop.example", 443)
        result = walked(_only("/sign-in"), good, pins=pins, sessions=HTTPSessions(client))
        assert (result.outcome, result.detail) == (Outcome.OK, "")
        untrusted = walked(_only("/sign-in"), good, pins=pins)
        assert untrusted.reason == "certificate"
        wrong = walked(_only("/"), Platform("https://other.example", 443), pins=pins, sessions=HTTPSessions(client))
        assert wrong.detail.startswith(
            "step `one`: https://other.example/: the certificate is refused: Hostname mismatch"
        )


def test_secrets_are_masked_wherever_they_come_back(platform: Platform) -> None:
    spec = """
interval: 1m
secrets: [{name: key, env: SHOP_KEY}]
steps:
  - name: one
    http: {url: "URL/api/${secret:key}/${env:SHOP_TENANT}", query: {q: "${secret:key}"}}
    expect: [{status: 404}, {body: {equals: "${secret:key}"}}]
"""
    known = {"SHOP_KEY": "k/e y!", "SHOP_TENANT": "tenant-42"}
    result = walked(spec, platform, variables=known)
    assert result.reason == "body"
    assert not any(form in repr(result) for form in ("k/e y!", "k%2Fe%20y%21", "k%2Fe+y%21", "tenant-42"))


def test_a_missing_secret_or_variable_is_a_fault_of_this_side(platform: Platform) -> None:
    missing = walked(_HEAD + _SIGN_IN, platform, variables={})
    assert (missing.outcome, missing.reason, missing.samples) == (Outcome.FAULT, "secret", ())
    assert missing.detail == (
        "secret `password`: set SHOP_PASSWORD, or SHOP_PASSWORD_FILE to the path of a file that holds it"
    )
    unset = walked(_only("/${env:NOWHERE}"), platform)
    assert (unset.outcome, unset.reason) == (Outcome.FAULT, "variable")
    assert platform.requests == []


def test_a_journey_is_a_check_that_a_prober_runs(platform: Platform) -> None:
    journey = a_journey(_only("/sign-in").replace("URL", platform.url) + "regions: [eu]\n")
    runner = Runner(Path(), HTTPSessions(), no_browser, Environment({}), random.Random(1).randbytes, "eu")
    check = check_of(journey, runner)
    assert (check.name, check.is_heavy, check.regions) == ("shop", False, frozenset({"eu"}))
    result = asyncio.run(check.run(NOW))
    assert (result.outcome, result.started_at, result.region) == (Outcome.OK, NOW, "eu")
    assert USER not in result.trace_id


def test_whoever_watches_sees_no_secret_in_the_name_of_a_step(platform: Platform) -> None:
    events: list[StepEvent] = []
    takes_it = "timeout: 500ms, headers: {x-a: '${secret:password}'}"
    spec = _only("/sign-in").replace("timeout: 500ms", takes_it)
    spec = spec.replace("name: one", f'name: "as {PASSWORD} \\e[2J"')
    spec += "secrets: [{name: password, env: SHOP_PASSWORD}]\n"
    result = walked(spec, platform, on_step=events.append)
    assert [timing.name for timing in result.timings] == ["as *** ·[2J"] == [events[1].name]


def test_what_a_target_sends_is_no_command_for_a_terminal(platform: Platform) -> None:
    spec = (
        "interval: 1m\nsteps:\n  - name: one\n    http: {url: URL/api/sign-in, json: {user: 'x', password: ''}}\n"
        "    expect: [{status: 401}, {jsonPath: {path: '$.error', equals: \"\\e[2J\"}}]\n"
    )
    result = walked(spec, platform)
    assert result.reason == "json"
    assert result.detail.isprintable()


def test_tokens_that_a_step_saves_are_masked_as_secrets_are(platform: Platform) -> None:
    see = '  - name: see\n    http: {url: "${api}/sessions/${token}"}\n'
    result = walked(_HEAD + _SIGN_IN + see, platform)
    assert (result.reason, result.detail) == ("status", "step `see`: status is 2xx: it is not so, 404")
    looping = see.replace("${api}/sessions", "URL/redirects")
    endless = walked(_HEAD + _SIGN_IN + looping.replace("/${token}", "?t=${token}"), platform)
    assert endless.reason == "redirects"
    told = walked(_HEAD + _SIGN_IN + see + '    expect: [{body: {equals: "${token}"}}, {status: 404}]\n', platform)
    assert told.detail.startswith("step `see`: body is ***: it is not so")
    assert SESSION not in repr((result, endless, told))
