from datetime import timedelta

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from controlplane.model.rule import AlertingRule, RecordingRule, Rule, RuleFile, RuleGroup
from controlplane.rulefile import to_yaml

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
awkward = st.sampled_from(
    ["", " ", "a: b", "- a", "'", '"', "on", "No", "null", "~", "1", "1.0", "0x1", "{{ $x }}", "a:", "!x", "&x", "*x"]
) | st.sampled_from(
    ["#", "x # y", "%", "@a", "`q`", "|", ">", "é", "\U0001f600", "2026-01-01", "=", "<<", "---", "...", "a\tb", "\x00"]
)
lines = st.sampled_from(
    [
        "a\n  b\n",
        "\n",
        "a\n\nb",
        " lead\nb",
        "tail \nb",
        "a \n b",
        "\r\n",
        "a\n\tb",
        "\u2028",
        "\x85",
        "\ufeff",
        "a\n#b",
    ]
)
texts = words | awkward | lines
labels = st.dictionaries(texts, texts, max_size=3).map(lambda each: tuple(each.items()))
lengths = st.integers(1, 10**6).map(lambda seconds: timedelta(seconds=seconds))
rules = st.builds(RecordingRule, texts, texts, labels) | st.builds(
    AlertingRule, texts, texts, labels, labels, lengths | st.just(timedelta(0)), lengths | st.just(timedelta(0))
)
groups = st.builds(RuleGroup, texts, lengths, st.lists(rules, max_size=3).map(tuple))
files = st.builds(RuleFile, st.just("a.yaml"), st.lists(groups, max_size=3).map(tuple))

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def _seconds(text: str) -> float:
    return int(text[:-1]) * _UNITS[text[-1]]


def _as_prometheus_reads(rule: Rule) -> dict[str, object]:
    match rule:
        case RecordingRule():
            found: dict[str, object] = {"record": rule.record, "expr": rule.expr}
        case AlertingRule():
            found = {"alert": rule.alert, "expr": rule.expr}
            if rule.hold:
                found["for"] = rule.hold.total_seconds()
            if rule.keep_firing:
                found["keep_firing_for"] = rule.keep_firing.total_seconds()
            if rule.annotations:
                found["annotations"] = dict(rule.annotations)
    if rule.labels:
        found["labels"] = dict(rule.labels)
    return found


@given(files)
@example(RuleFile("a.yaml", ()))
def test_what_is_written_reads_back(file: RuleFile) -> None:
    read = yaml.safe_load(to_yaml(file))
    expected = [
        {
            "name": group.name,
            "interval": group.interval.total_seconds(),
            "rules": [_as_prometheus_reads(rule) for rule in group.rules],
        }
        for group in file.groups
    ]
    for group in read["groups"]:
        group["interval"] = _seconds(group["interval"])
        for rule in group["rules"]:
            for key in ("for", "keep_firing_for"):
                if key in rule:
                    rule[key] = _seconds(rule[key])
    assert read == {"groups": expected}


def test_it_is_readable() -> None:
    rules = (
        RecordingRule("slo:a:b", "sum (x)\nor\n0 * y", (("slo", "checkout"), ("size", "1"))),
        AlertingRule("A", "x > 1", (("severity", "page"),), (("summary", "it's gone"),), hold=timedelta(minutes=15)),
    )
    text = to_yaml(RuleFile("a.yaml", (RuleGroup("g", timedelta(minutes=1), rules),)))
    assert (
        text
        == """\
groups:
- name: g
  interval: 1m
  rules:
  - record: slo:a:b
    expr: |-
      sum (x)
      or
      0 * y
    labels:
      slo: checkout
      size: '1'
  - alert: A
    expr: 'x > 1'
    for: 15m
    labels:
      severity: page
    annotations:
      summary: 'it''s gone'
"""
    )
