"""`flyball slo test`: run the unit tests that hold the compiled rules against what the SLO files ask for."""

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flyball.cli import ExitCode

if TYPE_CHECKING:
    from flyball.proving import Verdict


def prove(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The workspace, or one file.")] = Path(),
    only: Annotated[
        list[str] | None, typer.Option("--slo", metavar="NAME", help="Only these SLOs; may be given several times.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="How many run at once.")] = os.cpu_count() or 1,
    afresh: Annotated[bool, typer.Option("--afresh", help="Run also what passed before and did not change.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON.")] = False,
) -> None:
    """Compile the SLO files and hold the rules against them with promtool.

    For every alerting tier: errors at 1.05 times its threshold must fire, at 0.95 times stay silent, and end in time;
    no traffic alarms nobody; series that vanish are told of. The same tests are written by `flyball compile` to
    OUT/prometheus/tests, where `promtool test rules` runs them. Exit status 1 when one fails.

    \b
    Examples:
      flyball slo test
      flyball slo test slo --slo checkout-availability
      flyball slo test --json | jq '.failed'
    """
    from flyball.proving import NoPromtool

    with tempfile.TemporaryDirectory(prefix="flyball-proofs-") as scratch:
        names = _prepared(folder, Path(scratch), only or [])
        try:
            found = _run(Path(scratch), names, jobs=jobs, afresh=afresh, quiet=as_json)
        except NoPromtool as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(ExitCode.OUTSIDE) from None
    failed = [verdict for verdict in found if verdict.failures]
    if as_json:
        typer.echo(json.dumps(_as_json(found), indent=2))
    else:
        _show(found, failed)
    if failed:
        raise typer.Exit(ExitCode.PROBLEMS)


def _prepared(folder: Path, scratch: Path, only: list[str]) -> list[str]:
    """Rules and tests in `scratch`; the names of the tests to run."""
    from controlplane.conventions import RULES_SUBFOLDER
    from flyball.cli.settings import settings_or_exit
    from flyball.cli.slo.reading import slos_or_exit
    from flyball.in_parallel import rule_texts
    from flyball.proving import proof_texts, tests_among, write_all
    from slo.compiler import CompileOptions

    settings = settings_or_exit(folder if folder.is_dir() else folder.parent)
    slos = slos_or_exit(folder, only)
    # One rule file for each SLO, also where many would share theirs: a failure then names the SLO.
    options = CompileOptions(settings.external_url, settings.runbook_url_template, len(slos))
    rules = {f"{RULES_SUBFOLDER}/{name}": text for name, text in rule_texts(slos, options, map).items()}
    files = rules | proof_texts(slos, options, map)
    write_all(scratch, files)
    return tests_among(files)


def _run(scratch: Path, names: list[str], *, jobs: int, afresh: bool, quiet: bool) -> "list[Verdict]":
    from rich.console import Console
    from rich.progress import track

    from flyball.proving import PASSED_SUBFOLDER, verdicts
    from flyball.settings import cache_folder

    caches = None if afresh else cache_folder()
    passed = caches / PASSED_SUBFOLDER if caches else None
    running = verdicts(scratch, names, jobs=jobs, passed=passed)
    console = Console(stderr=True, quiet=quiet)
    tracked = track(running, "promtool", total=len(names), console=console, transient=True)
    return sorted(tracked, key=lambda verdict: verdict.name)


def _as_json(found: "list[Verdict]") -> dict[str, object]:
    return {
        "statements": sum(verdict.statements for verdict in found),
        "failed": sum(len(verdict.failures) for verdict in found),
        "files": [
            {"name": each.name, "statements": each.statements, "remembered": each.remembered, "failures": each.failures}
            for each in found
        ],
    }


def _show(found: "list[Verdict]", failed: "list[Verdict]") -> None:
    for verdict in failed:
        typer.echo(f"{verdict.name}:")
        for failure in verdict.failures:
            typer.echo(f"  {failure}\n")
    told = sum(verdict.statements for verdict in found)
    remembered = sum(verdict.remembered for verdict in found)
    known = f" ({remembered} of {len(found)} files unchanged since they passed)" if remembered else ""
    wrong = sum(len(verdict.failures) for verdict in failed)
    outcome = f"{wrong} of {told:,} statements about alerts are not true" if wrong else f"{told:,} statements hold"
    typer.echo(f"{outcome} in {len(found)} test files{known}")
