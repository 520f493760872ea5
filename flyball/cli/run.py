"""`flyball run`: one job, without the web server."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flyball.cli import ExitCode
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from flyball.scheduler import Job, Ran
    from flyball.wiring import Services


def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="slo, delivery, reconcile, files, vitals or tidy.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The workspace.")] = Path(),
    once: Annotated[bool, typer.Option("--once", help="One turn, then end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what a turn did as JSON (with --once).")] = False,
) -> None:
    """Run one of the jobs of `flyball up` on its own, until a signal ends it or just once.

    What only the leader may do is left out while another replica leads; that is no error.
    Exit status: 0, or 3 when a turn failed.

    \b
    Examples:
      flyball run slo
      flyball run delivery examples/intelgraph
      flyball run slo --once --json
    """
    from controlplane.ports import Permanent, Transient
    from flyball.logs import set_up_logs
    from flyball.process import run_jobs
    from flyball.wiring import wire

    settings = settings_or_exit(folder)
    set_up_logs(log_format=settings.log_format, level=settings.log_level, secrets=settings.secrets())
    try:
        services = wire(settings, console=sys.stderr if as_json else sys.stdout)  # JSON stays alone on standard output
    except (Transient, Permanent) as error:
        typer.echo(f"flyball run: {error}", err=True)
        raise typer.Exit(ExitCode.OUTSIDE) from None
    job = services.job(name)
    if job is None:
        services.close()
        names = ", ".join(job.name for job in services.jobs)
        raise typer.BadParameter(f"there is no job {name!r}; choose one of {names}", param_hint="NAME")
    if not once:
        run_jobs(services, [job])
        return
    try:
        ran = _one_turn(services, job)
    finally:
        services.close()
    _tell(job, ran, as_json=as_json)


def _one_turn(services: "Services", job: "Job") -> "Ran":
    if job.leader_only:
        services.leadership.renew()
    try:
        return services.runner.run(job)
    finally:
        services.leadership.stop()


def _tell(job: "Job", ran: "Ran", *, as_json: bool) -> None:
    import dataclasses
    import json

    from flyball.scheduler import Outcome

    if as_json:
        result = dataclasses.asdict(ran.result) if dataclasses.is_dataclass(ran.result) else None  # type: ignore[arg-type]
        document = {"job": job.name, "outcome": ran.outcome.value, "error": ran.error, "result": result}
        typer.echo(json.dumps(document, default=_plain))
    else:
        why = f": {ran.error}" if ran.error else ": another replica leads" if ran.outcome is Outcome.SKIPPED else ""
        typer.echo(f"{job.name}: {ran.outcome.value}{why}")
    if ran.outcome is Outcome.FAILED:
        raise typer.Exit(ExitCode.OUTSIDE)


def _plain(value: object) -> str:
    from enum import Enum

    return str(value.value) if isinstance(value, Enum) else str(value)
