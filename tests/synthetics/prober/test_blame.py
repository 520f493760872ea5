"""Whose fault a failure is."""

from dataclasses import replace

import pytest

from controlplane.model.check import DETAIL_LENGTH, CheckKind, CheckResult, Outcome
from synthetics.prober.blame import judged
from tests.synthetics.prober.simulated import START

FAILED = CheckResult("shop", CheckKind.PROBE, "eu", START, 10.0, Outcome.FAILED, "timeout", "It said nothing.")
SELF = CheckResult("eu", CheckKind.SELF_CHECK, "eu", START, 2.0, Outcome.FAILED, "dns", "No answer.")


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.FAULT])
def test_a_failure_is_the_probers_fault_when_its_self_check_is_not_well_either(outcome: Outcome) -> None:
    result = judged(FAILED, replace(SELF, outcome=outcome))
    assert result == replace(
        FAILED,
        outcome=Outcome.FAULT,
        reason="prober",
        detail="The region does not reach its known-good target either (dns: No answer.), so the prober is at fault. "
        "The check itself said: timeout: It said nothing.",
    )


@pytest.mark.parametrize("self_check", [None, replace(SELF, outcome=Outcome.OK)])
def test_a_failure_stays_one_when_the_region_is_well_or_has_no_self_check(self_check: CheckResult | None) -> None:
    assert judged(FAILED, self_check) is FAILED


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.FAULT])
def test_what_is_no_failure_is_not_judged(outcome: Outcome) -> None:
    result = replace(FAILED, outcome=outcome)
    assert judged(result, SELF) is result


def test_the_sentence_is_bounded() -> None:
    assert len(judged(replace(FAILED, detail="x" * 500), replace(SELF, detail="y" * 500)).detail) == DETAIL_LENGTH
