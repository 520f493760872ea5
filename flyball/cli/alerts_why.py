"""`flyball alerts why`: why somebody was told of an incident or an alert, or was not."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flyball.cli.alert_configuration import readable_configuration
from flyball.cli.asking import now, printed
from flyball.cli.opened_store import opened_store
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from alerts.explaining.why import AtAlertmanager
    from flyball.settings import Settings


def why(
    asked: Annotated[
        str, typer.Argument(metavar="ID|INC-7|FINGERPRINT", help="An incident, or an alert by its fingerprint.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The workspace.")] = Path(),
    database: Annotated[str, typer.Option(metavar="URL", help="Instead of the workspace's database.")] = "",
    ask: Annotated[
        bool, typer.Option("--ask/--no-ask", help="Ask Alertmanager what it keeps quiet now, and by what.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Why somebody was told of an incident or an alert, or was not: the decision again, with all that it came from.

    Routes and why they took it, the alert or silence that kept it quiet, tiers in force, deliveries by Alertmanager,
    every attempt to reach people, steps of escalation. Routes are those of the files as they stand now.

    What never reached us is not found here: `flyball alerts replay` finds it in Prometheus.

    Exit status: 0, 1 when there is nothing of that name, 3 when the database failed.

    \b
    Examples:
      flyball alerts why INC-7
      flyball alerts why bd513747d51d3acc
      flyball alerts why INC-7 --json | jq -r .verdict
    """
    from alerts.explaining.decisions import Decider
    from alerts.explaining.why import Unknown
    from alerts.explaining.why import why as explain
    from alerts.explaining.why_views import why_data, why_text

    settings = settings_or_exit(folder)
    declared, further = readable_configuration(folder)
    there = _there(settings, is_asked=ask)
    url = database or settings.database_url.reveal()
    with opened_store(url, "alerts why", Unknown) as store, store.transaction(read_only=True) as transaction:
        found = explain(transaction, asked.strip(), decider=Decider(declared, further), there=there, now=now())
    printed(why_data(found), why_text(found), as_json=as_json)


def _there(settings: "Settings", *, is_asked: bool) -> "AtAlertmanager":
    """What Alertmanager holds, where somebody named one."""
    from alerts.explaining.why import AtAlertmanager
    from controlplane.adapters.alertmanager import AlertmanagerBackend
    from controlplane.ports import Permanent, Transient

    if not is_asked or not settings.alertmanager_is_named:
        return AtAlertmanager()
    try:
        backend = AlertmanagerBackend(settings.alertmanager_url)
        try:
            return AtAlertmanager(tuple(backend.alerts()), tuple(backend.silences()), asked=True)
        finally:
            backend.close()
    except (Transient, Permanent) as error:
        return AtAlertmanager(fault=str(error))
