"""What the tests of checks write into the store."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from controlplane.model.check import CheckKind, CheckResult, CheckSample, Outcome, ReportHead, Timing

NOON = datetime(2026, 11, 30, 12, 0, 0, 123456, tzinfo=UTC)


def result(after: float = 0, *, check: str = "gateway", region: str = "eu", **changes: object) -> CheckResult:
    """A run that started so many seconds after noon."""
    made = CheckResult(
        check=check,
        kind=CheckKind.PROBE,
        region=region,
        started_at=NOON + timedelta(seconds=after),
        duration_seconds=0.25,
        outcome=Outcome.OK,
        timings=(Timing("resolve", 0.001), Timing("connect", 0.1 + 0.2)),
        samples=(CheckSample("probe_http_status_code", 200.0), CheckSample("probe_x", 1.5, (("a", 'ü "b"'),))),
        trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def failed(after: float = 0, **changes: object) -> CheckResult:
    """One that failed."""
    changes = {"outcome": Outcome.FAILED, "reason": "status", "detail": "503 — it’s down", **changes}
    return result(after, **changes)  # type: ignore[arg-type]


def head(sequence: int = 1, *, region: str = "eu", prober: str = "p1", buffered: int = 0) -> ReportHead:
    """The head of a report."""
    return ReportHead(region, prober, sequence, NOON, buffered, "0.1.0")
