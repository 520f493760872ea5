"""`flyball apply`: make Prometheus run what the SLO files say, once."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.settings import settings_or_exit

_NAMED: Final = 3  # new SLOs; of more only their number is told

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from controlplane.adapters.prometheus import PrometheusBackend
    from flyball.planning.live import Applied
    from flyball.settings import Settings
    from flyball.slo_workspace import SLOWorkspace
    from slo.daemon import ApplyOutcome
    from slo.manifest import Manifest


def apply(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The workspace.")] = Path(),
    prometheus: Annotated[
        str, typer.Option(metavar="URL", help="Prometheus' address; by default that of flyball.yaml.")
    ] = "",
    rules_directory: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="Folder of which Prometheus reads current/*.yaml; by default from flyball.yaml."
        ),
    ] = None,
    keep_history: Annotated[
        bool, typer.Option("--keep-history", help="Copy the past of renamed SLOs to their new names.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of words.")] = False,
) -> None:
    """Compile the SLO files, hand the rules to Prometheus, and see that it runs them.

    The files are switched all at once; Prometheus reloads; what it then runs is read back. If it refuses, or runs
    something else, the last good rules come back.

    Exit status: 0 when the rules run, 1 when the files have mistakes (nothing was changed), 3 when Prometheus
    refused or can't be reached.

    \b
    Examples:
      flyball apply
      flyball apply slo/ --prometheus http://127.0.0.1:9090 --rules-directory /etc/prometheus/flyball
      flyball apply --json | jq -r .outcome
      flyball apply --keep-history    # after `flyball plan` told of a rename
    """
    from controlplane.ports import Permanent, Transient
    from flyball.planning.live import applied_in
    from flyball.slo_wiring import slo_workspace

    given = {
        "prometheus.url": prometheus,
        "prometheus.rulesDirectory": str(rules_directory.absolute()) if rules_directory else "",
    }
    settings = settings_or_exit(folder, given)
    workspace = slo_workspace(settings)
    try:
        before = applied_in(settings.rules_directory)
        outcome = _run(settings, workspace)
    except (Transient, Permanent) as error:
        typer.echo(f"Not applied: {error}", err=True)
        raise typer.Exit(ExitCode.OUTSIDE) from None
    if as_json:
        typer.echo(_json(outcome, settings), nl=False)
    else:
        _say(outcome, settings, workspace)
        _tell_of_pasts(settings, before, outcome, keep_history)
    if keep_history and before.manifest and _exit_code(outcome) is ExitCode.OK:
        _keep_history(settings, before.manifest)
    raise typer.Exit(_exit_code(outcome))


def _run(settings: "Settings", workspace: "SLOWorkspace") -> "ApplyOutcome":
    from controlplane.adapters.clock import SystemClock
    from controlplane.adapters.prometheus import PrometheusBackend
    from flyball.exclusion_journal import ExclusionJournal
    from flyball.slo_wiring import slo_daemon

    credentials = settings.prometheus_credentials.reveal() if settings.prometheus_credentials else ""
    backend = PrometheusBackend(settings.prometheus_url, credentials=credentials)
    try:
        with _progress(f"Applying {settings.folder} to {settings.rule_engine}"):
            _look_for_models(workspace, backend)
            journal = ExclusionJournal(settings.database_url.reveal(), "flyball apply")
            return slo_daemon(settings, workspace, backend, journal).run_once(SystemClock().now())
    finally:
        backend.close()


def _look_for_models(workspace: "SLOWorkspace", backend: "PrometheusBackend") -> None:
    """So that models that no file lists are priced; a Prometheus that does not answer is told by what follows."""
    from contextlib import suppress

    from controlplane.adapters.clock import SystemClock
    from controlplane.adapters.files import read_folder
    from controlplane.ports import Permanent, Transient
    from flyball.money.reading import money_in

    price_maps = money_in(read_folder(workspace.folder)[0]).declared.price_maps
    if price_maps:
        with suppress(Transient, Permanent):
            workspace.models.look(price_maps, backend, SystemClock().now())


def _tell_of_pasts(settings: "Settings", before: "Applied", outcome: "ApplyOutcome", keep_history: bool) -> None:
    """That new SLOs can have a past; nothing where it cannot be known which are new, or they get that of a rename."""
    from flyball.history_copying import renames_between
    from flyball.planning.live import applied_in, new_slos
    from slo.daemon import ApplyState

    if outcome.state is ApplyState.APPLIED and _exit_code(outcome) is ExitCode.OK:
        after = applied_in(settings.rules_directory)
        new = new_slos(before, after)
        if keep_history and after.manifest:
            renamed = {slo.name for _, slo in renames_between(before.manifest, after.manifest.lines)}
            new = tuple(name for name in new if name not in renamed)
        if new:
            which = ", ".join(new) if len(new) <= _NAMED else _count(len(new), "SLO")
            them, verb = ("its", "begins") if len(new) == 1 else ("their", "begin")
            typer.echo(f"{which} {verb} now: `flyball slo backfill` computes {them} past.", err=True)


def _keep_history(settings: "Settings", before: "Manifest") -> None:
    """Copy the past of what was renamed since `before`; exits where that fails."""
    from controlplane import conventions
    from controlplane.adapters.clock import SystemClock
    from controlplane.adapters.prometheus import PrometheusBackend
    from controlplane.adapters.remote_write import RemoteWriter
    from controlplane.ports import Permanent, Transient
    from flyball.history_copying import copy_history, renames_between
    from flyball.planning.live import applied_in
    from flyball.planning.report import in_days
    from flyball.slo_wiring import with_credentials

    after = applied_in(settings.rules_directory).manifest
    renames = renames_between(before, after.lines if after else ())
    url = with_credentials(settings)
    backend = PrometheusBackend(url)
    try:
        with RemoteWriter(url) as writer:
            for copied in copy_history(renames, backend, writer, SystemClock().now()):
                words = f"{_count(copied.samples, 'sample')}, {in_days(copied.days)}"
                typer.echo(f"{copied.name} has the history of {copied.earlier_name}: {words}.", err=True)
    except (Transient, Permanent) as error:
        names = ", ".join(f"{conventions.ANNOTATION_RENAMED_FROM}: {earlier} on {slo.name}" for earlier, slo in renames)
        typer.echo(f"The rules run, but the history was not copied: {error}.\nInstead, write: {names}", err=True)
        raise typer.Exit(ExitCode.OUTSIDE) from None
    finally:
        backend.close()


def _progress(words: str) -> "AbstractContextManager[object]":
    """A spinner with the time so far, on a terminal."""
    if not typer.get_text_stream("stderr").isatty():
        return nullcontext()
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    progress.add_task(words, total=None)
    return progress


def _say(outcome: "ApplyOutcome", settings: "Settings", workspace: "SLOWorkspace") -> None:
    """What happened, what it means, what next."""
    from controlplane.problem_report import as_text
    from slo.daemon import ApplyState

    if outcome.problems:
        colour = typer.get_text_stream("stdout").isatty()
        typer.echo(as_text(outcome.problems, workspace.sources(), colour))
    match outcome.state:
        case ApplyState.APPLIED | ApplyState.UNCHANGED:
            verb = "Applied" if outcome.state is ApplyState.APPLIED else "Nothing to do"
            runs = (
                f"{_count(outcome.slos, 'SLO')}, {_count(outcome.rules, 'rule')} in {_count(outcome.groups, 'group')}"
            )
            typer.echo(f"{verb}: {settings.rule_engine} runs {runs} (generation {outcome.generation[:12]}).")
            if outcome.reason:
                typer.echo(f"But {outcome.reason}.", err=True)
        case ApplyState.REJECTED:
            typer.echo("Nothing was applied: mend the files first. The last good rules stay as they are.", err=True)
            if outcome.reason:
                typer.echo(outcome.reason, err=True)
        case ApplyState.UNREACHABLE:
            typer.echo(f"{outcome.reason}. Nothing was changed; apply again when it answers.", err=True)
        case ApplyState.ROLLED_BACK:
            typer.echo(f"Rolled back: {outcome.reason}.\n{_after_rollback(outcome)}", err=True)


def _after_rollback(outcome: "ApplyOutcome") -> str:
    if outcome.restored and outcome.groups:
        return f"The last good rules ({_count(outcome.groups, 'group')}) are live again."
    if outcome.restored:
        return "No rules of ours run, as before: none were applied successfully yet."
    return "The files of the last good rules are back in place, but Prometheus did not confirm that it runs them."


def _json(outcome: "ApplyOutcome", settings: "Settings") -> str:
    import json

    from controlplane.problem_report import as_json

    document = {
        "outcome": outcome.state.value,
        "reason": outcome.reason,
        "generation": outcome.generation,
        "slos": outcome.slos,
        "groups": outcome.groups,
        "rules": outcome.rules,
        "dashboardsChanged": outcome.dashboards_changed,
        "lastGoodRulesLive": outcome.restored,
        "prometheus": settings.prometheus_url,
        "ruleEngine": settings.rule_engine,
        "rulesDirectory": str(settings.rules_directory),
        "problems": json.loads(as_json(outcome.problems)),
    }
    return json.dumps(document, indent=2) + "\n"


def _exit_code(outcome: "ApplyOutcome") -> ExitCode:
    from controlplane.problems import has_errors
    from slo.daemon import ApplyState

    if has_errors(outcome.problems):
        return ExitCode.PROBLEMS
    runs = outcome.state in (ApplyState.APPLIED, ApplyState.UNCHANGED)
    return ExitCode.OK if runs and not outcome.reason else ExitCode.OUTSIDE


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
