"""Runbook documents as users write them."""

from datetime import timedelta

from alerts.routing.model import Matcher, MatchOperator
from alerts.runbooks.declared import declared
from alerts.runbooks.model import Runbook, RunbookStep, StepKind
from controlplane.problems import SECRET
from tests.alerts.documents import shown
from tests.alerts.routing.reading import documents, of


def test_a_runbook_says_all_that_it_may_say() -> None:
    spec = """\
title: Gateway outage
file: runbooks/gateway-outage.md
url: https://runbooks.example.com/gateway
for: [['alertname="SLOErrorBudgetBurn"', service=~"gw|api"]]
startsByItself: true
approval: automatic
steps:
  - name: look
    http: {url: "https://gw.example.com/health", headersFrom: {Authorization: GW_TOKEN}}
    changes: false
  - name: restart
    http: {method: POST, url: "https://gw.example.com/restart", body: "{}", expect: "204"}
    approval: required
    timeout: 2m
    why: It hangs
  - {name: reduce, flag: {store: platform, flag: cache, value: true}}
  - {name: drain, command: {run: drain-pod, args: [gw-1, "--now"]}, changes: false}"""
    found = declared(documents(of("Runbook", "gateway-outage", spec)))
    assert found.problems == ()
    (made,) = found.values
    look = {
        "method": "GET",
        "url": "https://gw.example.com/health",
        "expect": "2xx",
        "headersFrom.Authorization": "GW_TOKEN",
    }
    restart = {"method": "POST", "url": "https://gw.example.com/restart", "expect": "204", "body": "{}"}
    flag = {"store": "platform", "flag": "cache", "value": "true"}
    drain = {"run": "drain-pod", "args.0": "gw-1", "args.1": "--now"}
    assert made == Runbook(
        name="gateway-outage",
        title="Gateway outage",
        url="https://runbooks.example.com/gateway",
        file="runbooks/gateway-outage.md",
        matchers=(
            (
                Matcher("alertname", MatchOperator.EQUAL, "SLOErrorBudgetBurn"),
                Matcher("service", MatchOperator.MATCHES, "gw|api"),
            ),
        ),
        steps=(
            RunbookStep("look", StepKind.HTTP, look, is_automatic=True, changes=False),
            RunbookStep("restart", StepKind.HTTP, restart, timedelta(minutes=2), is_automatic=False, why="It hangs"),
            RunbookStep("reduce", StepKind.FLAG, flag, is_automatic=True),
            RunbookStep("drain", StepKind.COMMAND, drain, is_automatic=True, changes=False),
        ),
        starts_by_itself=True,
        source=made.source,
    )


def test_steps_need_an_approval_and_requests_that_only_read_change_nothing_unless_said_otherwise() -> None:
    spec = "steps:\n  - {name: a, http: {url: 'http://a'}}\n  - {name: b, http: {method: DELETE, url: 'http://a'}}"
    (made,) = declared(documents(of("Runbook", "r", spec))).values
    assert [(step.is_automatic, step.changes) for step in made.steps] == [(False, False), (False, True)]
    assert made.title == "r"


def test_every_mistake_is_told_at_its_place_and_secrets_are_hidden() -> None:
    spec = """\
file: ../elsewhere.md
url: runbooks.example.com
startsByItself: true
for: [['severity!="page"']]
steps:
  - {name: a}
  - {name: b, http: {url: "https://me:secret@a"}, flag: {store: s, flag: f, value: x}}
  - name: c
    timeout: 1h
    http:
      url: https://a
      headers: {Authorization: Bearer abc}
      headersFrom: {"a b": X, X-Key: abc123}
  - {name: d, command: {run: /bin/sh}}
  - {name: d, command: {run: ls}}"""
    found = declared(documents(of("Runbook", "r", spec)))
    assert found.values == ()
    assert shown(found.problems, hints=False) == [
        "5:9 spec.file: not a path within the workspace",
        "6:8 spec.url: not a web address",
        "7:3 spec.startsByItself: nothing starts by itself: the first step needs an approval",
        "8:9 spec.for[0]: matches alerts that have none of these labels, so nearly all",
        "10:7 spec.steps[0]: it does nothing",
        "11:53 spec.steps[1].flag: http and flag exclude each other",
        "13:16 spec.steps[2].timeout: must be between 1s and 10m, is 1h",
        "16:9 spec.steps[2].http.headers: headers in plain text",
        '17:23 spec.steps[2].http.headersFrom["a b"]: `a b` is not the name of a header',
        "17:40 spec.steps[2].http.headersFrom.X-Key: not the name of an environment variable",
        "18:32 spec.steps[3].command.run: `/bin/sh` is not the name of an allowed command",
        "19:14 spec.steps[4].name: the step `d` is there twice",
    ]
    assert [problem.line for problem in found.problems if problem.rule == SECRET] == [16, 17]


def test_a_runbook_says_something_or_does_something() -> None:
    found = declared(documents(of("Runbook", "r", "title: Nothing")))
    assert shown(found.problems) == [
        "4:1 spec: it says nothing about what to do (give it a `url`, a `file` or `steps`)"
    ]
