"""`flyball probe`: probes of a workspace, run by hand."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail, one_or_exit, values_or_exit

if TYPE_CHECKING:
    from synthetics.probes.model import Probe, ProbeModule
    from synthetics.probes.running import Place

_HELP: Final = """Probe an endpoint here and now, and see what there is to probe.

\b
Examples:
  flyball probe list
  flyball probe run checkout
  flyball probe run checkout --json | jq .phases
  flyball probe modules --blackbox /etc/prometheus/blackbox.yml > modules.yaml
"""

app = typer.Typer(no_args_is_help=True, help=_HELP)

Workspace = Annotated[Path, typer.Argument(metavar="DIR", help="The workspace.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]


@app.command("run")
def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The probe.")],
    folder: Workspace = Path(),
    region: Annotated[
        str, typer.Option(metavar="REGION", help="As a prober of this region would: with the addresses it resolves.")
    ] = "local",
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Every hop and every metric, too.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Run a probe once, from here, and show its phases, what was asserted and what was seen.

    Exit status: 0 when all is well, 1 when it failed, or files have mistakes, 3 when this prober is at fault.

    \b
    Examples:
      flyball probe run checkout
      flyball probe run checkout shop --region eu --verbose
      flyball probe run checkout --json | jq '.assertions[] | select(.holds | not)'
    """
    import asyncio

    from controlplane.adapters.clock import SystemClock
    from controlplane.model.check import Outcome
    from synthetics.probes.running import run_probe
    from synthetics.probes.views import run_data, run_text

    probe = one_or_exit(_probes(folder), name, "Probe")
    place = _place(probe, folder, region)
    done = asyncio.run(run_probe(probe, place, SystemClock().now()))
    typer.echo(json.dumps(run_data(done), ensure_ascii=False) if as_json else run_text(probe, done, verbose=verbose))
    codes = {Outcome.OK: ExitCode.OK, Outcome.FAILED: ExitCode.PROBLEMS, Outcome.FAULT: ExitCode.OUTSIDE}
    raise typer.Exit(codes[done.result.outcome])


@app.command("list")
def list_(folder: Workspace = Path(), as_json: AsJSON = False) -> None:
    """List the probes of a workspace.

    \b
    Examples:
      flyball probe list
      flyball probe list shop --json | jq -r '.[].target'
    """
    from synthetics.probes.views import list_data, list_text

    probes = list(_probes(folder).values())
    if as_json:
        typer.echo(json.dumps(list_data(probes), ensure_ascii=False))
    elif probes:
        typer.echo(list_text(probes))
    else:
        typer.echo(f"{folder} declares no Probe: docs/how-to/probe-an-endpoint.md says how to write one")


@app.command("modules")
def modules(
    folder: Workspace = Path(),
    blackbox: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Convert the modules of a blackbox_exporter's configuration instead."),
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """List the modules that probes and /probe may name; or print those of a blackbox.yml as ProbeModule documents.

    What cannot be carried over is told on stderr. Exit status: 1 when the file cannot be read, or files have mistakes.

    \b
    Examples:
      flyball probe modules
      flyball probe modules --blackbox /etc/prometheus/blackbox.yml > modules.yaml
    """
    from synthetics.probes.views import modules_data, modules_text

    if blackbox is not None:
        _convert(blackbox)
        return
    known = sorted(_modules(folder).values(), key=lambda one: (one.source is None, one.name))
    typer.echo(json.dumps(modules_data(known), ensure_ascii=False) if as_json else modules_text(known))


def _convert(path: Path) -> None:
    from synthetics.probes.blackbox_config import NotAConfiguration, converted

    try:
        content = path.read_bytes()
    except OSError as error:
        fail(f"{path}: {error.strerror}", ExitCode.PROBLEMS)
    try:
        text, lost = converted(content)
    except NotAConfiguration as error:
        fail(f"{path}: {error}", ExitCode.PROBLEMS)
    for line in lost:
        typer.echo(f"{path}: {line}", err=True)
    typer.echo(text, nl=False)


def _probes(folder: Path) -> "dict[str, Probe]":
    from synthetics.probes.declared import declared
    from synthetics.probes.kinds import KINDS

    return {one.name: one for one in values_or_exit(folder, declared, KINDS)}


def _modules(folder: Path) -> "dict[str, ProbeModule]":
    from synthetics.probes.builtin import BUILT_IN
    from synthetics.probes.declared_modules import declared_modules
    from synthetics.probes.kinds import PROBE_MODULE

    own = values_or_exit(folder, declared_modules, (PROBE_MODULE,)) if folder.is_dir() else ()
    return {**BUILT_IN, **{one.name: one for one in own}}


def _place(probe: "Probe", folder: Path, region: str) -> "Place":
    from secrets import token_bytes

    from flyball.cli.region_pins import pins_or_exit
    from flyball.settings import variables_of
    from synthetics.probes.running import Place, variables_named

    return Place(region, token_bytes, variables_of(variables_named(probe)), pins_or_exit(folder, region))
