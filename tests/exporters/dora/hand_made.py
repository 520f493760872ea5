"""Metrics made by hand: a busy service, a quiet one, and one of which nothing is known."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from exporters.dora.clusters.editions import editions
from exporters.dora.clusters.placing import cluster_of
from exporters.dora.model import NOTHING, Distribution, DoraMetrics, Estimate, Frequency, Scope, Stage, Week
from exporters.dora.report.model import By, Report, Row

START = datetime(2026, 9, 1, tzinfo=UTC)
END = datetime(2026, 11, 30, tzinfo=UTC)
MADE_AT = datetime(2026, 11, 30, 9, 30, tzinfo=UTC)
HOUR, DAY = 3600, 86400


def estimate(
    value: str | int, samples: int, lower: str | int | None = None, upper: str | int | None = None
) -> Estimate:
    ends = [None if each is None else Decimal(each) for each in (lower, upper)]
    return Estimate(Decimal(value), samples, ends[0], ends[1])


def times(median: int, samples: int, *, spread: int = 2) -> Distribution:
    """Quantiles that lie `spread` apart; the median's interval from half to one and a half of it."""
    shares = ("0.5", "0.75", "0.9", "0.95")
    found = {
        Decimal(share): estimate(median * spread**at, samples, median * spread**at // 2, median * spread**at * 3 // 2)
        for at, share in enumerate(shares)
    }
    return Distribution(found, estimate(median * 5 // 4, samples, median, median * 3 // 2))


def busy(service: str = "checkout", team: str = "", *, factor: int = 1) -> DoraMetrics:
    weeks = tuple(
        Week(
            date(2026, 8, 31) + timedelta(days=7 * at),
            deployments=9 + at % 3,
            failed=at % 4 == 3,
            rework=int(at % 5 == 4),
            lead_time_median=Decimal(20 * HOUR + 900 * at) if at != 6 else None,
            recovery_median=Decimal(2400) if at % 4 == 3 else None,
        )
        for at in range(13)
    )
    return DoraMetrics(
        scope=Scope("production", service, team),
        start=START,
        end=END,
        lead_time=times(28 * HOUR * factor, 210),
        stages={
            Stage.CODING: times(3 * HOUR, 205),
            Stage.REVIEW: times(20 * HOUR * factor, 205),
            Stage.DEPLOY: times(25 * 60, 210),
        },
        frequency=Frequency(
            estimate("1.366667", 123, "1.13", "1.63"),
            deployments=123,
            days=90,
            active_days=61,
            releases=120,
            median_gap=timedelta(hours=14),
            longest_gap=timedelta(days=3, hours=2),
            burst=Decimal("0.21"),
        ),
        recovery_time=times(42 * 60, 6),
        fail_rate=estimate("0.04878", 123, "0.0226", "0.1024"),
        rework_rate=estimate("0.0325", 123, "0.0127", "0.0806"),
        restore_time=times(55 * 60, 9),
        open_failures=1,
        changes_without_start=4,
        deployments_without_changes=2,
        coverage_from=datetime(2026, 3, 2, 8, tzinfo=UTC),
        weeks=weeks,
    )


def quiet(service: str = "search") -> DoraMetrics:
    """Two deployments, no change known, nothing failed."""
    return DoraMetrics(
        scope=Scope("production", service),
        start=START,
        end=END,
        lead_time=Distribution(),
        stages={},
        frequency=Frequency(estimate("0.0222", 2, "0.0027", "0.0803"), 2, 90, 2, 2, timedelta(days=40)),
        recovery_time=Distribution(),
        fail_rate=estimate(0, 2, 0, "0.658"),
        rework_rate=estimate(0, 2, 0, "0.658"),
        restore_time=Distribution(),
        deployments_without_changes=2,
        coverage_from=datetime(2026, 10, 1, tzinfo=UTC),
    )


def nothing(service: str = "invoices", environment: str = "production") -> DoraMetrics:
    return DoraMetrics(
        scope=Scope(environment, service),
        start=START,
        end=END,
        lead_time=Distribution(),
        stages={},
        frequency=Frequency(NOTHING, 0, 90, 0, 0),
        recovery_time=Distribution(),
        fail_rate=NOTHING,
        rework_rate=NOTHING,
        restore_time=Distribution(),
    )


def report(
    *metrics: DoraMetrics, edition: str = "2024", before: DoraMetrics | None = None, by: By = By.SERVICE
) -> Report:
    chosen = editions()[edition] if edition else None
    rows = tuple(Row(each, before, cluster_of(each, chosen) if chosen else None) for each in metrics)
    return Report(by, START, END, MADE_AT, rows, chosen)
