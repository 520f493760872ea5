"""`flyball alerts oncall`: who is on call now, then, and next."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.asking import now, printed
from flyball.cli.declared import declared_or_exit, fail, one_or_exit

if TYPE_CHECKING:
    from alerts.schedules.model import Schedule

_DAYS: Final = 14
_MOST_DAYS: Final = 366


def oncall(
    name: Annotated[str, typer.Argument(metavar="[SCHEDULE]", help="The turns of this schedule.")] = "",
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The workspace.")] = Path(),
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help="Then instead of now: such as 2026-12-24T20:00, or with a zone.")
    ] = "",
    days: Annotated[
        int, typer.Option("--days", metavar="N", min=1, max=_MOST_DAYS, help="How far to look ahead.")
    ] = _DAYS,
    as_calendar: Annotated[bool, typer.Option("--ical", help="Print the turns as an iCalendar file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON, times in UTC.")] = False,
) -> None:
    """Who is on call: without a SCHEDULE by each of them and who comes next, with one every turn of the next days.

    Times are those of the schedule's time zone. Files alone say it: no server is asked.

    Exit status: 0, 1 when files have mistakes, when there is no such schedule or nobody is on call by it.

    \b
    Examples:
      flyball alerts oncall
      flyball alerts oncall sre --at 2026-12-24T20:00
      flyball alerts oncall sre --days 90 --ical > on-call.ics
      flyball alerts oncall examples/intelgraph --json | jq '.[].on_call'
    """
    from alerts.schedules.declared import declared
    from alerts.schedules.kinds import KINDS

    if "/" in name or name == ".":  # no name of a schedule
        name, folder = "", Path(name)
    if as_calendar and as_json:
        raise typer.BadParameter("say one of --ical and --json", param_hint="--json")
    if not folder.is_dir():
        fail(f"{folder} is not a folder", ExitCode.PROBLEMS)
    known = declared_or_exit(folder, declared, KINDS)
    if not known:
        fail(f"{folder} declares no Schedule: docs/how-to/be-on-call.md says how to write one", ExitCode.PROBLEMS)
    chosen = [one_or_exit(known, name, "Schedule")] if name else list(known.values())
    moments = [_moment_or_exit(at, schedule) for schedule in chosen]
    if as_calendar:
        _print_calendar(chosen, moments, days)
    elif name:
        _print_turns(chosen[0], moments[0], days, as_json=as_json)
    else:
        _print_all(chosen, moments, as_json=as_json)


def _print_all(schedules: "list[Schedule]", moments: list[datetime], *, as_json: bool) -> None:
    from alerts.schedules.views import on_call_data, on_call_table, on_call_view

    views = [on_call_view(schedule, at) for schedule, at in zip(schedules, moments, strict=True)]
    printed([on_call_data(view) for view in views], on_call_table(views), as_json=as_json)
    _exit_unless(all(view.who for view in views))


def _print_turns(schedule: "Schedule", at: datetime, days: int, *, as_json: bool) -> None:
    from alerts.schedules.turns import on_call, turns
    from alerts.schedules.views import turns_data, turns_table

    found = turns(schedule, at, at + timedelta(days=days))
    printed(turns_data(schedule, found), turns_table(schedule, found), as_json=as_json)
    _exit_unless(bool(on_call(schedule, at)))


def _print_calendar(schedules: "list[Schedule]", moments: list[datetime], days: int) -> None:
    from alerts.schedules.calendar_file import calendar_file
    from alerts.schedules.turns import whole_turns

    found = [
        (schedule, whole_turns(schedule, at, at + timedelta(days=days)))
        for schedule, at in zip(schedules, moments, strict=True)
    ]
    typer.echo(calendar_file(found, now()), nl=False)


def _moment_or_exit(text: str, schedule: "Schedule") -> datetime:
    """When is meant: by the clocks of the schedule where no zone is said."""
    from controlplane.calendar.moments import moment_of
    from controlplane.calendar.zones import zone

    if not text:
        return now().astimezone(UTC)
    found = moment_of(text, zone(schedule.zone))
    if found is None:
        raise typer.BadParameter(f"`{text}` is no time: write it as 2026-12-24T20:00, or …Z", param_hint="--at")
    return found


def _exit_unless(is_covered: bool) -> None:
    if not is_covered:
        fail("nobody is on call", ExitCode.PROBLEMS)
