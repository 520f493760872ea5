"""What is not known, why, and how to get it."""

from collections.abc import Iterator

from exporters.dora.model import DoraMetrics
from exporters.dora.report.model import Report
from exporters.dora.report.numbers import counted

HOW_TO_BEGIN = (
    "No deployment is known in that time. To begin, do one of these:\n"
    "  send events    flyball event send, or the webhooks of GitHub, GitLab, Argo CD\n"
    "                 and others: docs/how-to/send-events.md\n"
    "  collect them   a Repository document for git, GitHub or GitLab:\n"
    "                 docs/how-to/collect-deliveries.md"
)


def nothing_known(report: Report) -> str:
    """Of a report without anything in it."""
    earliest = [row.metrics.coverage_from for row in report.rows if row.metrics.coverage_from is not None]
    if earliest:
        since = f"{min(earliest):%Y-%m-%d}"
        return f"{HOW_TO_BEGIN}\nSomething is known since {since}: --from {since} shows it."
    return HOW_TO_BEGIN


def reasons(metrics: DoraMetrics) -> Iterator[str]:
    """Sentences on values that are missing or made of less than they could be."""
    found = metrics.frequency.deployments
    if metrics.coverage_from is not None and metrics.coverage_from > metrics.start:
        since = f"{metrics.coverage_from:%Y-%m-%d %H:%M} UTC"
        yield f"Nothing is known before {since}: the frequency begins there."
    if found and metrics.lead_time.median.value is None:
        yield (
            "No lead time: no deployment names a change whose first commit is known. Events of merged changes, or a "
            "Repository document, bring them: docs/how-to/collect-deliveries.md"
        )
    if metrics.deployments_without_changes:
        without = counted(metrics.deployments_without_changes, "deployment")
        yield f"{without} of {found:,} delivered no change that we know of: they name neither revision nor change."
    if metrics.changes_without_start:
        yield (
            f"{counted(metrics.changes_without_start, 'change')} left out of the lead time: nobody knows when work on "
            "them began, or it began after it was merged."
        )
    if found and metrics.recovery_time.median.value is None and not metrics.open_failures:
        yield "No recovery time: no deployment failed."
