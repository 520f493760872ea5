"""`flyball ladder hold` and `resume`: no move by itself, and again."""

from pathlib import Path
from typing import Annotated

import typer

from flyball.cli.ladder.opening import (
    AsJSON,
    By,
    Database,
    Folder,
    For,
    Name,
    Until,
    Why,
    end_or_exit,
    known_or_exit,
    new_id,
    opened,
    printed,
    who,
)
from flyball.cli.ladder.waiting import Timeout, Wait, finished


def hold(
    name: Name,
    folder: Folder = Path(),
    why: Why = "",
    length: For = "",
    until: Until = "",
    by: By = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Keep a ladder where it is, in both directions, until a time or until it is resumed. People still may move it.

    A step that is open goes on to its end. A hold replaces the one before it.

    Exit status: 0, 1 when there is no such ladder, 3 when the database failed.

    \b
    Examples:
      flyball ladder hold intelgraph --for 2h --why "release in progress"
      flyball ladder hold intelgraph --until 2026-12-01T18:00+01:00 --why "INC-812" --by ann
    """
    from controlplane import wording
    from finops.ladder import orders
    from finops.ladder.views import hold_data

    asks = who(by, why)
    end = end_or_exit(length, until, asks.now)
    with opened(folder, database) as store:
        made = orders.hold(store, known_or_exit(store, folder, name), asks, until=end)
    stays = "until it is resumed" if made.until is None else f"until {wording.utc(made.until)}"
    printed(hold_data(made), f"{name} is held {stays}: flyball ladder resume {name} lifts that", as_json=as_json)


def resume(
    name: Name,
    folder: Folder = Path(),
    keep_theirs: Annotated[
        bool, typer.Option("--keep-theirs", help="Flags that people changed stay so; the ladder forgets them.")
    ] = False,
    take_back: Annotated[
        bool, typer.Option("--take-back", help="Flags that people changed get the tier's values again.")
    ] = False,
    why: Why = "it may go on",
    by: By = "",
    wait: Wait = True,
    timeout: Timeout = "5m",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Let a held ladder move again, and say what becomes of flags that people changed while a tier was in force.

    Exit status: 0, 1 when nothing holds it or it did not go well, 3 when the database failed or nobody leads.

    \b
    Examples:
      flyball ladder resume intelgraph
      flyball ladder resume intelgraph --keep-theirs --why "depth 3 is what customers were promised"
      flyball ladder resume intelgraph --take-back
    """
    from controlplane.model.ladder import OrderKind
    from finops.ladder import orders
    from finops.ladder.views import hold_data

    if keep_theirs and take_back:
        raise typer.BadParameter("say one of --keep-theirs and --take-back", param_hint="--take-back")
    choice = OrderKind.KEEP_THEIRS if keep_theirs else OrderKind.TAKE_BACK if take_back else None
    asks = who(by, why)
    with opened(folder, database) as store:
        target = known_or_exit(store, folder, name)
        done = orders.resume(store, target, asks, order=new_id(), choice=choice)
        if done.lifted is not None and not as_json:
            typer.echo(f"{name} is held no more by {done.lifted.by}")
        if done.order is not None:
            finished(store, done.order, wait=wait, timeout=timeout, as_json=as_json)
        elif as_json and done.lifted is not None:
            printed({"ladder": name, "lifted": hold_data(done.lifted)}, "", as_json=True)
