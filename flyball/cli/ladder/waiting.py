"""What becomes of an order, shown as it happens."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail
from flyball.cli.ladder.opening import length_or_exit, login_name, now, printed

if TYPE_CHECKING:
    from datetime import datetime

    from controlplane.model.event import JSON
    from controlplane.model.ladder import LadderOrder, StepRecord
    from controlplane.store import SqlStore

Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is done, and show how it goes.")]
Timeout = Annotated[str, typer.Option("--timeout", metavar="LENGTH", help="How long to wait at most.")]
_POLL_SECONDS: Final = 0.25
_LEADERLESS_SECONDS: Final = 20.0  # longer than a lease: the next leader may be on its way


def finished(store: "SqlStore", order: "LadderOrder", *, wait: bool, timeout: str, as_json: bool) -> None:
    """Show how the order goes until it is done; its end is that of the program. Without `wait`, say that it was placed.

    Where nobody leads, the order is withdrawn: it must not happen by surprise, whenever somebody does.
    """
    from finops.ladder.views import order_data, step_data

    most = length_or_exit(timeout, "--timeout").total_seconds()
    if not wait:
        printed(order_data(order), f"Ordered: {order.id}; flyball ladder status shows it", as_json=as_json)
        return
    followed = _Followed(store, order, is_shown=not as_json)
    try:
        done = followed.until_done(most)
    except KeyboardInterrupt:
        fail(f"\norder {order.id} stands: flyball ladder status {order.ladder} shows it", ExitCode.OUTSIDE)
    data: dict[str, JSON] = {**order_data(done), "steps": [step_data(each) for each in followed.steps()]}
    printed(data, done.result or ("Done" if done.is_done_well else "It did not go well"), as_json=as_json)
    if not done.is_done_well:
        raise typer.Exit(ExitCode.PROBLEMS)


class _Followed:
    """One order and the steps that it makes."""

    def __init__(self, store: "SqlStore", order: "LadderOrder", *, is_shown: bool) -> None:
        self._store = store
        self._order = order
        self._is_shown = is_shown
        self._told: set[str] = set()
        self._warned = False

    def until_done(self, most_seconds: float) -> "LadderOrder":
        """The order as it ended; ends the program where that takes too long."""
        began = time.monotonic()
        while True:
            order = self._look()
            if order.done_at is not None:
                return order
            waited = time.monotonic() - began
            if order.begun_at is None and waited >= min(_LEADERLESS_SECONDS, most_seconds) and self._nobody_leads():
                self._withdraw()
            if waited >= most_seconds:
                goes_on = f"order {order.id} stands, and flyball ladder status {order.ladder} shows it"
                fail(f"flyball ladder: it is not done yet; {goes_on}", ExitCode.OUTSIDE)
            time.sleep(_POLL_SECONDS)

    def steps(self) -> "list[StepRecord]":
        """Those that the order made, in order."""
        with self._store.transaction(read_only=True) as transaction:
            steps = transaction.ladders.steps(self._order.ladder, self._order.at)
        return [step for step in reversed(steps) if step.order == self._order.id]

    def _look(self) -> "LadderOrder":
        with self._store.transaction(read_only=True) as transaction:
            order = transaction.ladders.order(self._order.id)
        if order is None:
            fail(f"flyball ladder: order {self._order.id} is gone from the database", ExitCode.OUTSIDE)
        if order.begun_at is None and not self._warned and self._nobody_leads():
            self._warned = True
            self._tell("nobody leads now", "waiting for a replica that does: `flyball up`")
        for step in self.steps():
            for key, line in lines_of(step):
                if key not in self._told:
                    self._told.add(key)
                    self._tell("", line)
        return order

    def _tell(self, first: str, text: str) -> None:
        if self._is_shown:
            typer.echo(f"{first}: {text}" if first else text)

    def _nobody_leads(self) -> bool:
        from flyball.leadership import LEASE_NAME

        return self._store.leases.holder(LEASE_NAME) is None

    def _withdraw(self) -> None:
        from finops.ladder.orders import Refused, Who, withdraw_order

        try:
            withdraw_order(self._store, self._order.id, Who(login_name(), "nobody leads", now()))
        except Refused:
            return  # it was begun at last
        what = "nobody leads, so nothing was done, and the order is withdrawn"
        fail(f"flyball ladder: {what}: start `flyball up`, and order it again", ExitCode.OUTSIDE)


def lines_of(step: "StepRecord") -> Iterator[tuple[str, str]]:
    """What a step did so far, one line for each thing, with a key that stays the same."""
    from controlplane.model.ladder import StepPhase

    way = f"{step.from_tier} → {step.to_tier}"
    flags = len({change.flag for change in step.changes})
    yield _line(step, step.decided_at, "intent", f"tier {way}, {flags} flag{'' if flags == 1 else 's'}: {step.reason}")
    if step.written_at:
        yield _line(step, step.written_at, "written", "read back as written")
    if step.visible_at:
        yield _line(step, step.visible_at, "visible", "clients see it")
    if step.verified_at:
        yield _line(step, step.verified_at, "verified", f"green: {', '.join(step.journeys) or 'no journeys'}")
    if step.phase is StepPhase.UNDOING or (step.outcome and step.undo_as is step.outcome):
        yield f"{step.id} undoing", f"{'':8}  undoing    {step.detail}".rstrip()
    if step.ended_at and step.outcome:
        yield _line(step, step.ended_at, step.outcome.value, f"tier {way}")


def _line(step: "StepRecord", at: "datetime", word: str, text: str) -> tuple[str, str]:
    return f"{step.id} {word}", f"{at:%H:%M:%S}  {word:<9}  {text}"
