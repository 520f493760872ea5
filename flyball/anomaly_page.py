"""Anomalies of a file or of a backtest as one HTML file that needs nothing else: no script, no font, no picture."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from controlplane import wording
from flyball.anomaly_chart import Course, Told, band_chart, row_cells
from flyball.web.money_frame import MoneyChart
from flyball.web.pages import STATIC, environment

if TYPE_CHECKING:
    from alerts.anomaly.csv_series.model import CsvFile
    from alerts.anomaly.csv_series.scoring import Scored
    from alerts.anomaly.csv_series.telling import Anomaly

MOST_CHARTS: Final = 50
MOST_ROWS: Final = 200
_SHEETS: Final = ("tokens.css", "console.css", "money.css", "replay.css", "anomaly_report.css")


@dataclass(frozen=True, slots=True)
class RowView:
    """An anomaly in the table."""

    start: datetime
    series: str
    length: str
    score: str
    why: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with charts and a table."""

    title: str
    said: str
    charts: tuple[MoneyChart, ...]
    rows: tuple[RowView, ...] = ()
    more: str = ""


def page(title: str, lead: Sequence[str], sections: Sequence[Section]) -> str:
    """The page. All text is escaped; colours follow the reader's scheme, or the switch."""
    return environment().get_template("anomaly_report.html").render(
        {
            "title": title,
            "lead": lead,
            "sections": sections,
            "policy": _policy(),
            "sheets": [Markup(sheet) for sheet in _sheets()],  # noqa: S704 -- our own files
        }
    )  # fmt: skip


def of_file(file: "CsvFile", scored: "Sequence[Scored]") -> str:
    """A scored CSV file: the series with the worst anomalies first."""
    from alerts.anomaly.csv_series.telling import anomalies_of

    told = [(each, list(anomalies_of(each))) for each in scored]
    told.sort(key=lambda it: -max((found.excess for found in it[1]), default=0.0))
    sections = [_series(each, found, number) for number, (each, found) in enumerate(told[:MOST_CHARTS], 1)]
    total = sum(len(found) for _, found in told)
    counted = f"{total:,} {'anomaly' if total == 1 else 'anomalies'}"
    lead = [f"{counted} in {sum(len(each.placed.cells.rows) for each in scored):,} rows of {len(scored):,} series."]
    if len(told) > MOST_CHARTS:
        lead.append(f"The {MOST_CHARTS} series with the worst are shown; --csv has them all.")
    return page(f"Anomalies in {file.path}", lead, sections)


def _series(scored: "Scored", found: "Sequence[Anomaly]", number: int) -> Section:
    name = scored.name or "values"
    course = Course(
        name=f"series-{number}",
        title=name,
        start=scored.time(0),
        step=scored.panel.grid.step,
        values=scored.placed.values,
        expected=scored.of_steps("expected"),
        lower=scored.of_steps("lower"),
        upper=scored.of_steps("upper"),
        told=tuple(_told(each) for each in found),
    )
    counted = f"{len(found):,} {'anomaly' if len(found) == 1 else 'anomalies'}"
    return Section(
        name,
        counted,
        (band_chart(course, f"{counted} over {wording.duration(course.end - course.start)}."),),
        tuple(_row(each) for each in sorted(found, key=lambda it: -it.excess)[:MOST_ROWS]),
        f"The {MOST_ROWS} worst are listed." if len(found) > MOST_ROWS else "",
    )


def _told(each: "Anomaly") -> Told:
    text = f"{wording.utc(each.start)}, {wording.duration(each.end - each.start)}: {_why(each)}"
    cells = row_cells(each.end, each.facts.value, each.facts.expected, each.excess)
    return Told(each.start, each.end, "page", wording.times(each.excess), text, cells)


def _row(each: "Anomaly") -> RowView:
    length = wording.duration(each.end - each.start)
    return RowView(each.start, each.series, length, wording.times(each.excess), _why(each))


def _why(each: "Anomaly") -> str:
    from alerts.anomaly.explaining.sentences import episode_sentence

    facts = each.facts
    return episode_sentence(
        "point",
        value=facts.value,
        expected=facts.expected,
        lower=facts.lower,
        upper=facts.upper,
        score=each.excess,
        baseline=facts.baseline,
    )


@cache
def _policy() -> str:
    """What the page may do: show our own style sheets, and nothing else."""
    digests = [base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode() for sheet in _sheets()]
    styles = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"default-src 'none'; style-src {styles}; base-uri 'none'; form-action 'none'"


@cache
def _sheets() -> tuple[str, ...]:
    """Each as it stands between its tags: the policy names it by its hash."""
    return tuple((STATIC / name).read_text() for name in _SHEETS)
