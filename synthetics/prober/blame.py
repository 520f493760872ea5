"""Whose fault a failure is: the target's, or that of the prober itself."""

from dataclasses import replace
from typing import Final

from controlplane.model.check import DETAIL_LENGTH, CheckResult, Outcome

PROBER_REASON: Final = "prober"


def judged(result: CheckResult, self_check: CheckResult | None) -> CheckResult:
    """The result, as a fault of the prober when its self-check of the same moment was not well either.

    Only failures are judged. Without a self-check the target is to blame.
    """
    if result.outcome is not Outcome.FAILED or self_check is None or self_check.outcome is Outcome.OK:
        return result
    detail = (
        f"The region does not reach its known-good target either ({_said(self_check)}), so the prober is at fault. "
        f"The check itself said: {_said(result)}"
    )
    return replace(result, outcome=Outcome.FAULT, reason=PROBER_REASON, detail=detail[:DETAIL_LENGTH])


def _said(result: CheckResult) -> str:
    return ": ".join(part for part in (result.reason, result.detail) if part) or result.outcome.value
