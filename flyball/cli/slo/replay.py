"""`flyball slo replay`: what SLO files would have done in the past."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.settings import settings_or_exit
from flyball.cli.slo.reading import fail, slos_or_exit

if TYPE_CHECKING:
    from controlplane.model.slo import SLO
    from controlplane.problems import Problem
    from flyball.settings import Settings
    from slo.replay.incidents import Incident
    from slo.replay.run import Progress, Replay, ReplayOptions

_QUERY_SECONDS: Final = 120.0
_LONGEST: Final = timedelta(days=400)
_INTERRUPTED: Final = 130  # 128 + SIGINT, as shells have it


class Format(Enum):
    """How the report is written."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


def replay(
    path: Annotated[Path, typer.Argument(metavar="DIR|FILE", help="The proposed SLO files.")] = Path(),
    only: Annotated[
        list[str] | None, typer.Option("--slo", metavar="NAME", help="Only these SLOs; globs are understood.")
    ] = None,
    since: Annotated[str, typer.Option(help="How far back (30d, 36h), or a time in RFC 3339.")] = "30d",
    until: Annotated[str, typer.Option(help="A time in RFC 3339, or how long ago (2d).", show_default="now")] = "",
    prometheus: Annotated[
        str, typer.Option(metavar="URL", help="Prometheus' address; by default that of flyball.yaml.")
    ] = "",
    against: Annotated[
        Path | None,
        typer.Option(metavar="DIR|FILE", help="SLO files to compare with; by default the rules that are live."),
    ] = None,
    incidents: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Known incidents (YAML, JSON or CSV), to judge the alerts by.")
    ] = None,
    most_pages: Annotated[
        float, typer.Option(min=0, metavar="N", help="A suggested objective pages no more often in 30 days.")
    ] = 2,
    every_minute: Annotated[
        bool, typer.Option("--every-minute", help="Ask for each minute: slower, exact for very short bursts.")
    ] = False,
    output: Annotated[Format, typer.Option("--format", help="For people, for programs, or as a page.")] = Format.TEXT,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="Where the report goes.")] = None,
) -> None:
    """Evaluate SLO files against the past: pages and tickets they would have sent, budgets, a fitting objective.

    The conditions are those of the rules that `flyball compile` would write, over what Prometheus has of the series
    that the SLOs measure; nothing needs to be recorded, and nothing is changed. Time without data is told, and counts
    as nothing.

    Exit status: 0 when there is a report, 1 when files have mistakes, 3 when Prometheus refused or can't be reached.

    \b
    Examples:
      flyball slo replay
      flyball slo replay slo/checkout.yaml --since 14d --prometheus http://127.0.0.1:9090
      flyball slo replay --slo 'checkout-*' --incidents incidents.yaml
      flyball slo replay --format html -o replay.html
      flyball slo replay --format json | jq '.slos[] | {slo, pages: .proposed.pages}'
    """
    from controlplane.adapters.clock import SystemClock
    from slo.replay.run import ReplayOptions

    now = SystemClock().now()
    end = _moment(until, now, "--until") if until else now
    begin = _moment(since, end, "--since")
    if not timedelta(0) < end - begin <= _LONGEST:
        raise typer.BadParameter(f"must be before --until, by {_LONGEST.days} days at most", param_hint="--since")
    if end > now:
        raise typer.BadParameter("lies in the future", param_hint="--until")
    settings = settings_or_exit(_workspace_of(path), {"prometheus.url": prometheus})
    slos = slos_or_exit(path, only or [])
    known = _incidents(incidents) if incidents else ()
    current = slos_or_exit(against) if against else _live(settings)
    options = ReplayOptions(begin, end, most_pages=most_pages, every_minute=every_minute)
    report = _text(_run(slos, current, known, settings, options), output, settings)
    if out is None:
        typer.echo(report, nl=False)
        return
    _write(out, report)


def _moment(text: str, before: datetime, option: str) -> datetime:
    """A time, or a length before another one."""
    from slo.replay.times import moment_before

    try:
        return moment_before(text, before)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def _workspace_of(path: Path) -> Path:
    """The folder of the nearest `flyball.yaml` at or above the files."""
    from flyball.settings import FILE_NAME

    folder = path if path.is_dir() else path.parent
    above = [folder, *folder.absolute().parents]
    return next((each for each in above if (each / FILE_NAME).is_file()), folder)


def _incidents(path: Path) -> "Sequence[Incident]":
    from controlplane.problem_report import as_text
    from controlplane.specfile import SourceFile
    from slo.replay.incident_file import read_incidents

    try:
        content = path.read_bytes()
    except OSError as error:
        fail(f"{path}: {error.strerror}", ExitCode.PROBLEMS)
    found = read_incidents(SourceFile(str(path), content))
    if found.problems:
        problems: Sequence[Problem] = found.problems
        typer.echo(as_text(problems, {str(path): content}, sys.stderr.isatty()), err=True)
        raise typer.Exit(ExitCode.PROBLEMS)
    if not found.incidents:
        typer.echo(f"{path} lists no incidents", err=True)
    return found.incidents


def _live(settings: "Settings") -> "Sequence[SLO]":
    """The SLOs whose rules were applied last, nothing when that cannot be known here."""
    from flyball.live_slos import live_slos

    found = live_slos(settings.rules_directory)
    if found is None:
        typer.echo(
            f"No rules of ours are live in {settings.rules_directory}: nothing to compare with. "
            "--against DIR compares with other files.",
            err=True,
        )
        return ()
    return found


def _run(
    slos: "Sequence[SLO]",
    current: "Sequence[SLO]",
    incidents: "Sequence[Incident]",
    settings: "Settings",
    options: "ReplayOptions",
) -> "Replay":
    from controlplane.adapters.prometheus import PrometheusBackend
    from controlplane.ports import Permanent, Transient
    from slo.replay.run import replay as run

    credentials = settings.prometheus_credentials.reveal() if settings.prometheus_credentials else ""
    backend = PrometheusBackend(settings.prometheus_url, credentials=credentials, timeout_seconds=_QUERY_SECONDS)
    try:
        backend.ensure_answering()
        with _progress(f"Replaying {len(slos)} SLO{'' if len(slos) == 1 else 's'}") as progress:
            return run(slos, backend, options, current=current, incidents=incidents, progress=progress)
    except (Transient, Permanent) as error:
        fail(f"Not replayed: {error}", ExitCode.OUTSIDE)
    except KeyboardInterrupt:
        typer.echo("Interrupted; nothing was written.", err=True)
        raise typer.Exit(_INTERRUPTED) from None
    finally:
        backend.close()


@contextmanager
def _progress(title: str) -> "Iterator[Progress]":
    """A bar with an estimate on a terminal, two lines elsewhere."""
    from flyball.demo.steps import steps_on

    with steps_on(sys.stderr) as steps, steps.step(title) as report:
        yield report


def _text(made: "Replay", output: Format, settings: "Settings") -> str:
    from slo.replay.as_json import as_json
    from slo.replay.as_text import as_text

    if output is Format.JSON:
        return as_json(made)
    if output is Format.HTML:
        from flyball.replay_page import as_html

        return as_html(made, settings.prometheus_url)
    return as_text(made)


def _write(out: Path, report: str) -> None:
    try:
        out.write_text(report, encoding="utf-8")
    except OSError as error:
        fail(f"{out}: {error.strerror}", ExitCode.OUTSIDE)
    typer.echo(f"Written to {out}", err=True)
