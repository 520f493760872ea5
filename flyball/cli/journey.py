"""`flyball journey`: journeys of a workspace, walked by hand."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail, one_or_exit, values_or_exit

if TYPE_CHECKING:
    from synthetics.journeys.model import Journey
    from synthetics.journeys.ports import StepEvent
    from synthetics.journeys.running import Runner

_HELP: Final = """Walk a journey here and now, and see what journeys there are.

\b
Examples:
  flyball journey list
  flyball journey run core-flow
  flyball journey run core-flow --headed
"""
_LINE: Final = "\r\x1b[K"  # back to the line's begin, and clear it
_NO_DISPLAY: Final = "--headed needs a display: run it on a desktop, or under xvfb-run"

app = typer.Typer(no_args_is_help=True, help=_HELP)

Workspace = Annotated[Path, typer.Argument(metavar="DIR", help="The workspace.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]


@app.command("run")
def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The journey.")],
    folder: Workspace = Path(),
    headed: Annotated[
        bool, typer.Option("--headed", help="Show the browser; the time limit is then half an hour at least.")
    ] = False,
    region: Annotated[
        str, typer.Option(metavar="REGION", help="As a prober of this region would: with the addresses it resolves.")
    ] = "local",
    keep_artifacts: Annotated[
        Path | None,
        typer.Option("--keep-artifacts", metavar="DIR", help="Where screenshots and traces of failures go."),
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Run a journey once, from here: its steps with their times, what failed, and where screenshot and trace lie.

    Secrets come from the environment, under the names that the journey says, or from files (NAME_FILE).

    Exit status: 0 when all is well, 1 when it failed, or files have mistakes, 3 when this side is at fault.

    \b
    Examples:
      flyball journey run core-flow
      flyball journey run core-flow shop --region eu --headed
      flyball journey run core-flow --json | jq '.steps[] | {name, seconds}'
    """
    import asyncio

    from controlplane.adapters.clock import SystemClock
    from controlplane.model.check import Outcome
    from synthetics.journeys.views import end_text, run_data

    journey = one_or_exit(_journeys(folder), name, "Journey")
    runner = _runner(journey, folder, region, keep_artifacts, headed=headed)
    shown = _Shown(as_json=as_json)
    if not as_json:
        typer.echo(journey.display_name or journey.name)
    result, report = asyncio.run(runner.run(journey, SystemClock().now(), shown))
    if as_json:
        typer.echo(json.dumps(run_data(result, report), ensure_ascii=False))
    else:
        typer.echo(end_text(result, report))
    codes = {Outcome.OK: ExitCode.OK, Outcome.FAILED: ExitCode.PROBLEMS, Outcome.FAULT: ExitCode.OUTSIDE}
    raise typer.Exit(codes[result.outcome])


@app.command("list")
def list_(folder: Workspace = Path(), as_json: AsJSON = False) -> None:
    """List the journeys of a workspace.

    \b
    Examples:
      flyball journey list
      flyball journey list shop --json | jq -r '.[].name'
    """
    from synthetics.journeys.views import list_data, list_text

    journeys = list(_journeys(folder).values())
    if as_json:
        typer.echo(json.dumps(list_data(journeys), ensure_ascii=False))
    elif journeys:
        typer.echo(list_text(journeys))
    else:
        typer.echo(f"{folder} declares no Journey: docs/how-to/write-a-journey.md says how to write one")


class _Shown:
    """Steps as they end, in their order; on a terminal also the one that goes on."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._has_terminal = sys.stderr.isatty()

    def __call__(self, event: "StepEvent") -> None:
        from synthetics.journeys.views import step_text

        if self._has_terminal:
            sys.stderr.write(_LINE + (f"  … {event.name}" if event.seconds is None else ""))
            sys.stderr.flush()
        if event.seconds is not None and not self._as_json:
            typer.echo(step_text(event))


def _journeys(folder: Path) -> "dict[str, Journey]":
    from synthetics.journeys.declared import declared
    from synthetics.journeys.kinds import KINDS

    return {each.name: each for each in values_or_exit(folder, declared, KINDS)}


def _runner(journey: "Journey", folder: Path, region: str, kept: Path | None, *, headed: bool) -> "Runner":
    from secrets import token_bytes

    from flyball.cli.region_pins import pins_or_exit
    from flyball.cli.settings import settings_or_exit
    from flyball.settings import variables_of
    from synthetics.journeys.adapters.artifacts import Artifacts
    from synthetics.journeys.adapters.browser import INHERITED, OF_DISPLAYS, BrowserProcess
    from synthetics.journeys.adapters.http import HTTPSessions
    from synthetics.journeys.environment import Environment, variables_named
    from synthetics.journeys.running import Runner

    variables = variables_of({*INHERITED, *OF_DISPLAYS, *variables_named(journey)})
    if headed and not any(name in variables for name in ("DISPLAY", "WAYLAND_DISPLAY")):
        fail(_NO_DISPLAY, ExitCode.OUTSIDE)
    artifacts = kept or settings_or_exit(folder).checks.directory / "artifacts"
    return Runner(
        workspace=folder,
        open_session=HTTPSessions(),
        run_browser=BrowserProcess(variables, Artifacts(artifacts)),
        environment=Environment(variables),
        random_bytes=token_bytes,
        region=region,
        resolve=pins_or_exit(folder, region),
        is_headed=headed,
    )
