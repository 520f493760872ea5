"""Anomalies of a file or of a backtest as one HTML file that needs nothing else: no script, no font, no picture."""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from alerts.anomaly.explaining.sentences import how_far
from controlplane import wording
from flyball.anomaly_chart import Course, Told, band_chart, row_cells
from flyball.web.money_frame import MoneyChart
from flyball.web.pages import STATIC, environment

if TYPE_CHECKING:
    from alerts.anomaly.backtesting.model import Backtest
    from alerts.anomaly.csv_series.model import CsvFile
    from alerts.anomaly.csv_series.scoring import Scored
    from alerts.anomaly.csv_series.telling import Anomaly
    from controlplane.model.anomaly import Episode

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


def of_backtests(tests: "Sequence[Backtest]") -> str:
    """Backtests, one or several side by side: a section for each, its worst series drawn."""
    sections = [
        section for number, test in enumerate(tests, 1) for section in (_backtest(test, number), *_curves(test, number))
    ]
    first = tests[0] if tests else None
    if first is None:
        return page("Backtest of anomaly detectors", ["There is no detector."], [])
    names = ", ".join(dict.fromkeys(each.detector.name for each in tests))
    length = wording.duration(first.until - first.since)
    lead = [f"{wording.utc(first.since)} to {wording.utc(first.until)}, {length}."]
    return page(f"What {names} would have told", lead, sections)


def _backtest(test: "Backtest", number: int) -> Section:
    rate = test.alarms_per_series_month
    alarms = f"{len(test.alarms):,} {'alarm' if len(test.alarms) == 1 else 'alarms'}"
    often = "nothing scored" if rate is None else f"{wording.significant(rate)} a series and month"
    worst = sorted(test.episodes, key=lambda each: -float(each.score or 0))[:MOST_ROWS]
    rows = tuple(
        RowView(
            each.started_at,
            each.series,
            wording.duration((each.ended_at or test.until) - each.started_at),
            "" if each.score is None else how_far(float(each.score)),
            each.explanation,
        )
        for each in worst
    )
    more = f"The {MOST_ROWS} with the highest scores are listed." if len(test.episodes) > MOST_ROWS else ""
    said = f"{alarms} of {test.series:,} series, {often}"
    return Section(test.label, said, (), rows, more or ("" if rows else "Nothing would have been told."))


def _curves(test: "Backtest", number: int) -> "Iterator[Section]":
    for place, curve in enumerate(test.curves, 1):
        episodes = [each for each in test.episodes if each.series == curve.series]
        course = Course(
            name=f"curve-{number}-{place}",
            title=curve.series,
            start=curve.start,
            step=curve.step,
            values=curve.values,
            expected=curve.expected,
            lower=curve.lower,
            upper=curve.upper,
            told=tuple(_episode(each, test.until) for each in episodes),
        )
        counted = f"{len(episodes):,} {'episode' if len(episodes) == 1 else 'episodes'}"
        chart = band_chart(course, f"{counted} over {wording.duration(course.end - course.start)}.")
        yield Section(f"{test.label}: {curve.series}", counted, (chart,))


def _episode(each: "Episode", until: datetime) -> Told:
    end = each.ended_at or until
    kind = "info" if each.kind == "gap" else "page"
    score = None if each.score is None else float(each.score)
    text = f"{wording.utc(each.started_at)}, {wording.duration(end - each.started_at)}: {each.explanation}"
    cells = row_cells(
        end,
        None if each.value is None else float(each.value),
        None if each.expected is None else float(each.expected),
        score,
    )
    label = "no samples" if score is None else how_far(score)
    return Told(each.started_at, end, kind, label, text, cells)


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
    return Told(each.start, each.end, "page", how_far(each.excess), text, cells)


def _row(each: "Anomaly") -> RowView:
    length = wording.duration(each.end - each.start)
    return RowView(each.start, each.series, length, how_far(each.excess), _why(each))


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
