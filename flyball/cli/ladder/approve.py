"""`flyball ladder approve`: who allows a tier, why, and until when."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from flyball.cli.ladder.opening import (
    AsJSON,
    By,
    Database,
    Folder,
    For,
    Until,
    Why,
    end_or_exit,
    opened,
    printed,
    target_or_exit,
    who,
)
from flyball.cli.ladder.opening import new_id as new_approval

_STANDARD: Final = timedelta(hours=1)
_STANDARD_EXTENSION: Final = timedelta(hours=24)


def approve(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The ladder.")] = "",
    folder: Folder = Path(),
    tier: Annotated[int | None, typer.Option("--tier", metavar="N", help="The tier that is allowed.")] = None,
    jump: Annotated[bool, typer.Option("--jump", help="An emergency jump to it, over the tiers between.")] = False,
    extend: Annotated[
        bool, typer.Option("--extend", help="That it stays in force until then, although it expires.")
    ] = False,
    withdraw: Annotated[str, typer.Option("--withdraw", metavar="ID", help="Instead: take an approval back.")] = "",
    why: Why = "",
    length: For = "",
    until: Until = "",
    by: By = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Allow a ladder one step into a tier, one emergency jump to it, or that a tier stays in force longer.

    A step or a jump uses the approval up, when the ladder's conditions ask for it. It ends by itself: after an hour
    where nothing is said, after 24 hours at most; one that extends a tier after 24 hours, and 7 days at most.

    Exit status: 0, 1 when it is refused, 3 when the database failed.

    \b
    Examples:
      flyball ladder approve intelgraph --tier 5 --why "black Friday, INC-812"
      flyball ladder approve intelgraph --tier 6 --jump --for 4h --why "runaway agent" --by ann
      flyball ladder approve intelgraph --tier 3 --extend --until 2026-12-02T08:00+01:00 --why "vendor outage"
      flyball ladder approve --withdraw 7f3a90c2b1d4 --why "the spike is over"
    """
    from controlplane import wording
    from controlplane.model.ladder import ApprovalScope
    from finops.ladder import orders
    from finops.ladder.views import approval_data

    asks = who(by, why)
    if withdraw:
        with opened(folder, database) as store:
            gone = orders.withdraw(store, withdraw, asks)
        printed(approval_data(gone), f"Withdrawn: approval {gone.id} of tier {gone.tier}", as_json=as_json)
        return
    if not name:
        raise typer.BadParameter("say which ladder", param_hint="NAME")
    if tier is None:
        raise typer.BadParameter("say which tier", param_hint="--tier")
    if jump and extend:
        raise typer.BadParameter("say one of --jump and --extend", param_hint="--extend")
    scope = ApprovalScope.JUMP if jump else ApprovalScope.EXTEND if extend else ApprovalScope.STEP
    end = end_or_exit(length, until, asks.now) or asks.now + (_STANDARD_EXTENSION if extend else _STANDARD)
    with opened(folder, database) as store:
        target = target_or_exit(store, folder, name)
        made = orders.approve(store, target, asks, approval=new_approval(), tier=tier, scope=scope, until=end)
    allowed = {
        ApprovalScope.STEP: f"one step into tier {tier}",
        ApprovalScope.JUMP: f"one jump to tier {tier}",
        ApprovalScope.EXTEND: f"tier {tier} to stay",
    }[scope]
    text = f"{made.by} allows {name} {allowed} until {wording.utc(end)}: approval {made.id}"
    printed(approval_data(made), text, as_json=as_json)
