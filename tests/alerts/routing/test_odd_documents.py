"""No document, however odd, gives a traceback; what is accepted makes a file that Alertmanager takes."""

import random
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from alerts.maintenance.active import active_spans, is_active
from alerts.maintenance.silencing import changes
from alerts.routing.alertmanager_yaml import alertmanager_yaml
from alerts.routing.lint import lint_problems
from alerts.routing.route_tests import test_problems as problems_of_tests
from alerts.routing.router import Router
from controlplane.problems import has_errors
from controlplane.specfile import SourceFile, read
from flyball.alerting.declared import KINDS, alerts_of
from tests.alerts.routing.reading import of
from tests.fuzz.mutating import mutated

NOW = datetime(2026, 12, 1, 3, tzinfo=UTC)
SEED = "---\n".join(
    (
        of("Receiver", "chat", 'channels:\n  - {slack: {channel: "#o"}, priorities: [P3]}\nfallback: [{console: {}}]'),
        of("Receiver", "ann", "channels:\n  - pagerduty: {routingKeyFrom: KEY}\n  - email: {to: [a@example.com]}"),
        of("Schedule", "sre", "timeZone: UTC\nrotations: [{name: w, participants: [ann], start: 2026-01-05T09:00}]"),
        of("EscalationPolicy", "p0", "steps:\n  - {after: 0m, notify: [{schedule: sre}]}"),
        of(
            "MaintenanceWindow",
            "nights",
            """\
timeZone: Europe/Berlin
weekly:
  - {days: [mon-fri], from: "22:00", to: "06:00"}
spans:
  - {from: 2026-12-24T09:00, until: 2026-12-27T09:00}
recurring:
  - {start: 2037-01-04T02:00, minutes: 60, rule: FREQ=MONTHLY;BYDAY=1SU}
match:
  - ['service="ingest"', 'team=~"a|b"']""",
        ),
        of(
            "Route",
            "default",
            """\
default: true
receivers: [chat]
groupBy: [service, slo]
repeatInterval: 4h
inhibit:
  - {source: ['alertname=A'], target: ['alertname=B'], equal: [service]}""",
        ),
        of(
            "Route",
            "pages",
            """\
order: 10
match: ['severity="page"']
receivers: [ann]
escalation: p0
priority: P1
continue: true
muteDuring: [nights]
routes:
  - name: database
    match: ['service!~"db.*"']
    groupBy: ["..."]
    resolveAfter: 5m
tests:
  - name: a test
    labels: {severity: page, service: db}
    at: 2026-12-01T03:00:00Z
    expect: {routes: [pages], receivers: [ann], escalation: p0, priority: P1, muted: true}""",
        ),
        of("Runbook", "outage", "url: https://example.com\nfor: [['alertname=A']]\nsteps:\n  - {name: a, http: {url: https://a}}"),
    )
).encode()  # fmt: skip


def accepted(content: bytes) -> str | None:
    """The alertmanager.yml that it makes, if it is right; everything else is walked through on the way."""
    result = read([SourceFile("a.yaml", content)], KINDS)
    found, problems = alerts_of(result.documents)
    for problem in (*result.problems, *problems):
        assert problem.line >= 1
        assert problem.message
    if found.root is None or has_errors((*result.problems, *problems)):
        return None
    lint_problems(found, NOW)
    problems_of_tests(found)
    changes(found.windows, [], NOW)
    Router(found.root, found.windows).routes_of({"severity": "page", "service": "db"}, NOW)
    for window in found.windows:
        active_spans(window, NOW, NOW.replace(day=3))
        is_active(window, NOW)
    return alertmanager_yaml(found.root, found.windows, [], external_url="http://a", credentials_file="token")


def test_what_odd_documents_are_made_from_is_right(tmp_path: Path) -> None:
    text = accepted(SEED)
    assert text is not None
    check(text, tmp_path)


@seed(20261201)
@settings(max_examples=120, suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, 2**32))
def test_odd_documents_are_told_or_make_a_file(number: int) -> None:
    look(number)


@pytest.mark.soak
@settings(max_examples=20_000, suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, 2**32))
def test_odd_documents_are_told_or_make_a_file_that_alertmanager_takes(number: int, tmp_path: Path) -> None:
    text = look(number)
    if text is not None and number % 5 == 0:
        check(text, tmp_path)


def look(number: int) -> str | None:
    choices = random.Random(number)
    text = accepted(mutated(SEED, choices.randrange, SEED))
    if text is not None:
        assert isinstance(yaml.safe_load(text), dict)
    return text


def check(text: str, folder: Path) -> None:
    file = folder / "alertmanager.yml"
    file.write_text(text)
    done = subprocess.run(["amtool", "check-config", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr + text
