"""`flyball dora effects`: what deployments did to error budgets and unit costs."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.asking import length_or_exit, now, printed
from flyball.cli.declared import declared_or_exit, fail
from flyball.cli.dora.opening import AsJSON, Database, Service, check_names, opened, policy_or_exit
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from controlplane.model.delivery import Deployment
    from controlplane.store import SqlStore
    from exporters.dora.policy.model import DeliveryPolicy

_MOST: Final = 1000


def effects(
    deployment: Annotated[
        str, typer.Argument(metavar="[DEPLOYMENT]", help="Its id or the end of it, a version, or a revision.")
    ] = "",
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The workspace.")] = Path(),
    since: Annotated[str, typer.Option("--since", metavar="LENGTH", help="That long until now, such as 30d.")] = "30d",
    service: Service = "",
    worst: Annotated[int, typer.Option("--worst", min=1, max=_MOST, help="So many, the worst first.")] = 10,
    again: Annotated[
        bool, typer.Option("--again", help="Measure anew first, such as after a ledger was restated.")
    ] = False,
    prometheus: Annotated[
        str, typer.Option(metavar="URL", help="Prometheus' address; by default that of flyball.yaml.")
    ] = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Say which deployments spent most error budget and money, or all that one of them did, with intervals.

    What came after a deployment is compared with what the hour before and the days before let expect; how far such
    expectations go wrong is measured on the service's own past (docs/explanation/deployment-effects.md).

    Exit status: 0, 1 when no deployment or several have that name or files have mistakes, 3 when the database or (with
    --again) Prometheus failed.

    \b
    Examples:
      flyball dora effects
      flyball dora effects --since 7d --service checkout --worst 3
      flyball dora effects 4.2.1 --service checkout
      flyball dora effects --again --since 14d
      flyball dora effects --json | jq -r '.budgets[] | [.service, .version, .figures.spent.budget[0]] | @tsv'
    """
    if folder == Path() and _is_workspace(deployment):
        deployment, folder = "", Path(deployment)
    policy, at = policy_or_exit(folder), now()
    start, service = at - length_or_exit(since, "--since"), policy.service(service)
    with opened(folder, database) as store:
        with store.transaction(read_only=True) as transaction:
            check_names(transaction.delivery, policy, service=service, environment="")
        chosen = _named(store, deployment, service, at) if deployment else None
        if again:
            _measure(store, policy, folder, prometheus, chosen.at if chosen else start, at, service, chosen)
        if chosen:
            _show_one(store, policy, chosen, at, as_json=as_json)
        else:
            _show_worst(store, policy, start, at, service=service, number=worst, as_json=as_json)


def _is_workspace(text: str) -> bool:
    """Whether what stands in a name's place can only mean a folder: `flyball dora effects shop/`."""
    from flyball.settings import FILE_NAME

    folder = Path(text)
    return bool(text) and folder.is_dir() and ("/" in text or text.startswith(".") or (folder / FILE_NAME).is_file())


def _named(store: "SqlStore", name: str, service: str, at: datetime) -> "Deployment":
    from exporters.dora.report.finding import deployment_named

    with store.transaction(read_only=True) as transaction:
        return deployment_named(transaction, name, at, service=service)


def _measure(
    store: "SqlStore",
    policy: "DeliveryPolicy",
    folder: Path,
    prometheus: str,
    start: datetime,
    at: datetime,
    service: str,
    chosen: "Deployment | None",
) -> None:
    from exporters.dora.effects.daemon import EffectsDaemon
    from exporters.unit_cost.declared import declared
    from flyball.cli.cost.ledgers import prometheus_of

    unit_costs = tuple(declared_or_exit(folder, declared).values())
    with prometheus_of(settings_or_exit(folder, {"prometheus.url": prometheus})) as backend:
        daemon = EffectsDaemon(store, backend, lambda: policy, lambda: unit_costs)
        service, id_ = (chosen.service, chosen.id) if chosen else (service, "")
        turn = daemon.again(start, at, service=service, deployment=id_)
    number = f"{turn.measured:,} deployment{'' if turn.measured == 1 else 's'}"
    if turn.waits:
        fail(f"flyball dora effects: measured {number} anew, the others wait: {turn.waits}", ExitCode.OUTSIDE)
    typer.echo(f"Measured {number} anew.", err=True)


def _show_one(
    store: "SqlStore", policy: "DeliveryPolicy", chosen: "Deployment", at: datetime, *, as_json: bool
) -> None:  # fmt: skip
    from exporters.dora.effects.rows import of_deployment
    from exporters.dora.effects.views import effect_data, effects_text, waiting_text

    with store.transaction(read_only=True) as transaction:
        rows = transaction.delivery.effects_of([chosen.id]).get(chosen.id, [])
    found = of_deployment(rows)
    text = effects_text(found) if found else waiting_text(chosen, policy, at)
    printed({"deployment": chosen.id, "effects": [effect_data(each) for each in found]}, text, as_json=as_json)


def _show_worst(
    store: "SqlStore",
    policy: "DeliveryPolicy",
    start: datetime,
    end: datetime,
    *,
    service: str,
    number: int,
    as_json: bool,
) -> None:
    from exporters.dora.effects.ranking import worst
    from exporters.dora.effects.views import worst_data, worst_text

    with store.transaction(read_only=True) as transaction:
        found = worst(transaction, start, end, policy, service=service, number=number)
    printed(worst_data(found), worst_text(found), as_json=as_json)
