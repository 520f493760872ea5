"""A report of the DORA metrics as one HTML file that needs nothing else: no script, no font, no picture."""

import base64
import hashlib
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from markupsafe import Markup

from exporters.dora.effects.ranking import Worst
from exporters.dora.effects.views import before_after_text, counts_text, deployment_text, size_text, until_text
from exporters.dora.model import Metric
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.report.definitions import SOURCE, definitions_of
from exporters.dora.report.missing import HOW_TO_BEGIN, reasons
from exporters.dora.report.model import By, Report, Row
from exporters.dora.report.telling import behind_text
from flyball.web.delivery_charts import deployments_chart, spreads, times_chart
from flyball.web.delivery_rows import SHOWN, rhythm, row_view, row_views
from flyball.web.money_frame import MoneyChart
from flyball.web.pages import STATIC, environment

MOST_IN_FULL: Final = 50  # rows with charts of their own: more would make a page that nobody reads
_SHEETS: Final = ("tokens.css", "console.css", "money.css", "delivery.css", "replay.css")


def as_html(report: Report, policy: DeliveryPolicy, worst: Worst | None = None) -> str:
    """The page. Everything that events or users said is escaped; colours follow the reader's scheme, or the switch."""
    zone = ZoneInfo(report.time_zone)
    known = [row for row in report.rows if not row.is_empty]
    shown = [row_view(row, policy.team(row.metrics.scope.service), _METRICS) for row in known[:MOST_IN_FULL]]
    return environment().get_template("dora.html").render(
        {
            "report": report,
            "views": row_views(report, dict(policy.teams)),
            "in_full": [
                (view, _charts(view.row, number), list(reasons(view.row.metrics)))
                for number, view in enumerate(shown, 1)
            ],
            "not_in_full": max(len(known) - MOST_IN_FULL, 0),
            "is_empty": not known,
            "how_to_begin": HOW_TO_BEGIN,
            "several_environments": len(report.environments) > 1 and report.by is not By.ENVIRONMENT,
            "first_day": f"{report.start.astimezone(zone):%Y-%m-%d}",
            "last_day": f"{(report.end - timedelta(microseconds=1)).astimezone(zone):%Y-%m-%d}",
            "behind": behind_text(report.behind) if report.behind else "",
            "worst": worst,
            "words": {
                "size": size_text,
                "deployment": deployment_text,
                "course": before_after_text,
                "until": until_text,
            },
            "worst_counted": counts_text(worst) if worst else "",
            "definitions": definitions_of(policy),
            "source": SOURCE,
            "spreads": spreads,
            "rhythm": rhythm,
            "policy": _policy(),
            "sheets": [Markup(sheet) for sheet in _sheets()],  # noqa: S704 -- our own files
        }
    )  # fmt: skip


_METRICS: Final = (*SHOWN, Metric.RESTORE_TIME)


def _charts(row: Row, number: int) -> tuple[MoneyChart, ...]:
    """Those with anything in them; their names are ids in the page, so each has its row's number."""
    weeks = row.metrics.weeks
    drawn = [deployments_chart(weeks), times_chart(weeks)] if weeks else []
    return tuple(replace(chart, name=f"{chart.name}-{number}") for chart in drawn if not chart.is_empty)


@cache
def _policy() -> str:
    """What the page may do, for its own head: show our own style sheets, and nothing else."""
    digests = [base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode() for sheet in _sheets()]
    styles = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"default-src 'none'; style-src {styles}; base-uri 'none'; form-action 'none'"


@cache
def _sheets() -> tuple[str, ...]:
    """Each as it stands between its tags: the policy names it by its hash."""
    return tuple((STATIC / name).read_text() for name in _SHEETS)
