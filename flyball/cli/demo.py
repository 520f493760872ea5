"""`flyball demo`: a simulated platform with a month of history, and everything that watches it."""

import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from flyball.cli import ExitCode

if TYPE_CHECKING:
    from flyball.demo.folder import DemoFolder, RunningDemo
    from flyball.demo.run import DemoOptions

app = typer.Typer()

_Folder = Annotated[
    Path | None,
    typer.Option(
        "--folder", metavar="DIR", help="Where the demo keeps its files.", show_default="~/.cache/flyball/demo"
    ),
]
_WIDTH: Final = 80
_FAULT: Final = typer.Argument(metavar="NAME", help="What to break, as listed above.")


@app.callback(invoke_without_command=True)
def demo(
    context: typer.Context,
    folder: _Folder = None,
    history: Annotated[bool, typer.Option("--history/--no-history", help="Begin with 30 days of metrics.")] = True,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The console's port; 0 takes 8321 or a free one.")] = 0,
    probers: Annotated[
        bool, typer.Option("--probers/--no-probers", help="Probe the platform from three regions.")
    ] = True,
    keep: Annotated[bool, typer.Option("--keep", help="Leave data and logs in the folder at the end.")] = False,
) -> None:
    """Run a simulated platform, Prometheus, Alertmanager, Flyball and its probers on this machine's loopback.

    It begins afresh each time and is ready in less than a minute. Alerts are printed as they come. Ctrl-C ends
    everything and removes its files.

    \b
    Examples:
      flyball demo
      flyball demo --folder /tmp/second-demo
      flyball demo break outage
      flyball demo heal outage
      flyball demo status
    """
    context.obj = folder
    if context.invoked_subcommand is None:
        from datetime import timedelta

        from flyball.demo.run import MONTH, DemoOptions

        past = MONTH if history else timedelta(0)
        _run(DemoOptions(_folder(folder), history=past, port=port, keep=keep, probers=probers))


@app.command("break")
def break_(context: typer.Context, name: Annotated[str, _FAULT], folder: _Folder = None) -> None:
    """Break something in the running demo.

    \b
    certificate  the ingress shows a certificate that ends in 2 days
    cost         a connector loops; what goes to the language model multiplies
    crawler      a crawler asks five times the usual; nothing fails
    errors       half of the requests to graphql-gateway fail; clients retry
    ingest       ingest takes in two fifths of what it should
    latency      Neo4j is slow; nearly every read and write is late
    outage       graphql-gateway answers errors only; clients retry
    pagerduty    PagerDuty answers 503; the platform itself is well
    region       the ingress in us cannot be reached; elsewhere all is well
    release      a bad release of graphql-gateway; healing rolls it back
    slow         every page and every API answers 2.5 seconds late
    spend        an agent loops; the ladder steps down to tier 3, nothing fails
    tenant       as outage, for the tenant delta only

    \b
    Example:
      flyball demo break outage
      flyball demo break spend
    """
    _switch(folder or context.obj, name, broken=True)


@app.command()
def heal(context: typer.Context, name: Annotated[str, _FAULT], folder: _Folder = None) -> None:
    """End what was broken.

    `flyball demo status` lists what there is to heal.

    \b
    Example:
      flyball demo heal outage
    """
    _switch(folder or context.obj, name, broken=False)


