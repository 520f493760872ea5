"""`flyball ladder step`: a ladder moved by hand, by the same verified steps."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flyball.cli.ladder.opening import (
    AsJSON,
    By,
    Database,
    Folder,
    Why,
    known_or_exit,
    new_id,
    opened,
    printed,
    target_or_exit,
    who,
)
from flyball.cli.ladder.waiting import Timeout, Wait, finished

if TYPE_CHECKING:
    from controlplane.store import SqlStore
    from finops.ladder.orders import Target

NameOrNot = Annotated[str, typer.Argument(metavar="NAME", help="The ladder.")]


def step(
    name: NameOrNot = "",
    folder: Folder = Path(),
    to: Annotated[int | None, typer.Option("--to", metavar="N", help="The tier; 0 is full service.")] = None,
    withdraw: Annotated[
        str, typer.Option("--withdraw", metavar="ID", help="Instead: take back an order that was not begun.")
    ] = "",
    why: Why = "",
    by: By = "",
    wait: Wait = True,
    timeout: Timeout = "15m",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Order a ladder to a tier. The replica that leads goes there tier by tier, and verifies each step as its own.

    Dwell, cool-down and the changes of a day do not hold people back; flags that people changed, journeys that fail,
    tiers that need an approval, and the kill switch do. Then shows each phase as it happens.

    Exit status: 0 when it stands there, 1 when it was refused or undone, 3 when nobody leads, it took too long, or the
    database failed.

    \b
    Examples:
      flyball ladder step intelgraph --to 2 --why "provider incident, INC-812"
      flyball ladder step intelgraph --to 0 --why "all is calm" --no-wait
      flyball ladder step --withdraw 7f3a90c2b1d4 --why "not needed any more"
    """
    from finops.ladder import orders
    from finops.ladder.views import order_data

    asks = who(by, why)
    if withdraw:
        with opened(folder, database) as store:
            gone = orders.withdraw_order(store, withdraw, asks)
        printed(order_data(gone), f"Withdrawn: order {gone.id}", as_json=as_json)
        return
    if not name:
        raise typer.BadParameter("say which ladder", param_hint="NAME")
    if to is None:
        raise typer.BadParameter("say which tier; 0 is full service", param_hint="--to")
    with opened(folder, database) as store:
        target = _target(store, folder, name, to)
        made = orders.order_step(store, target, asks, order=new_id(), to=to)
        finished(store, made, wait=wait, timeout=timeout, as_json=as_json)


def _target(store: "SqlStore", folder: Path, name: str, to: int) -> "Target":
    """Down needs no file: what tiers changed stands in the store, and broken files must not keep service reduced."""
    with store.transaction(read_only=True) as transaction:
        state = transaction.ladders.state(name)
    is_down = state is not None and 0 <= to < state.tier
    return known_or_exit(store, folder, name) if is_down else target_or_exit(store, folder, name)
