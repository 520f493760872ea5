"""AlertPolicy, AlertCondition and AlertNotificationTarget: what becomes of them, and what is told."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from controlplane.model.alerting import STANDARD_ALERTING, AlertMethod, AlertText, Tier, Urgency
from controlplane.model.slo import Absent
from slo.openslo.alert_conditions import PAGE_WORDS, TICKET_WORDS, urgency_of
from slo.resolve import Resolved
from tests.conftest import ROOT
from tests.slo.reading import an_slo_file, resolved, told

HOUR = timedelta(hours=1)


def condition(name: str = "fast", *, severity: str = "page", more: str = "op: gt, threshold: 14.4") -> str:
    return f"""\
apiVersion: openslo/v1
kind: AlertCondition
metadata: {{name: {name}}}
spec:
  severity: {severity}
  condition: {{kind: burnrate, lookbackWindow: 1h, alertAfter: 5m, {more}}}
"""


def target(name: str = "on-call", way: str = "pagerduty") -> str:
    return (
        f"apiVersion: openslo/v1\nkind: AlertNotificationTarget\nmetadata: {{name: {name}}}\nspec: {{target: {way}}}\n"
    )


def policy(
    name: str = "urgent",
    *,
    flags: str = "alertWhenBreaching: true",
    conditions: str = "[{conditionRef: fast}]",
    targets: str = "[{targetRef: on-call}]",
) -> str:
    return f"""\
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {{name: {name}}}
spec:
  {flags}
  conditions: {conditions}
  notificationTargets: {targets}
"""


def read(slo_policies: str, *documents: str, window: str = "{duration: 30d, isRolling: true}") -> Resolved:
    """One SLO with these policies as a.yaml, and the documents in b.yaml."""
    slo = an_slo_file(more=f"  alertPolicies: {slo_policies}", window=window)
    return resolved(slo, "---\n".join(documents) or "{}" * 0)


def test_without_a_policy_the_standard_alerts_apply() -> None:
    (slo,) = resolved(an_slo_file(more="  alertPolicies: []")).slos
    assert slo.alerting == STANDARD_ALERTING


@pytest.mark.parametrize("reference", ["{alertPolicyRef: urgent}", "urgent"])
def test_a_policy_by_reference_is_one_burn_rate_tier(reference: str) -> None:
    found = read(f"[{reference}]", policy(), condition(), target())
    assert not told(found)
    (slo,) = found.slos
    assert slo.alerting.method is AlertMethod.BURN_RATE
    assert slo.alerting.tiers == (
        Tier(Urgency.PAGE, Decimal("0.02"), HOUR, HOUR, (HOUR,), Decimal("14.4"), timedelta(minutes=5)),
    )
    assert slo.alerting.page == AlertText(
        labels=(("notify", "on-call"),), annotations=(("notification_targets", "on-call (pagerduty)"),)
    )
    assert slo.alerting.ticket == AlertText()
    assert slo.alerting.absence == slo.alerting.page
    assert slo.policy.absent is Absent.TICKET


INLINE = """
    - kind: AlertPolicy
      metadata: {name: slow}
      spec:
        alertWhenBreaching: true
        alertWhenNoData: true
        conditions:
          - kind: AlertCondition
            metadata: {name: creeping}
            spec:
              severity: Warning
              condition: {op: gte, threshold: 1, lookbackWindow: 3d}
        notificationTargets:
          - kind: AlertNotificationTarget
            metadata: {name: team-chat}
            spec: {target: slack}
          - targetRef: on-call
