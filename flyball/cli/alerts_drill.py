"""`flyball alerts drill`: a marked page to each contact by the real way, and how long they take to acknowledge."""

import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from controlplane.model.incident import Priority
from flyball.cli import ExitCode
from flyball.cli.asking import length_or_exit, login_name, new_id, now, printed
from flyball.cli.declared import fail
from flyball.cli.incidents.opening import declared_in
from flyball.cli.opened_store import opened_store
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from alerts.drills.contacts import Contact
    from alerts.drills.holding import Answer
    from alerts.incidents.desk import Desk
    from controlplane.store import SqlStore

_POLL_SECONDS: Final = 1.0


def drill(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The workspace.")] = Path(),
    receiver: Annotated[
        list[str] | None, typer.Option("--receiver", metavar="NAME", help="This Receiver; may be repeated.")
    ] = None,
    policy: Annotated[
        list[str] | None, typer.Option("--policy", metavar="NAME", help="Everybody in this EscalationPolicy.")
    ] = None,
    schedule: Annotated[
        list[str] | None, typer.Option("--schedule", metavar="NAME", help="Who is on call by this Schedule now.")
    ] = None,
    everyone: Annotated[
        bool, typer.Option("--everyone", help="All who take turns in schedules, not only who is on call now.")
    ] = False,
    priority: Annotated[
        Priority, typer.Option("--priority", help="Of the page: channels that take only others stay quiet.")
    ] = Priority.P1,
    wait: Annotated[
        str, typer.Option("--wait", metavar="LENGTH", help="How long to wait for acknowledgements, such as 5m.")
    ] = "5m",
    yes: Annotated[bool, typer.Option("--yes", help="Do it: people's telephones ring.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say whom it would reach, and by what.")] = False,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Why; those who are paged read it.")] = "",
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who holds it.", show_default="your login name")] = "",
    database: Annotated[str, typer.Option(metavar="URL", help="Instead of the workspace's database.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Send a page marked [DRILL] to each contact by the way that real ones take, and measure who acknowledges when.

    Without --receiver, --policy and --schedule: to everybody in every policy. Whoever leads (`flyball up`) delivers it.
    It ends when everybody answered or the time is up, and closes what it opened at PagerDuty and in chats; it does so
    too when this command is interrupted.

    Exit status: 0 when everybody was told and acknowledged, 1 when not, or when it was refused; 3 when the database
    failed.

    \b
    Examples:
      flyball alerts drill --schedule sre --dry-run
      flyball alerts drill --schedule sre --wait 5m --yes
      flyball alerts drill --policy p0 --why "quarterly drill" --yes
      flyball alerts drill --receiver sre-page --yes --json | jq '.answers[].acknowledged_seconds'
    """
    from alerts.drills.contacts import Refused, contacts_of
    from alerts.drills.holding import LONGEST_WAIT
    from alerts.incidents.desk import Desk
    from alerts.incidents.desk import Refused as Declined

    length = length_or_exit(wait, "--wait")
    if length > LONGEST_WAIT:
        raise typer.BadParameter("a drill waits for 4h at most", param_hint="--wait")
    settings = settings_or_exit(folder)
    declared = declared_in(folder)
    try:
        contacts = contacts_of(
            declared, receivers=receiver or (), policies=policy or (), schedules=schedule or (), everyone=everyone,
            priority=priority, at=now(),
        )  # fmt: skip
    except Refused as error:
        fail(f"flyball alerts drill: {error}", ExitCode.PROBLEMS)
    if dry_run:
        data = [{"receiver": each.receiver, "why": each.why, "channels": list(each.channels)} for each in contacts]
        printed(data, _planned(contacts), as_json=as_json)
        return
    if not yes:
        _confirmed(contacts)
    with opened_store(database or settings.database_url.reveal(), "alerts drill", Declined) as store:
        held = _Held(store, Desk(store, lambda: declared, new_id), is_shown=not as_json)
        found = held.hold(contacts, priority=priority, wait=length, by=by or login_name(), why=why)
    _end(found, as_json=as_json)


class _Held:
    """A drill from its beginning to its end."""

    def __init__(self, store: "SqlStore", desk: "Desk", *, is_shown: bool) -> None:
        self._store = store
        self._desk = desk
        self._is_shown = is_shown
        self._told: set[tuple[str, str]] = set()

    def hold(
        self, contacts: "tuple[Contact, ...]", *, priority: Priority, wait: timedelta, by: str, why: str
    ) -> "list[Answer]":
        """Whatever happens meanwhile, it is ended."""
        from alerts.drills.holding import begin, end

        incidents = begin(
            self._desk, self._store, contacts, drill=new_id(), priority=priority, wait=wait, by=by, why=why, now=now()
        )
        try:
            self._follow(incidents, wait)
        except KeyboardInterrupt:
            typer.echo("\ninterrupted: the drill ends here", err=True)
        return end(self._desk, self._store, incidents, now())

    def _follow(self, incidents: list[str], wait: timedelta) -> None:
        """Show what happens as it does, until all have answered or the time is up."""
        from alerts.drills.holding import answers

        deadline = time.monotonic() + wait.total_seconds()
        while True:
            with self._store.transaction(read_only=True) as transaction:
                found = answers(transaction, incidents)
            for each in found:
                self._show(each)
            left = deadline - time.monotonic()
            if left <= 0 or all(each.acknowledged_after is not None for each in found):
                return
            time.sleep(min(_POLL_SECONDS, left))

    def _show(self, each: "Answer") -> None:
        from controlplane import wording

        for channel, after in each.told:
            self._say(each.receiver, f"told by {channel} after {wording.duration(after)}")
        if each.fault:
            self._say(each.receiver, f"failed: {each.fault}")
        if each.acknowledged_after is not None:
            after = each.acknowledged_after
            self._say(each.receiver, f"acknowledged after {wording.duration(after)} by {each.acknowledged_by}")

    def _say(self, receiver: str, text: str) -> None:
        if self._is_shown and (receiver, text) not in self._told:
            self._told.add((receiver, text))
            typer.echo(f"{now():%H:%M:%S}  {receiver}: {text}")


def _end(found: "list[Answer]", *, as_json: bool) -> None:
    from alerts.drills.holding import answer_data, answers_text

    went_well = all(each.acknowledged_after is not None for each in found)
    if not as_json:
        typer.echo("")
    printed({"answers": [answer_data(each) for each in found], "all": went_well}, answers_text(found), as_json=as_json)
    if not went_well:
        raise typer.Exit(ExitCode.PROBLEMS)


def _planned(contacts: "tuple[Contact, ...]") -> str:
    width = max(len(each.receiver) for each in contacts)
    return "\n".join(
        f"{each.receiver:<{width}}  {each.why}: {', '.join(each.channels) or 'no channel takes this priority'}"
        for each in contacts
    )


def _confirmed(contacts: "tuple[Contact, ...]") -> None:
    if not sys.stdin.isatty():
        raise typer.BadParameter("a drill rings people's telephones: say --yes, or --dry-run", param_hint="--yes")
    typer.echo(_planned(contacts))
    typer.confirm("Page them for real, marked as a drill?", abort=True)
