"""What is logged of a turn of the daemon."""

import logging
from datetime import UTC, datetime
from typing import cast

import pytest

from controlplane.problems import Problem, Severity
from flyball.applying import ToldApplying
from flyball.telemetry import own_metrics
from slo.daemon import ApplyOutcome, ApplyState, SLODaemon

NOW = datetime(2026, 11, 30, tzinfo=UTC)


class _Daemon:
    def __init__(self, outcome: ApplyOutcome) -> None:
        self._outcome = outcome

    def run_once(self, now: datetime) -> ApplyOutcome:
        return self._outcome


def test_a_rejection_is_logged_with_its_first_error_not_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    warning = Problem("a.yaml", 1, 1, "spec.scope", "counts the same spend", Severity.WARNING)
    error = Problem("b.yaml", 4, 2, "spec", "the bracket is never closed")
    outcome = ApplyOutcome(ApplyState.REJECTED, problems=(warning, error))
    caplog.set_level(logging.WARNING)
    ToldApplying(cast("SLODaemon", _Daemon(outcome)), own_metrics()).run(NOW)
    (record,) = caplog.records
    told = vars(record)
    assert told["first"] == "b.yaml:4:2: spec: the bracket is never closed"
    assert told["problems"] == 1
