"""`flyball runbooks`: what is declared, and runs of it: begun dry, approved step by step, shown as they go."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.asking import login_name, new_id, now, printed
from flyball.cli.declared import declared_or_exit, fail, one_or_exit
from flyball.cli.opened_store import opened_store
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from alerts.runbooks.model import Runbook
    from controlplane.model.follow_up import RunbookRun
    from controlplane.store import SqlStore

_HELP: Final = """Runbooks: what is declared, and runs of their steps.

\b
Examples:
  flyball runbooks list
  flyball runbooks run gateway-outage --incident INC-7
  flyball runbooks run gateway-outage --incident INC-7 --for-real
  flyball runbooks approve 7f3a90c2b1d4 2
  flyball runbooks runs
"""
_POLL_SECONDS: Final = 0.5
_LEADERLESS_SECONDS: Final = 20.0  # longer than a lease: the next leader may be on its way
_INTERRUPTED: Final = 130

app = typer.Typer(no_args_is_help=True, help=_HELP)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The Runbook.")]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="The run, as `flyball runbooks runs` shows it.")]
Folder = Annotated[Path, typer.Argument(metavar="[DIR]", help="The workspace.")]
Database = Annotated[str, typer.Option(metavar="URL", help="Instead of the workspace's database.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]
By = Annotated[
    str, typer.Option("--by", metavar="NAME", help="Who asks; kept in the audit log.", show_default="your login name")
]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Why; kept in the audit log.")]


@app.command("list")
def list_(folder: Folder = Path(), as_json: AsJSON = False) -> None:
    """List the workspace's Runbooks. Exit status: 0, 1 when files have mistakes.

    \b
    Examples:
      flyball runbooks list
    """
    from alerts.runbooks.views import runbook_data, runbooks_text

    known = list(_known_or_exit(folder).values())
    printed([runbook_data(each) for each in known], runbooks_text(known), as_json=as_json)


@app.command("show")
def show(name: Name, folder: Folder = Path(), as_json: AsJSON = False) -> None:
    """Show a Runbook and its steps. Exit status: 0, 1 when there is none of that name.

    \b
    Examples:
      flyball runbooks show gateway-outage
    """
    from alerts.runbooks.views import runbook_data, runbook_text

    runbook = one_or_exit(_known_or_exit(folder), name, "Runbook")
    printed(runbook_data(runbook), runbook_text(runbook), as_json=as_json)


@app.command("run")
def run(
    name: Name,
    folder: Folder = Path(),
    for_real: Annotated[
        bool, typer.Option("--for-real", help="Do it. Without, every step is checked, and nothing is changed.")
    ] = False,
    incident: Annotated[str, typer.Option("--incident", metavar="INC-7", help="The incident that it is for.")] = "",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Show how it goes until it ends or waits.")] = True,
    why: Why = "",
    by: By = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Run a Runbook's steps: dry unless --for-real is given. Whoever leads (`flyball up`) carries it out.

    Every run first checks each step, and changes nothing when one of them cannot be done. Steps that need an approval
    wait for it; on a terminal you are asked here. A step that fails ends the run.

    Exit status: 0 when it is done or waits for an approval, 1 when it failed or was refused, 3 when nobody leads or the
    database failed.

    \b
    Examples:
      flyball runbooks run gateway-outage
      flyball runbooks run gateway-outage --incident INC-7 --for-real --why "5xx since 12:03"
    """
    from alerts.runbooks import asking
    from alerts.runbooks.views import run_data, run_text

    runbook = one_or_exit(_known_or_exit(folder), name, "Runbook")
    who = by or login_name()
    with _opened(folder, database) as store:
        made = asking.begin(
            store, runbook, incident=incident, by=who, is_dry=not for_real, why=why, now=now(), run=new_id()
        )
        if not wait:
            printed(run_data(made), f"Begun: {made.id}; flyball runbooks runs shows it", as_json=as_json)
            return
        done = _Followed(store, made, who, is_shown=not as_json).until_it_rests()
        if as_json:
            printed(run_data(done), "", as_json=True)
        else:
            typer.echo(run_text(done).splitlines()[0])
    _end(done)


