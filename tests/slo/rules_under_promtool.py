"""Runs generated rules in `promtool test rules`: many SLOs at once, one run for a whole table of expectations."""

import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from controlplane import conventions as names
from controlplane.calendar.rules import CALENDAR_FILE
from controlplane.calendar.tables import calendar_name
from controlplane.model.rule import AlertingRule, RecordingRule, Rule, RuleFile
from controlplane.model.slo import SLO, CalendarWindow
from controlplane.rulefile import to_yaml
from slo.compiler import CompileOptions, compile_rules
from tests.slo.slos import an_slo, requests

PLAIN = CompileOptions(external_url="https://flyball.example")
SHARED = CompileOptions(external_url="https://flyball.example", shared_above=0)


@dataclass(frozen=True)
class Traffic:
    """Counters in promtool's notation, one value a minute: `0+600x60` grows by 600 a minute for an hour."""

    ok: str
    errors: str = ""


@dataclass(frozen=True)
class Check:
    """A PromQL expression and what it must give at a time: values by label set, as promtool writes both."""

    at: str
    expr: str
    samples: Mapping[str, float] = field(default_factory=dict)


def steady(requests_per_minute: float, error_share: float, minutes: int) -> Traffic:
    """Even traffic with an even share of errors."""
    errors = requests_per_minute * error_share
    return Traffic(f"0+{requests_per_minute - errors:f}x{minutes}", f"0+{errors:f}x{minutes}")


def pieces(*parts: tuple[float, int]) -> str:
    """A counter made of parts, each so much a minute for so many minutes."""
    value, texts = 0.0, []
    for per_minute, minutes in parts:
        texts.append(f"{value:f}+{per_minute:f}x{minutes - 1}")
        value += per_minute * minutes
    return " ".join(texts)


def firing(at: str, *alerts: tuple[str, str]) -> Check:
    """Exactly these (SLO, severity) fire for burning budgets."""
    expr = 'max by (slo, severity) (ALERTS{alertname="SLOErrorBudgetBurn",alertstate="firing"})'
    return Check(at, expr, {f'{{slo="{slo}", severity="{severity}"}}': 1 for slo, severity in alerts})


def pages(at: str, *slos: str) -> Check:
    """Exactly these SLOs page."""
    expr = 'max by (slo) (ALERTS{alertname="SLOErrorBudgetBurn",severity="page",alertstate="firing"})'
    return Check(at, expr, {f'{{slo="{slo}"}}': 1 for slo in slos})


def run(
    promtool: str,
    folder: Path,
    traffic: Mapping[str, Traffic],
    checks: Sequence[Check],
    *,
    interval: str,
    options: CompileOptions,
    slos: Iterable[SLO] | None = None,
    extra: Mapping[str, str] | None = None,
) -> None:
    """One promtool run; fails with promtool's words. Each traffic gets an SLO of its name, unless `slos` are given."""
    done = outcome(
        promtool, folder, traffic, {"promql_expr_test": [_expected(check) for check in checks]},
        interval=interval, options=options, slos=slos, extra=extra,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def outcome(
    promtool: str,
    folder: Path,
    traffic: Mapping[str, Traffic],
    expectations: Mapping[str, object],
    *,
    interval: str,
    options: CompileOptions,
    slos: Iterable[SLO] | None = None,
    extra: Mapping[str, str] | None = None,
) -> "subprocess.CompletedProcess[str]":
    """What promtool says of expectations in its own form."""
    if slos is None:
        slos = [an_slo(name, requests(name)) for name in traffic]
    slos = tuple(slos)
    compiled = [what_is_asked(file, expectations) for file in compile_rules(slos, options)]
    for file in _with_nominal_calendars(compiled, slos):
        (folder / file.name).write_text(to_yaml(file))
    test = {
        "rule_files": [file.name for file in compiled],
        "evaluation_interval": interval,
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    *(series for name, each in traffic.items() for series in _series(name, each)),
                    *({"series": name, "values": values} for name, values in (extra or {}).items()),
                ],
                **expectations,
            }
        ],
    }
    (folder / "test.yaml").write_text(yaml.safe_dump(test))
    return subprocess.run([promtool, "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True)


def what_is_asked(file: RuleFile, expectations: Mapping[str, object]) -> RuleFile:
    """The rules that expectations see, and those that these read: promtool takes long for each, at each evaluation.

    That all of them evaluate is shown by `test_rules_in_prometheus`.
    """
    if file.name == CALENDAR_FILE:
        return file
    text = _line(expectations)
    if "alert_rule_test" not in expectations:  # else words of alerts are expected, too
        file = replace(file, groups=tuple(replace(group, rules=_wordless(group.rules)) for group in file.groups))
    every = [rule for group in file.groups for rule in group.rules]
    asked: list[Rule] = []
    while more := [rule for rule in every if rule not in asked and _is_named(rule, text)]:
        asked += more
        text = _line(more)
    groups = (replace(group, rules=tuple(rule for rule in group.rules if rule in asked)) for group in file.groups)
    return replace(file, groups=tuple(group for group in groups if group.rules))


def _wordless(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    return tuple(replace(rule, annotations=()) if isinstance(rule, AlertingRule) else rule for rule in rules)


def _line(anything: object) -> str:
    return str(anything).replace("\\n", " ")


def _is_named(rule: Rule, text: str) -> bool:
    if isinstance(rule, RecordingRule):
        return re.search(rf"(?<![\w:]){re.escape(rule.record)}(?![\w:])", text) is not None
    severity = dict(rule.labels)["severity"]
    return (
        any(
            not each or (f'alertname="{rule.alert}"' in each and _may_be(severity, each))
            for each in re.findall(r"ALERTS\b(?:\{([^}]*)\})?", text)
        )
        or f"'alertname': '{rule.alert}'" in text
    )


def _may_be(severity: str, selector: str) -> bool:
    if 'severity="' in selector:
        return f'severity="{severity}"' in selector
    return f'severity!="{severity}"' not in selector


def _with_nominal_calendars(files: Iterable[RuleFile], slos: Iterable[SLO]) -> Iterator[RuleFile]:
    """Time begins in 1970, where periods have their nominal length: no need to look them up every minute."""
    for file in files:
        if file.name != CALENDAR_FILE:
            yield file
            continue
        rules = {rule for slo in slos if isinstance(slo.window, CalendarWindow) for rule in _nominal(slo.window)}
        yield RuleFile(file.name, (replace(file.groups[0], rules=tuple(rules)),))


def _nominal(window: CalendarWindow) -> Iterator[RecordingRule]:
    length = int(window.length.total_seconds())
    for ahead, name in enumerate((names.CALENDAR_START, names.CALENDAR_END, names.CALENDAR_NEXT_END)):
        expr = f"vector(time() - time() % {length} + {ahead * length})"
        yield RecordingRule(name, expr, ((names.CALENDAR, calendar_name(window)),))


def _series(job: str, traffic: Traffic) -> list[dict[str, str]]:
    counters = {"200": traffic.ok, "500": traffic.errors}
    return [
        {"series": f'http_requests_total{{job="{job}",code="{code}",route="/pay"}}', "values": values}
        for code, values in counters.items()
        if values
    ]


def _expected(check: Check) -> dict[str, object]:
    samples = [{"labels": labels, "value": value} for labels, value in check.samples.items()]
    return {"expr": check.expr, "eval_time": check.at, "exp_samples": samples}
