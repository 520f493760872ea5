"""`flyball anomaly score`: a CSV file through the detector, with no server and no workspace."""

import sys
from collections.abc import Sequence
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from alerts.anomaly.model import Direction, Sensitivity, Values
from flyball.cli import ExitCode
from flyball.cli.anomaly.opening import progress_on
from flyball.cli.asking import length_or_exit
from flyball.cli.declared import fail

if TYPE_CHECKING:
    from alerts.anomaly.csv_series.model import CsvFile, Flags
    from alerts.anomaly.csv_series.scoring import Calendar, Question, Scored
    from alerts.anomaly.detector.model import Grid, Phases
    from controlplane.problems import Problem

_STDIN: Final = "-"
_MOST_SHOWN: Final = 1 << 24  # bytes of a file whose lines are shown beside what is wrong with them
_LONGEST_STEP: Final = timedelta(days=1)


class OutputOption(Enum):
    """Which of the two scores makes an anomaly."""

    POINT = "point"
    SUSTAINED = "sustained"
    BOTH = "both"


def score(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A CSV file, plain or gzip; `-` reads standard input.")],
    time: Annotated[
        str, typer.Option("--time", metavar="COLUMN", help="By name or number.", show_default="guessed")
    ] = "",
    value: Annotated[
        list[str] | None,
        typer.Option("--value", metavar="COLUMN", help="By name or number; repeatable.", show_default="guessed"),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", metavar="COLUMN", help="What tells series apart; repeatable.", show_default="guessed"),
    ] = None,
    step: Annotated[
        str, typer.Option(metavar="LENGTH", help="1s to 1d.", show_default="the rows' median distance")
    ] = "",
    zone: Annotated[
        str, typer.Option("--zone", metavar="ZONE", help="In whose day the series lives; also of times without a zone.")
    ] = "UTC",
    holidays: Annotated[
        list[str] | None, typer.Option("--holidays", metavar="COUNTRY", help="Such as DE or DE-BY; repeatable.")
    ] = None,
    values: Annotated[Values, typer.Option(help="What the numbers are.")] = Values.GAUGE,
    direction: Annotated[Direction, typer.Option(help="Which deviations count.")] = Direction.BOTH,
    sensitivity: Annotated[Sensitivity, typer.Option(help="How rare is rare enough.")] = Sensitivity.MEDIUM,
    output: Annotated[OutputOption, typer.Option(help="Single points, what goes on, or either.")] = OutputOption.POINT,
    least_absolute: Annotated[
        float, typer.Option("--least-absolute", min=0, metavar="NUMBER", help="Deviations below that are none.")
    ] = 0.0,
    least_relative: Annotated[
        str, typer.Option("--least-relative", metavar="SHARE", help="Of what is expected: 10% or 0.1.")
    ] = "",
    early: Annotated[
        bool, typer.Option("--early", help="Tell anomalies of the first day, too, when there is only a level.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Every row of the file with its scores.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same, and the anomalies, as JSON.")] = False,
    only_anomalies: Annotated[
        bool, typer.Option("--only-anomalies", help="With --csv and --json: only rows that are anomalous.")
    ] = False,
    chart: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with each series and its band, too (HTML).")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="So many anomalies in the table, the worst ones.")] = 50,
    fail_on: Annotated[bool, typer.Option("--fail", help="Exit with 1 when there are anomalies.")] = False,
) -> None:
    """Score a CSV file: which rows leave the daily and weekly shape of what came before them.

    A row is judged by earlier rows alone. The column of times, that of values, what tells series apart, and the step
    are guessed; what was guessed is said on standard error. A column called label or anomaly is never taken for values.

    Exit status: 0 when the file was scored, 1 when it cannot be read (or, with --fail, when there are anomalies), 2
    when an option is wrong, 3 when a page cannot be written.

    \b
    Examples:
      flyball anomaly score requests.csv
      flyball anomaly score requests.csv --zone Europe/Berlin --holidays DE-BY
      flyball anomaly score kpis.csv.gz --by 'KPI ID' --csv > scored.csv
      flyball anomaly score bytes.csv --values counter --direction above --chart bytes.html
      gzip -dc export.csv.gz | flyball anomaly score - --json | jq '.series[].anomalies'
    """
    from alerts.anomaly.csv_series.reading import read_csv

    if as_csv and as_json:
        raise typer.BadParameter("say one of --csv and --json", param_hint="--json")
    question = _question(values, direction, sensitivity, output, least_absolute, least_relative, early=early)
    calendar = _calendar(zone, holidays or [])
    name, content = _content(file)
    from alerts.anomaly.csv_series.model import Asked

    length = _step(step)
    read = read_csv(name, content, Asked(time, tuple(value or ()), tuple(by or ()), length, zone))
    _show(read.problems, content)
    scored = _scored(read, question, length, calendar)
    _print(read, scored, as_csv=as_csv, as_json=as_json, only_anomalies=only_anomalies, most=most, zone=zone)
    if chart is not None:
        _draw(chart, read, scored)
    if fail_on and any(each.anomalous().any() for each in scored):
        raise typer.Exit(ExitCode.PROBLEMS)


# --- what was asked for ----------------------------------------------------------------------------------------------


