"""`flyball alerts`: what was received."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from controlplane.model.alert import StoredAlert

_WIDTH: Final = 80
_COLUMNS: Final = (("STATE", 8), ("SEVERITY", 8), ("SINCE", 16), ("LASTED", 7), ("ALERT", 20))
_HOW_TO_RECEIVE: Final = (
    "No alert was received yet. Set FLYBALL_WEBHOOK_TOKEN, run `flyball up`, and let Alertmanager deliver to\n"
    "http://127.0.0.1:8321/hooks/alertmanager: docs/how-to/receive-alerts.md"
)

app = typer.Typer(
    no_args_is_help=True,
    help="Alerts: what was received, who is told of it, and why.\n\n\b\nExamples:\n  flyball alerts list --firing\n"
    "  flyball alerts route severity=page service=checkout\n  flyball alerts why INC-7",
)


@app.command("list")
def list_alerts(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The workspace.")] = Path(),
    firing: Annotated[bool, typer.Option("--firing", help="Only those that fire now.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print them whole, as JSON.")] = False,
) -> None:
    """List the alerts that Alertmanager delivered, latest start first. Times are UTC.

    \b
    Examples:
      flyball alerts list
      flyball alerts list --firing
      flyball alerts list examples/intelgraph --json | jq '.[].labels.slo'
    """
    from controlplane.ports import Permanent, Transient
    from controlplane.store import open_store

    settings = settings_or_exit(folder)
    try:
        store = open_store(settings.database_url.reveal())
        try:
            store.ping()
            with store.transaction(read_only=True) as transaction:
                alerts = transaction.alerts.firing()[:limit] if firing else transaction.alerts.recent(limit)
        finally:
            store.close()
    except (Transient, Permanent) as error:
        typer.echo(f"flyball alerts: {error}\n`flyball up` makes the database and its tables when it starts.", err=True)
        raise typer.Exit(ExitCode.OUTSIDE) from None
    if as_json:
        typer.echo(_as_json(alerts))
    elif alerts:
        typer.echo(table(alerts))
    else:
        typer.echo("Nothing fires." if firing else _HOW_TO_RECEIVE, err=True)


def table(alerts: "Sequence[StoredAlert]") -> str:
    """The alerts as lines of at most 80 columns; text that does not fit ends in `…`."""
    header = " ".join(f"{title:<{width}}" for title, width in _COLUMNS) + " SLO"
    return "\n".join([header, *(_line(alert) for alert in alerts)])


def _line(stored: "StoredAlert") -> str:
    from controlplane import conventions

    alert = stored.alert
    lasted = "" if alert.ends_at is None else _short(alert.ends_at - alert.starts_at)
    cells = (
        alert.status.value,
        alert.labels.get(conventions.SEVERITY, ""),
        alert.starts_at.strftime("%Y-%m-%d %H:%M"),
        lasted,
        alert.labels.get("alertname", alert.fingerprint),
    )
    start = " ".join(_fit(cell, width) for cell, (_, width) in zip(cells, _COLUMNS, strict=True))
    slo = alert.labels.get(conventions.SLO, "")
    return (start + " " + _fit(slo, _WIDTH - len(start) - 1)).rstrip()


def _fit(text: str, width: int) -> str:
    printable = "".join(character for character in text if character.isprintable())
    return f"{printable if len(printable) <= width else printable[: width - 1] + '…':<{width}}"


def _short(length: timedelta) -> str:
    minutes = round(length.total_seconds() / 60)
    days, hours = divmod(minutes // 60, 24)
    return f"{days}d {hours}h" if days else f"{hours}h {minutes % 60}m" if hours else f"{minutes}m"


def _as_json(alerts: "Sequence[StoredAlert]") -> str:
    import json

    from alerts.told import to_payload

    return json.dumps(
        [
            to_payload(stored.alert)
            | {
                "first_received_at": stored.first_received_at.isoformat(),
                "last_received_at": stored.last_received_at.isoformat(),
                "deliveries": stored.deliveries,
            }
            for stored in alerts
        ],
        indent=2,
        ensure_ascii=False,
    )
