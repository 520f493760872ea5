"""`flyball up`: all daemons and the web server in one process."""

from pathlib import Path
from typing import Annotated

import typer

from flyball.cli import ExitCode
from flyball.cli.settings import settings_or_exit


def up(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The workspace.")] = Path(),
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where the console listens.")] = "",
) -> None:
    """Run everything: watch the SLO files, apply rules, receive and tell alerts, serve the console.

    Alerts are printed to standard output, logs go to standard error. SIGTERM or Ctrl-C ends it in order.

    \b
    Examples:
      flyball up
      flyball up examples/intelgraph --listen 127.0.0.1:0
      FLYBALL_CONSOLE_TOKEN_FILE=/etc/flyball/token flyball up /srv/slo --listen 0.0.0.0:8321
    """
    from controlplane.ports import Permanent, Transient
    from flyball.process import run_everything

    settings = settings_or_exit(folder, {"console.listen": listen})
    if not settings.listen.is_loopback and settings.console_token is None:
        typer.echo(
            f"{settings.listen} can be reached from other machines, so the console needs a token: "
            "set FLYBALL_CONSOLE_TOKEN or FLYBALL_CONSOLE_TOKEN_FILE, or listen on 127.0.0.1",
            err=True,
        )
        raise typer.Exit(ExitCode.PROBLEMS)
    try:
        run_everything(settings)
    except (Transient, Permanent) as error:
        typer.echo(f"flyball up: {error}", err=True)
        raise typer.Exit(ExitCode.OUTSIDE) from None