@app.command("approve")
def approve(
    run_id: RunId,
    step: Annotated[int, typer.Argument(metavar="STEP", min=1, help="Which step; no other is allowed by it.")],
    folder: Folder = Path(),
    by: By = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Allow the step for which a run waits. Exit status: 0, 1 when it does not wait for that step.

    \b
    Examples:
      flyball runbooks approve 7f3a90c2b1d4 2
    """
    from alerts.runbooks import asking
    from alerts.runbooks.views import run_data

    with _opened(folder, database) as store:
        later = asking.approve(store, run_id, step, by=by or login_name(), now=now())
    printed(run_data(later), f"Approved: step {step} of {later.runbook}", as_json=as_json)


@app.command("stop")
def stop(
    run_id: RunId,
    folder: Folder = Path(),
    why: Why = "",
    by: By = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Refuse the step for which a run waits, or cancel what has not begun. A step that is under way goes on to its end.

    Exit status: 0, 1 when the run is over.

    \b
    Examples:
      flyball runbooks stop 7f3a90c2b1d4 --why "it recovered by itself"
    """
    from alerts.runbooks import asking
    from alerts.runbooks.views import run_data

    with _opened(folder, database) as store:
        ended = asking.end(store, run_id, by=by or login_name(), why=why, now=now())
    printed(run_data(ended), f"{ended.runbook}: {asking.waits_for(ended)}", as_json=as_json)


@app.command("runs")
def runs(
    run_id: Annotated[str, typer.Argument(metavar="[RUN]", help="All of this one.")] = "",
    folder: Folder = Path(),
    incident: Annotated[str, typer.Option("--incident", metavar="INC-7", help="Only those for it.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """List runs, newest first, or show one with every step. Exit status: 0, 1 when there is no such run or incident.

    \b
    Examples:
      flyball runbooks runs
      flyball runbooks runs 7f3a90c2b1d4
    """
    from alerts.runbooks.asking import Refused
    from alerts.runbooks.views import run_data, run_text, runs_text

    with _opened(folder, database) as store, store.transaction(read_only=True) as transaction:
        if run_id:
            found = transaction.follow_up.run(run_id)
            if found is None:
                raise Refused(f"there is no run `{run_id[:80]}`: flyball runbooks runs shows them")
            printed(run_data(found), run_text(found), as_json=as_json)
            return
        about = transaction.incidents.incident(incident) if incident else None
        if incident and about is None:
            raise Refused(f"there is no incident `{incident[:80]}`: flyball incidents list shows them")
        listed = transaction.follow_up.runs(about.id if about else "", limit=limit)
        ids = {run.incident for run in listed if run.incident}
        names = {id_: known.name for id_ in ids if (known := transaction.incidents.incident(id_))}
    printed([run_data(each) for each in listed], runs_text(listed, names) or "No runs yet.", as_json=as_json)


class _Followed:
    """A run, shown as it goes."""

    def __init__(self, store: "SqlStore", begun: "RunbookRun", who: str, *, is_shown: bool) -> None:
        self._store = store
        self._run = begun
        self._who = who
        self._is_shown = is_shown
        self._told: set[str] = set()

    def until_it_rests(self) -> "RunbookRun":
        """Until it ends, or waits for an approval that nobody here gives."""
        from controlplane.model.follow_up import RunState

        began = time.monotonic()
        try:
            while True:
                run = self._look()
                if run.state is RunState.WAITING and not self._asked(run):
                    return run
                if run.state not in (RunState.WAITING, RunState.RUNNING):
                    return run
                if not run.results and time.monotonic() - began >= _LEADERLESS_SECONDS and self._nobody_leads():
                    self._withdraw(run)
                time.sleep(_POLL_SECONDS)
        except KeyboardInterrupt:
            typer.echo(f"\nthe run {self._run.id} goes on: flyball runbooks stop {self._run.id} ends it", err=True)
            raise typer.Exit(_INTERRUPTED) from None

    def _look(self) -> "RunbookRun":
        from alerts.runbooks.running import results_of
        from alerts.runbooks.views import step_line

        with self._store.transaction(read_only=True) as transaction:
            found = transaction.follow_up.run(self._run.id)
        if found is None:
            fail(f"flyball runbooks: the run {self._run.id} is gone from the database", ExitCode.OUTSIDE)
        for number, result in enumerate(results_of(found), 1):
            self._say(step_line(number, result))
        return found

    def _asked(self, run: "RunbookRun") -> bool:
        """Whether somebody at this terminal allowed the next step."""
        from alerts.runbooks import asking
        from alerts.runbooks.running import results_of

        number = run.next_step + 1
        if not (self._is_shown and sys.stdin.isatty()):
            if self._is_shown:
                typer.echo(f"It waits: flyball runbooks approve {run.id} {number}", err=True)
            return False
        result = results_of(run)[run.next_step]
        if not typer.confirm(f"Approve step {number}, {result.name}: {result.checked}?"):
            asking.end(self._store, run.id, by=self._who, why="refused at the terminal", now=now())
        else:
            asking.approve(self._store, run.id, number, by=self._who, now=now())
        return True

    def _say(self, text: str) -> None:
        if self._is_shown and text not in self._told:
            self._told.add(text)
            typer.echo(text)

    def _nobody_leads(self) -> bool:
        from flyball.leadership import LEASE_NAME

        return self._store.leases.holder(LEASE_NAME) is None

    def _withdraw(self, run: "RunbookRun") -> None:
        from alerts.runbooks import asking

        asking.end(self._store, run.id, by=self._who, why="nobody leads", now=now())
        what = "nobody leads, so nothing was done, and the run is cancelled"
        fail(f"flyball runbooks: {what}: start `flyball up`, and begin it again", ExitCode.OUTSIDE)


def _end(done: "RunbookRun") -> None:
    from controlplane.model.follow_up import RunState

    if done.state not in (RunState.DONE, RunState.WAITING):
        fail(f"flyball runbooks: {done.why}", ExitCode.PROBLEMS)


def _known_or_exit(folder: Path) -> "dict[str, Runbook]":
    from alerts.runbooks.declared import declared
    from alerts.runbooks.kinds import KINDS

    if not folder.is_dir():
        fail(f"{folder} is not a folder", ExitCode.PROBLEMS)
    known = declared_or_exit(folder, declared, KINDS)
    if not known:
        fail(f"{folder} declares no Runbook: docs/how-to/run-a-runbook.md says how to write one", ExitCode.PROBLEMS)
    return known


@contextmanager
def _opened(folder: Path, database: str) -> "Iterator[SqlStore]":
    from alerts.runbooks.asking import Refused

    url = database or settings_or_exit(folder).database_url.reveal()
    with opened_store(url, "runbooks", Refused) as store:
        yield store
