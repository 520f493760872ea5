"""`flyball alerts replay`: who would have been told of the alerts of the last days, and by a proposed configuration."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.alert_configuration import configuration_or_exit
from flyball.cli.asking import now, printed
from flyball.cli.declared import fail
from flyball.cli.opened_store import opened_store
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from alerts.explaining.firings import Firings
    from alerts.explaining.replaying import Configuration
    from flyball.settings import Settings

_LONGEST: Final = timedelta(days=92)
_QUERY_SECONDS: Final = 60.0


def replay(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The workspace as it is.")] = Path(),
    proposed: Annotated[
        Path | None, typer.Option("--with", metavar="DIR", help="A proposed workspace to compare with.")
    ] = None,
    since: Annotated[str, typer.Option(help="How far back (7d, 36h), or a time in RFC 3339.")] = "7d",
    until: Annotated[str, typer.Option(help="A time in RFC 3339, or how long ago (2d).", show_default="now")] = "",
    receiver: Annotated[
        str, typer.Option("--receiver", metavar="NAME", help="Only what concerns them: why were they not told?")
    ] = "",
    prometheus: Annotated[
        bool, typer.Option("--prometheus/--no-prometheus", help="Also alerts that only Prometheus knows of.")
    ] = True,
    prometheus_url: Annotated[
        str, typer.Option("--prometheus-url", metavar="URL", help="Instead of the workspace's.")
    ] = "",
    database: Annotated[str, typer.Option(metavar="URL", help="Instead of the workspace's database.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Run the alerts of the last days through the routes again: who is told, when, by what; and what would change.

    Alerts are those that reached us and, to the minute, those that only Prometheus knows of: what was inhibited or
    silenced at Alertmanager, or got lost on the way. Groups, mute times and inhibition are Alertmanager's, incidents
    and escalation ours. Nobody is told anything. Silences made by hand are not known any more.

    Exit status: 0, 1 when files have mistakes, 3 when the database or Prometheus failed.

    \b
    Examples:
      flyball alerts replay --since 7d --with ../proposed
      flyball alerts replay --since 1d --receiver sre-page
      flyball alerts replay --with ../proposed --json | jq '.changes[] | {lost, gained}'
    """
    from alerts.explaining.firings import joined, stored_firings
    from alerts.explaining.replay_views import Report, replay_data, replay_text
    from alerts.explaining.replaying import Configuration
    from alerts.explaining.replaying import replay as run

    at = now()
    end = _moment(until, at, "--until") if until else at
    begin = _moment(since, end, "--since")
    if not timedelta(0) < end - begin <= _LONGEST:
        raise typer.BadParameter(f"must be before --until, by {_LONGEST.days} days at most", param_hint="--since")
    if end > at:
        raise typer.BadParameter("lies in the future", param_hint="--until")
    settings = settings_or_exit(folder, {"prometheus.url": prometheus_url})
    present = Configuration(*configuration_or_exit(folder))
    other = Configuration(*configuration_or_exit(proposed)) if proposed else None
    _ensure_known(receiver, [each for each in (present, other) if each is not None])
    url = database or settings.database_url.reveal()
    with opened_store(url, "alerts replay") as store, store.transaction(read_only=True) as transaction:
        firings = stored_firings(transaction, begin, end)
    if prometheus:
        firings = joined(firings, _prometheus(settings, begin, end))
    report = Report(
        since=begin,
        until=end,
        firings=firings,
        before=run(firings.fired, present, end),
        after=run(firings.fired, other, end) if other else None,
        proposed=str(proposed or ""),
        receiver=receiver,
    )
    printed(replay_data(report), replay_text(report), as_json=as_json)


def _ensure_known(receiver: str, tried: "Sequence[Configuration]") -> None:
    known = sorted({each.name for one in tried for each in one.declared.receivers})
    if receiver and receiver not in known:
        fail(f"no Receiver is named `{receiver}`: there is {', '.join(known) or 'none'}", ExitCode.PROBLEMS)


def _prometheus(settings: "Settings", begin: datetime, end: datetime) -> "Firings":
    from alerts.explaining.firings import prometheus_firings
    from controlplane.adapters.prometheus import PrometheusBackend
    from controlplane.ports import Permanent, Transient

    credentials = settings.prometheus_credentials.reveal() if settings.prometheus_credentials else ""
    try:
        backend = PrometheusBackend(settings.prometheus_url, credentials=credentials, timeout_seconds=_QUERY_SECONDS)
        try:
            return prometheus_firings(backend, begin, end)
        finally:
            backend.close()
    except (Transient, Permanent) as error:
        fail(f"flyball alerts replay: {error}\n--no-prometheus leaves out what only it knows", ExitCode.OUTSIDE)


def _moment(text: str, before: datetime, option: str) -> datetime:
    """A time, or a length before another one."""
    from slo.replay.times import moment_before

    try:
        return moment_before(text, before)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
