"""EscalationPolicy documents as users write them."""

from datetime import timedelta

import pytest

from alerts.escalation.declared import declared, target_problems
from alerts.escalation.kinds import KINDS
from alerts.escalation.model import EscalationPolicy, PolicyStep
from controlplane.specfile import Declared, SourceFile, read
from tests.alerts.documents import shown

GOOD = """\
apiVersion: flyball.dev/v1
kind: EscalationPolicy
metadata: {name: p0}
spec:
  steps:
    - {after: 0m, notify: [{schedule: sre}]}
    - {after: 5m, notify: [{receiver: release-lead}, {schedule: second}]}
    - {after: 15m, notify: [{receiver: exec}]}
  repeat: {times: 2}
  acknowledgedFor: 30m
"""
MINUTE = timedelta(minutes=1)


def policies(text: str) -> Declared[EscalationPolicy]:
    result = read([SourceFile("alerts.yaml", text.encode())], KINDS)
    made = declared(result.documents)
    return Declared(made.values, (*result.problems, *made.problems))


def problems(old: str, new: str) -> list[str]:
    assert old in GOOD, old
    return shown(policies(GOOD.replace(old, new, 1)).problems, hints=False)


def test_a_policy_is_read_as_it_is_written() -> None:
    made = policies(GOOD)
    assert made.problems == ()
    (policy,) = made.values
    assert policy == EscalationPolicy(
        "p0",
        (
            PolicyStep(0 * MINUTE, ("schedule:sre",)),
            PolicyStep(5 * MINUTE, ("receiver:release-lead", "schedule:second")),
            PolicyStep(15 * MINUTE, ("receiver:exec",)),
        ),
        rounds=3,
        round_length=25 * MINUTE,  # after the last step, as long as it waited itself
        acknowledged_for=30 * MINUTE,
        source=policy.source,
    )


def test_rounds_are_as_long_as_is_said() -> None:
    (policy,) = policies(GOOD.replace("times: 2", "every: 1h")).values
    assert (policy.rounds, policy.round_length) == (2, 60 * MINUTE)
    (policy,) = policies(GOOD.replace("  repeat: {times: 2}\n", "")).values
    assert (policy.rounds, policy.round_length) == (1, 0 * MINUTE)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("after: 5m", "after: 15m", "8:15 spec.steps[2].after: not later than the step before"),
        ("after: 5m", "after: five", "7:15 spec.steps[1].after: `five` is not a length"),
        ("after: 15m", "after: 8d", "8:15 spec.steps[2].after: must be between 0m and 7d"),
        ("{receiver: exec}", "{}", "8:29 spec.steps[2].notify[0]: say one of receiver and schedule"),
        (
            "{receiver: exec}",
            "{receiver: exec, schedule: sre}",
            "8:29 spec.steps[2].notify[0]: say one of receiver and schedule",
        ),
        (
            "{schedule: second}",
            "{receiver: release-lead}",
            "7:54 spec.steps[1].notify[1]: `release-lead` is there twice",
        ),
        ("times: 2", "every: 15m", "9:19 spec.repeat.every: a round is over before its last step"),
        ("times: 2", "every: 0m", "9:19 spec.repeat.every: must be between 1m and 7d"),
        ("acknowledgedFor: 30m", "acknowledgedFor: 1m", "10:20 spec.acknowledgedFor: must be between 5m and 7d"),
    ],
)
def test_a_mistake_is_told_where_it_stands(old: str, new: str, expected: str) -> None:
    assert problems(old, new) == [expected]


def test_a_round_of_one_step_needs_its_length() -> None:
    head, tail = GOOD.split("    - {after: 5m")[0], GOOD[GOOD.index("  repeat") :]
    assert shown(policies(head + tail).problems) == [
        "7:11 spec.repeat: it is not clear how long a round of one step is (such as `every: 10m`)"
    ]


def test_targets_that_are_not_there_are_told() -> None:
    documents = read([SourceFile("alerts.yaml", GOOD.encode())], KINDS).documents
    found = target_problems(documents, {"release-leads", "exec"}, {"sre"})
    assert shown(found) == [
        "7:39 spec.steps[1].notify[0].receiver: there is no Receiver `release-lead`, did you mean `release-leads`?",
        "7:65 spec.steps[1].notify[1].schedule: there is no Schedule `second` (declared: sre)",
    ]
    assert target_problems(documents, {"release-lead", "exec"}, {"sre", "second"}) == []