@app.command()
def status(
    context: typer.Context,
    folder: _Folder = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Say where the running demo answers, what is broken in it, and what is reduced on purpose.

    \b
    Example:
      flyball demo status --json
    """
    import json
    import textwrap

    from controlplane.ports import Permanent, Transient
    from flyball.demo import control

    running = _running(folder or context.obj)
    try:
        faults = control.faults(running)
    except (Transient, Permanent) as error:
        _fail(str(error), ExitCode.OUTSIDE)
    ladders = control.ladders(running)
    addresses = {
        "console": running.console_url,
        "prometheus": running.prometheus_url,
        "alertmanager": running.alertmanager_url,
        "platform": running.platform_url,
        "pages": running.app_url,
        "status page": running.status_url,
        "pager": running.pager_url,
    }
    if as_json:
        broken = {fault.name: fault.since.isoformat() if fault.since else None for fault in faults}
        told = {name.replace(" ", "_"): address for name, address in addresses.items()}
        tiers = {one.ladder: one.tier for one in ladders}
        typer.echo(json.dumps({**told, "broken_since": broken, "ladder_tiers": tiers}))
        return
    for name, address in addresses.items():
        typer.echo(f"{name.capitalize():<13} {address}")
    for one in ladders:
        typer.echo(f"{'Ladder':<13} {one.ladder}: {one.words}")
    for fault in faults:
        state = f"broken since {fault.since:%H:%M:%S} UTC" if fault.since else "not broken"
        typer.echo(f"{fault.name:<13} {state}")
        typer.echo(textwrap.fill(fault.title, _WIDTH, initial_indent=" " * 14, subsequent_indent=" " * 14))


def _run(options: "DemoOptions") -> None:
    from controlplane.adapters.clock import SystemClock
    from controlplane.ports import Permanent, Transient
    from flyball.demo.folder import AlreadyRunning, FolderNotOurs
    from flyball.demo.run import started
    from flyball.demo.servers import ServerNotInstalled
    from flyball.demo.steps import steps_on
    from flyball.demo.watch import watch, welcome

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    began = time.monotonic()
    try:
        with ExitStack() as stack:
            with steps_on(sys.stderr) as steps:
                demo = stack.enter_context(started(options, clock=SystemClock(), steps=steps))
            typer.echo(f"Ready after {time.monotonic() - began:.0f} s.", err=True)
            typer.echo(welcome(demo, _own_name()))
            watch(demo, sys.stdout)
    except KeyboardInterrupt:
        typer.echo("The demo has ended.", err=True)
    except AlreadyRunning as error:
        _fail(f"{error}: use `--folder DIR` for a second one", ExitCode.PROBLEMS)
    except FolderNotOurs as error:
        _fail(f"{error}: choose an empty folder", ExitCode.PROBLEMS)
    except (Transient, Permanent, ServerNotInstalled) as error:
        _fail(f"{error}\nLogs are in {options.folder.logs}", ExitCode.OUTSIDE)


def _own_name() -> str:
    """How the user calls us: by name where that finds this program, else by its path."""
    import shutil

    program = Path(sys.argv[0]).absolute()
    if shutil.which("flyball") == str(program) or not program.is_file():
        return "flyball"
    here = Path.cwd()
    return str(program.relative_to(here)) if program.is_relative_to(here) else str(program)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """The first signal unwinds everything; those that follow must not disturb that."""
    del number, frame
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt


def _switch(folder: Path | None, name: str, *, broken: bool) -> None:
    from controlplane.ports import Permanent, Transient
    from flyball.demo import control

    running = _running(folder)
    try:
        changed = control.switch(running, name, broken=broken)
    except Permanent as error:
        _fail(str(error), ExitCode.PROBLEMS)
    except Transient as error:
        _fail(str(error), ExitCode.OUTSIDE)
    state = "broken" if broken else "healed"
    typer.echo(f"{name}: {state}" if changed else f"{name}: was {'broken already' if broken else 'not broken'}")
    if changed and broken:
        typer.echo(f"Watch {running.console_url}", err=True)


def _running(folder: Path | None) -> "RunningDemo":
    running = _folder(folder).running()
    if running is None:
        _fail(f"no demo is running in {_folder(folder).root}: start one with `flyball demo`", ExitCode.OUTSIDE)
    return running


def _folder(folder: Path | None) -> "DemoFolder":
    from flyball.demo.folder import DemoFolder

    return DemoFolder(folder.absolute()) if folder else DemoFolder.default()


def _fail(message: str, code: ExitCode) -> NoReturn:
    typer.echo(f"flyball demo: {message}", err=True)
    raise typer.Exit(code)
