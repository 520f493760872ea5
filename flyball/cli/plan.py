"""`flyball plan`: what `flyball apply` would change, before it does."""

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controlplane.problems import Problem
    from flyball.planning.live import AskedEngine
    from flyball.planning.run import Planned
    from flyball.settings import Settings

_PATIENCE_SECONDS: Final = 10.0


def plan(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The workspace.")] = Path(),
    prometheus: Annotated[
        str, typer.Option(metavar="URL", help="Prometheus' address; by default that of flyball.yaml.")
    ] = "",
    rules_directory: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Where rules were applied; by default from flyball.yaml.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Compare with another workspace, or with what `compile` or `apply` wrote."),
    ] = None,
    keep_history: Annotated[
        bool, typer.Option("--keep-history", help="As `apply --keep-history`: renamed SLOs keep their past.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of words.")] = False,
    cached: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Read only the files that changed since the last plan.")
    ] = True,
    no_color: Annotated[str, typer.Option(envvar="NO_COLOR", hidden=True)] = "",
) -> None:
    """Show what `flyball apply` would change: objectives, alerts, windows, queries, history, and what it costs.

    The files are compared with what was applied last, and that with what Prometheus runs. Nothing is changed.

    Exit status: 0 when there is no difference, 2 when there is one, 1 when the files have mistakes, 3 when the
    Prometheus named by --prometheus can't be asked.

    \b
    Examples:
      flyball plan
      flyball plan slo/ --prometheus http://127.0.0.1:9090
      flyball plan --against ../base --json | jq '.slos[].changes[].words'
    """
    from controlplane.ports import Permanent, Transient
    from flyball.planning.report import as_json as json_of
    from flyball.planning.report import as_text

    gc.disable()  # a short life with many small objects
    given = {
        "prometheus.url": prometheus,
        "prometheus.rulesDirectory": str(rules_directory.absolute()) if rules_directory else "",
    }
    settings = settings_or_exit(folder if folder.is_dir() else folder.parent, given)
    if against is not None and not against.is_dir():
        raise typer.BadParameter(f"{against} is not a folder", param_hint="--against")
    try:
        planned = _planned(settings, folder, against=against, keep_history=keep_history, cached=cached)
    except (Transient, Permanent) as error:
        typer.echo(f"No plan: {error}", err=True)
        raise typer.Exit(ExitCode.OUTSIDE) from None
    if as_json:
        about = {"prometheus": settings.prometheus_url, "rulesDirectory": str(settings.rules_directory)}
        typer.echo(json_of(planned, **about), nl=False)
    elif planned.problems:
        _show(planned.problems)
    else:
        coloured = typer.get_text_stream("stdout").isatty() and not no_color
        typer.echo(as_text(planned, coloured=coloured), nl=False, color=coloured)
    raise typer.Exit(_exit_code(planned, insisted=bool(prometheus)))


def _planned(
    settings: "Settings", folder: Path, *, against: Path | None, keep_history: bool, cached: bool
) -> "Planned":
    import time

    from flyball.code_fingerprint import compiler_fingerprint
    from flyball.planning.run import Request, make_plan
    from flyball.settings import cache_folder
    from slo.compiler import CompileOptions

    engine = _engine(settings)
    request = Request(
        folder=folder,
        options=CompileOptions(settings.external_url, settings.runbook_url_template, settings.shared_above),
        rules_directory=settings.rules_directory,
        against=against,
        keep_history=keep_history,
        cache_folder=cache_folder() if cached else None,
        code=compiler_fingerprint(),
        now_ns=time.time_ns(),
    )
    try:
        return make_plan(request, engine)
    finally:
        engine.backend.close()


def _engine(settings: "Settings") -> "AskedEngine":
    from controlplane.adapters.clock import SystemClock
    from controlplane.adapters.prometheus import PrometheusBackend
    from flyball.planning.live import AskedEngine

    credentials = settings.prometheus_credentials.reveal() if settings.prometheus_credentials else ""
    backend = PrometheusBackend(settings.prometheus_url, credentials=credentials, timeout_seconds=_PATIENCE_SECONDS)
    if settings.ruler is None:
        return AskedEngine(backend, SystemClock().now())
    from flyball.slo_wiring import rule_engine  # draws in all that applying takes, a quarter of a second

    return AskedEngine(backend, SystemClock().now(), rule_engine(settings, backend))


def _show(problems: "Sequence[Problem]") -> None:
    from controlplane.problem_report import as_text
    from flyball.shown_sources import showable

    paths = {problem.path for problem in problems}
    sources = {path: Path(path).read_bytes() for path in paths if Path(path).is_file()}
    shown = {path: showable(path, text) for path, text in sources.items()}
    typer.echo(as_text(problems, shown, typer.get_text_stream("stdout").isatty()), nl=False)
    typer.echo("No plan: mend the files first.", err=True)


def _exit_code(planned: "Planned", *, insisted: bool) -> ExitCode:
    if planned.problems:
        return ExitCode.PROBLEMS
    if insisted and planned.unasked:
        return ExitCode.OUTSIDE
    return ExitCode.DIFFERENCE if planned.differs else ExitCode.OK
