"""`flyball usage close`: end a month."""

import json
from pathlib import Path
from typing import Annotated

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail
from flyball.cli.settings import settings_or_exit
from flyball.cli.usage.opening import (
    AsJSON,
    Database,
    Month,
    Workspace,
    month_or_exit,
    opened,
    recorded_slos,
    terms_or_exit,
)
from flyball.cli.usage.talking import Counting


def close(
    period: Month,
    workspace: Workspace = Path(),
    database: Database = "",
    early: Annotated[
        bool, typer.Option("--early", help="Do not wait for late senders: what comes later is an adjustment.")
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Close a month: its invoice lines are reckoned, its control totals checked, and nothing of it changes any more.

    Usage of this month that arrives afterwards becomes an adjustment in the next one. Closing it again changes nothing;
    a run that was killed is repeated. `flyball up` closes months by itself when their grace is over (72 h).
    Service credits need Prometheus; where it has no data, they are decided when a later month is closed.

    Exit status: 0, 1 when the month cannot be closed yet or the workspace has mistakes, 3 when the database failed or
    the events do not add up.

    \b
    Examples:
      flyball usage close --period 2026-11
      flyball usage close --period 2026-11 --early --json | jq .totals
    """
    from controlplane.adapters.clock import SystemClock
    from controlplane.model.usage import PeriodState
    from exporters.usage.closing import Closer, NotClosable, read_closed
    from exporters.usage.periods import GRACE, bounds, due_state
    from exporters.usage.views import closed_data, closed_text

    month = month_or_exit(period)
    terms, settings, now = terms_or_exit(workspace), settings_or_exit(workspace), SystemClock().now()
    state = due_state(month, now, GRACE)
    if state is PeriodState.OPEN:
        fail(f"{month} goes on until {bounds(month)[1]:%Y-%m-%d %H:%M} UTC: it cannot be closed yet", ExitCode.PROBLEMS)
    with opened(settings, database) as store, recorded_slos(settings) as source, Counting("recounting") as counting:
        if state is PeriodState.GRACE and not early and read_closed(store, month) is None:
            until, hint = bounds(month)[1] + GRACE, "--early closes it now"
            fail(f"{month} waits for late senders until {until:%Y-%m-%d %H:%M} UTC; {hint}", ExitCode.PROBLEMS)
        try:
            closed = Closer(store, terms, source=source, progress=counting.at).close(month, now)
        except NotClosable as error:
            fail(f"flyball usage close: {error}", ExitCode.PROBLEMS)
    typer.echo(json.dumps(closed_data(closed), ensure_ascii=False) if as_json else closed_text(closed))