"""


def test_all_of_it_may_be_written_inline() -> None:
    found = read(INLINE, target())
    assert not told(found)
    (slo,) = found.slos
    (tier,) = slo.alerting.tiers
    assert (tier.urgency, tier.long, tier.burn_rate, tier.hold) == (
        Urgency.TICKET,
        timedelta(days=3),
        Decimal(1),
        timedelta(0),
    )
    assert slo.alerting.ticket.labels == (("notify", "team-chat,on-call"),)
    assert slo.alerting.ticket.annotations == (("notification_targets", "team-chat (slack), on-call (pagerduty)"),)
    assert slo.policy.absent is Absent.TICKET


def test_several_policies_are_several_tiers_the_fastest_first() -> None:
    slow = policy("calm", conditions="[{conditionRef: slow}]")
    slow_condition = condition("slow", severity="ticket", more="op: gt, threshold: 1").replace("1h", "6h")
    found = read("[calm, urgent]", policy(), slow, condition(), slow_condition, target())
    assert not told(found)
    assert [(tier.urgency, tier.long) for tier in found.slos[0].alerting.tiers] == [
        (Urgency.PAGE, HOUR),
        (Urgency.TICKET, 6 * HOUR),
    ]


@pytest.mark.parametrize(
    ("flags", "absent", "tiers"),
    [
        ("alertWhenBreaching: true", Absent.TICKET, 1),
        ("alertWhenNoData: true", Absent.PAGE, 0),
        ("alertWhenBreaching: true\n  alertWhenNoData: true", Absent.PAGE, 1),
        ("alertWhenBreaching: true\n  alertWhenNoData: false", Absent.IGNORE, 1),
    ],
)
def test_missing_data_is_told_as_the_policy_says(flags: str, absent: Absent, tiers: int) -> None:
    found = read("[urgent]", policy(flags=flags), condition(), target())
    (slo,) = found.slos
    assert (slo.policy.absent, len(slo.alerting.tiers)) == (absent, tiers)


@pytest.mark.parametrize(("words", "urgency"), [(PAGE_WORDS, Urgency.PAGE), (TICKET_WORDS, Urgency.TICKET)])
def test_words_for_severities_are_known_however_they_are_written(words: tuple[str, ...], urgency: Urgency) -> None:
    for word in words:
        for written in (word, word.upper(), word.replace("sev", "SEV-")):
            assert urgency_of(written) is urgency


def test_the_reference_lists_these_words() -> None:
    text = (ROOT / "docs/reference/openslo.md").read_text()
    rows = [line for line in text.splitlines() if line.endswith(("| a page |", "| a ticket |"))]
    for row, words in zip(rows, (PAGE_WORDS, TICKET_WORDS), strict=True):
        shown = re.sub(r"`(sev|p)2` … `(?:sev|p)5`", r"`\g<1>2` `\g<1>3` `\g<1>4` `\g<1>5`", row)
        assert set(re.findall(r"`([a-z0-9]+)`", shown)) == set(words)


def test_only_tiers_that_are_wanted_are_said_not_to_fit_into_the_window() -> None:
    found = read("[urgent]", policy(), condition(), target(), window="{duration: 2d, isRolling: true}")
    assert not told(found)


def test_a_severity_of_the_users_own_is_kept_and_told() -> None:
    found = read("[urgent]", policy(), condition(severity="tier-one"), target())
    assert told(found) == [
        "b.yaml:13:13: warning: spec.severity: `tier-one` is no severity that we know: a ticket, with this word as its"
        " severity (one of page, critical, high, urgent, emergency, sev0, sev1, p0, p1 pages)"
    ]
    (slo,) = found.slos
    assert slo.alerting.ticket.severity == "tier-one"


@pytest.mark.parametrize(
    ("policies", "documents", "problem"),
    [
        (
            "[urgnt]",
            [policy(), condition(), target()],
            "a.yaml:11:19: error: spec.alertPolicies[0].alertPolicyRef:"
            " no AlertPolicy is named `urgnt`, did you mean `urgent`?",
        ),
        (
            "[urgent]",
            [policy(conditions="[{conditionRef: fats}]"), condition(), target()],
            "b.yaml:6:31: error: spec.conditions[0].conditionRef:"
            " no AlertCondition is named `fats`, did you mean `fast`?",
        ),
        (
            "[urgent]",
            [policy(), condition()],
            "b.yaml:7:37: error: spec.notificationTargets[0].targetRef: no AlertNotificationTarget is named `on-call`"
            " (add a document of kind AlertNotificationTarget with this name to the workspace)",
        ),
        (
            "[{alertPolicyRef: urgent, kind: AlertPolicy}]",
            [policy(), condition(), target()],
            "spec.alertPolicies[0].alertPolicyRef: alertPolicyRef and an object are both given (remove one of them)",
        ),
        ("[{}]", [], "spec.alertPolicies[0]: nothing is given (write alertPolicyRef: with a name, or spec:)"),
        ("[{kind: AlertPolicy}]", [], "spec.alertPolicies[0].spec: required, but missing"),
        (
            "[urgent]",
            [policy(), condition(more="op: gt, threshold: 0"), target()],
            "b.yaml:14:86: error: spec.condition.threshold: a burn rate is above 0, such as 14.4; here is 0",
        ),
        (
            "[urgent]",
            [policy(), condition().replace("1h", "1441m"), target()],
            "spec.condition.lookbackWindow: a window of a day or more must be a multiple of 5 minutes",
        ),
        (
            "[urgent]",
            [policy(), condition().replace("1h", "1M"), target()],
            "spec.condition.lookbackWindow: months differ in length: write days, such as 30d",
        ),
        (
            "[urgent]",
            [policy(), condition().replace("5m", "five"), target()],
            "spec.condition.alertAfter: `five` is not a duration: a whole number and m, h, d or w, as in 5m, 1h or 3d",
        ),
        (
            "[urgent]",
            [policy(), condition().replace("1h", "60d"), target()],
            "a.yaml:11:19: error: spec.alertPolicies[0]: looks back 60d, the time window of this SLO is 30d"
            " (choose a shorter lookbackWindow)",
        ),
        (
            "[urgent, other]",
            [
                policy(),
                policy("other", conditions="[{conditionRef: mine}]"),
                condition(severity="ticket"),
                condition("mine", severity="mine"),
                target(),
            ],
            "spec.alertPolicies: these policies have the severities `ticket` and `mine`, but a ticket has one"
            " (give them the same)",
        ),
    ],
)
def test_what_cannot_be_done_is_an_error_at_its_place(policies: str, documents: list[str], problem: str) -> None:
    found = read(policies, *documents)
    assert not found.slos
    errors = [line for line in told(found) if "warning" not in line]
    assert len(errors) == 1, told(found)
    assert problem in errors[0]


@pytest.mark.parametrize(
    ("documents", "warning"),
    [
        (
            [policy(), condition(more="op: lte, threshold: 2"), target()],
            "spec.condition.op: read as gte: the alert fires when the budget burns that fast",
        ),
        (
            [policy(flags="alertWhenBreaching: true\n  alertWhenResolved: true"), condition(), target()],
            "spec.alertWhenResolved: Alertmanager decides this for each receiver"
            " (set send_resolved: true in its configuration)",
        ),
        (
            [policy(flags="description: says nothing"), condition(), target()],
            "spec.alertWhenBreaching: this policy would never alert; alertWhenBreaching: true is assumed",
        ),
    ],
)
def test_what_is_read_otherwise_than_written_is_a_warning(documents: list[str], warning: str) -> None:
    found = read("[urgent]", *documents)
    assert len(found.slos) == 1
    assert len(found.slos[0].alerting.tiers) == 1
    assert len(found.problems) == 1, told(found)
    assert f": warning: {warning}" in told(found)[0]


def test_targets_of_several_policies_are_told_of_the_one_alert() -> None:
    other = policy("other", targets="[{targetRef: chat}]", conditions="[{conditionRef: slower}]")
    slower = condition("slower").replace("1h", "6h")
    found = read("[urgent, other]", policy(), other, condition(), slower, target(), target("chat", "slack"))
    assert told(found) == [
        "a.yaml:11:3: warning: spec.alertPolicies: a page of this SLO is one alert: the targets of all these policies"
        " are told"
    ]
    assert found.slos[0].alerting.page.labels == (("notify", "on-call,chat"),)


def test_a_policy_that_nobody_uses_is_checked_but_stops_nothing() -> None:
    found = resolved(
        an_slo_file(), policy(conditions="[{conditionRef: fastt}]") + "---\n" + condition() + "---\n" + target()
    )
    assert len(found.slos) == 1
    assert told(found) == [
        "b.yaml:6:31: warning: spec.conditions[0].conditionRef:"
        " no AlertCondition is named `fastt`, did you mean `fast`?"
    ]


def test_only_the_tiers_that_were_chosen_are_said_to_be_out_of_reach() -> None:
    documents = (policy(), condition(more="op: gt, threshold: 20"), target())
    slo = an_slo_file(more="  alertPolicies: [urgent]", objectives="[{target: 0.9}]")
    (line,) = told(resolved(slo, "---\n".join(documents)))
    assert "these alerts can never fire: page at 20×" in line