def _question(
    values: Values,
    direction: Direction,
    sensitivity: Sensitivity,
    output: OutputOption,
    least_absolute: float,
    least_relative: str,
    *,
    early: bool,
) -> "Question":
    from alerts.anomaly.csv_series.scoring import Question
    from alerts.anomaly.detector.model import Terms
    from alerts.anomaly.model import Output

    terms = Terms(
        values=values,
        direction=direction,
        sensitivity=sensitivity,
        least_absolute=least_absolute,
        least_relative=_share(least_relative),
    )
    outputs = tuple(Output) if output is OutputOption.BOTH else (Output(output.value),)
    return Question(terms, outputs, early)


def _share(text: str) -> float:
    number, per_cent = text.strip().removesuffix("%"), text.strip().endswith("%")
    try:
        found = float(number or 0) / (100 if per_cent else 1)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 100:
        raise typer.BadParameter(f"`{text[:40]}` is no share: write 10% or 0.1", param_hint="--least-relative")
    return found


def _step(text: str) -> timedelta | None:
    if not text:
        return None
    length = length_or_exit(text, "--step")
    if length > _LONGEST_STEP or _LONGEST_STEP % length:
        message = f"`{text}`: a day is no multiple of it, or it is longer than one: write 1m, 5m, 15m, 1h …"
        raise typer.BadParameter(message, param_hint="--step")
    return length


def _calendar(zone_name: str, holidays: Sequence[str]) -> "Calendar":
    from alerts.anomaly.calendars.masks import fitted
    from alerts.anomaly.calendars.reading import calendars_of
    from alerts.anomaly.detector.phases import phases
    from alerts.anomaly.explaining.facts import time_of
    from alerts.anomaly.model import CalendarTerms
    from controlplane.calendar.zones import zone

    try:
        clock = zone(zone_name)
    except KeyError:
        raise typer.BadParameter(f"`{zone_name[:60]}` is no zone such as Europe/Berlin", param_hint="--zone") from None
    terms = tuple(CalendarTerms(country=_country(each)) for each in holidays)

    def of(grid: "Grid") -> "tuple[Phases, Flags | None]":
        calendars = calendars_of(terms, clock, time_of(grid, 0), time_of(grid, grid.count), None)
        return phases(grid, clock, calendars.special), fitted(calendars, grid, [""])

    return of


def _country(text: str) -> str:
    """Checked by the package that knows holidays."""
    from alerts.anomaly.calendars.holiday_dates import place_of

    place = place_of(text)
    if place.fault:
        said = f"{place.fault} ({place.hint})" if place.hint else place.fault
        raise typer.BadParameter(said, param_hint="--holidays")
    return place.code


def _content(file: str) -> tuple[str, bytes]:
    """What messages call it, and its bytes, one more than are read at most."""
    from alerts.anomaly.csv_series.model import MOST_BYTES

    if file == _STDIN:
        return "stdin", sys.stdin.buffer.read(MOST_BYTES + 1)
    try:
        with Path(file).open("rb") as stream:
            return file, stream.read(MOST_BYTES + 1)
    except OSError as error:
        fail(f"{file}: {error.strerror}", ExitCode.PROBLEMS)


# --- what comes of it ------------------------------------------------------------------------------------------------


def _show(problems: "Sequence[Problem]", content: bytes) -> None:
    """On standard error; errors end the program."""
    from controlplane.problem_report import as_text
    from controlplane.problems import has_errors

    if problems:
        is_shown = len(content) < _MOST_SHOWN and not content.startswith(b"\x1f\x8b") and b"\0" not in content
        sources = {each.path: content for each in problems} if is_shown else {}
        typer.echo(as_text(list(problems), sources, sys.stderr.isatty()), err=True, nl=False)
    if has_errors(problems):
        raise typer.Exit(ExitCode.PROBLEMS)


def _scored(
    read: "CsvFile", question: "Question", step: timedelta | None, calendar: "Calendar"
) -> "list[Scored]":  # fmt: skip
    from alerts.anomaly.csv_series.scoring import Scored, score_file

    with progress_on(f"Scoring {len(read.times):,} rows"):
        found = list(score_file(read, question, step, calendar))
    scored = [each for each in found if isinstance(each, Scored)]
    problems = [each for each in found if not isinstance(each, Scored)]
    if problems:
        from controlplane.problem_report import as_text

        typer.echo(as_text(problems, {}, sys.stderr.isatty()), err=True, nl=False)
    if not scored:
        raise typer.Exit(ExitCode.PROBLEMS)
    return sorted(scored, key=lambda each: int(each.placed.cells.rows[0]))


def _print(
    read: "CsvFile",
    scored: "Sequence[Scored]",
    *,
    as_csv: bool,
    as_json: bool,
    only_anomalies: bool,
    most: int,
    zone: str,
) -> None:
    from alerts.anomaly.csv_series.told import csv_text, guesses, json_text, table
    from controlplane.problem_report import printable

    for line in guesses(read, scored):
        typer.echo(printable(line), err=True)
    if as_csv:
        for part in csv_text(read, scored, only_anomalies=only_anomalies):
            typer.echo(part, nl=False)
    elif as_json:
        for part in json_text(read, scored, only_anomalies=only_anomalies):
            typer.echo(part, nl=False)
    else:
        typer.echo(printable(table(read, scored, most=most, zone=zone), keep="\n"), nl=False)


def _draw(path: Path, read: "CsvFile", scored: "Sequence[Scored]") -> None:
    from flyball.anomaly_page import of_file

    try:
        path.write_text(of_file(read, scored), encoding="utf-8")
    except OSError as error:
        fail(f"{path}: {error.strerror}", ExitCode.OUTSIDE)
    typer.echo(f"Written to {path}", err=True)
