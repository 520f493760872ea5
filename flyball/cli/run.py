"""`flyball run`: one job, without the web server."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.settings import settings_or_exit

PROBER: Final = "prober"

if TYPE_CHECKING:
    from flyball.scheduler import Job, Ran
    from flyball.wiring import Services


def run(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A job of `flyball up`, such as slo, delivery or tidy; or prober.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The workspace.")] = Path(),
    once: Annotated[bool, typer.Option("--once", help="One turn, then end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what a turn did as JSON (with --once).")] = False,
    region: Annotated[str, typer.Option(metavar="REGION", help="Of a prober: where it probes from.")] = "",
    report_to: Annotated[str, typer.Option(metavar="URL", help="Of a prober: the control plane it reports to.")] = "",
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Of a prober: where it answers /probe and /metrics.")
    ] = "",
) -> None:
    """Run one of the jobs of `flyball up` on its own, until a signal ends it or just once; or a prober.

    What only the leader may do is left out while another replica leads; that is no error.
    `prober` runs the probes and journeys of a region, anywhere, and reports to the control plane; reports are signed
    with FLYBALL_PROBER_TOKEN. It needs no database.
    Exit status: 0, 1 when settings or files have mistakes, or 3 when a turn failed.

    \b
    Examples:
      flyball run slo
      flyball run delivery examples/intelgraph
      flyball run slo --once --json
      flyball run prober --region eu --report-to https://flyball.example
      flyball run prober /srv/slo --region eu --report-to https://flyball.example --listen 127.0.0.1:9115
    """
    if name == PROBER:
        _run_prober(folder, region, report_to, listen)
        return
    if region or report_to or listen:
        raise typer.BadParameter("only a prober has a region, reports to somebody and listens", param_hint="NAME")
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


def _run_prober(folder: Path, region: str, report_to: str, listen: str) -> None:
    from controlplane.ports import Permanent, Transient
    from flyball.cli.declared import one_or_exit, show_or_exit
    from flyball.synthetics.prober_process import read_checks, run_prober

    typed = {"checks.region": region, "checks.reportTo": report_to, "console.listen": listen}
    settings = settings_or_exit(folder, typed)
    if not settings.checks.report_to:
        message = "nobody to report to: --report-to URL, FLYBALL_REPORT_TO or checks.reportTo names the control plane"
        typer.echo(f"flyball run prober: {message}", err=True)
        raise typer.Exit(ExitCode.PROBLEMS)
    found = read_checks(folder)
    show_or_exit(folder, found.problems)
    known = {each.name: each for each in found.declared.regions}
    if known:
        one_or_exit(known, settings.checks.region, "Region")
    try:
        run_prober(settings, found.declared, listen=settings.listen if listen else None)
    except (Transient, Permanent) as error:
        typer.echo(f"flyball run prober: {error}", err=True)
        raise typer.Exit(ExitCode.OUTSIDE) from None


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
