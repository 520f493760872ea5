"""`flyball status`: public status pages."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode, status_build, status_post
from flyball.cli.declared import fail
from flyball.cli.status_opening import (
    AsJSON,
    Database,
    Folder,
    PageName,
    measured_or_unknown,
    moment_or_exit,
    now,
    opened,
    page_or_exit,
    pages_or_exit,
    printed,
)

if TYPE_CHECKING:
    from controlplane.model.status_record import CorrectionRecord

_HELP: Final = """Public status pages: what they say, and who is told.

\b
Examples:
  flyball status show
  flyball status post --title "Exports fail" --component exports=partial_outage --body "…"
  flyball status drafts
  flyball status approve 7f3k2m9x1q0a --by ann
  flyball status build -o public/
"""

app = typer.Typer(no_args_is_help=True, help=_HELP)
subscribers = typer.Typer(
    no_args_is_help=True, help="Who hears of a page.\n\n\b\nExamples:\n  flyball status subscribers list"
)
app.command("build")(status_build.build)
app.command("post")(status_post.post)
app.command("approve")(status_post.approve)
app.command("discard")(status_post.discard)
app.command("edit")(status_post.edit)
app.add_typer(subscribers, name="subscribers")


@app.command("show")
def show(page: PageName = "", folder: Folder = Path(), database: Database = "", as_json: AsJSON = False) -> None:
    """Show what the public sees now: components with their uptime of 90 days, open incidents, planned work.

    \b
    Examples:
      flyball status show
      flyball status show shop examples/shop --json | jq '.components[] | select(.status != "operational")'
    """
    from synthetics.status_page.snapshot import snapshot
    from synthetics.status_page.views import show_data, show_text

    chosen = page_or_exit(page, folder)
    at = now()
    measured = measured_or_unknown(chosen, folder, at)
    with opened(folder, database) as store, store.transaction(read_only=True) as transaction:
        shown = snapshot(chosen, transaction, at, measured_slos=measured, tells_slos=True)
        waiting = len(transaction.status.waiting(chosen.name))
    printed(show_data(shown, waiting), show_text(shown, waiting), as_json=as_json)


@app.command("drafts")
def drafts(page: PageName = "", folder: Folder = Path(), database: Database = "", as_json: AsJSON = False) -> None:
    """List updates that wait for approval, oldest first, of one page or of all.

    \b
    Examples:
      flyball status drafts
      flyball status drafts --json | jq '.[] | select(.overdue_seconds > 0)'
    """
    from synthetics.status_page.views import drafts_data, drafts_text

    pages = [page_or_exit(page, folder)] if page else list(pages_or_exit(folder).values())
    at, found = now(), []
    with opened(folder, database) as store, store.transaction(read_only=True) as transaction:
        for each in pages:
            for update in transaction.status.waiting(each.name):
                incident = transaction.status.incident(each.name, update.incident)
                if incident is not None:
                    found.append((update, incident))
    printed(drafts_data(found, at), drafts_text(found, at), as_json=as_json)


@app.command("correct")
def correct(
    page: PageName = "",
    folder: Folder = Path(),
    component: Annotated[str, typer.Option(metavar="ID", help="The component.")] = "",
    from_: Annotated[str, typer.Option("--from", metavar="TIME", help="Where it begins, by the page's clocks.")] = "",
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="Where it ends.")] = "",
    status: Annotated[
        str, typer.Option(metavar="WORD", help="What it counts as; unknown: on neither side.")
    ] = "operational",
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it is public.")] = "",
    withdraw: Annotated[str, typer.Option(metavar="ID", help="Take one back instead.")] = "",
    by: status_post.By = "command line",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Count some time differently from what was measured; without options, list the corrections.

    The page shows every correction with its reason beside the percentage that it changes.

    \b
    Examples:
      flyball status correct --component api --from "2026-11-03 14:00" --until "2026-11-03 14:20" \\
        --status partial_outage --reason "Our probes did not see failed sign-ins." --by ann
      flyball status correct --withdraw 0f3a9c --by ann
    """
    from controlplane.model.public_status import Correction
    from synthetics.status_page import corrections as known
    from synthetics.status_page.views import correction_data

    chosen = page_or_exit(page, folder)
    with opened(folder, database) as store:
        if withdraw:
            with store.transaction() as transaction:
                gone = known.withdraw(chosen, transaction, withdraw, by=by, now=now())
            if gone is None:
                fail(f"no correction {withdraw} was made by hand; those of the file leave with it", ExitCode.PROBLEMS)
            printed(correction_data(gone), f"Withdrawn {gone.id}", as_json=as_json)
            return
        if not component:
            with store.transaction(read_only=True) as transaction:
                _list_corrections(transaction.status.corrections(chosen.name), as_json=as_json)
            return
        if chosen.component(component) is None:
            fail(f"page {chosen.name} has no component {component}", ExitCode.PROBLEMS)
        start, end = moment_or_exit(from_, chosen, "--from"), moment_or_exit(until, chosen, "--until")
        if start >= end:
            raise typer.BadParameter("ends before it begins", param_hint="--until")
        if not reason.strip():
            raise typer.BadParameter("the public reads why", param_hint="--reason")
        words = {each.value: each for each in known.statuses()}
        if status not in words:
            raise typer.BadParameter(f"one of {', '.join(words)}", param_hint="--status")
        at = now()
        correction = Correction(start, end, words[status], reason.strip(), at)
        with store.transaction() as transaction:
            record = known.correct(chosen, transaction, component=component, correction=correction, by=by, now=at)
    text = f"{record.id}: {component} counts as {status} from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
    printed(correction_data(record), text, as_json=as_json)


@subscribers.command("list")
def list_subscribers(
    page: PageName = "", folder: Folder = Path(), database: Database = "", as_json: AsJSON = False
) -> None:
    """List who subscribed to a page, with their addresses: handle the output with care.

    \b
    Examples:
      flyball status subscribers list
      flyball status subscribers list --json | jq -r '.[] | select(.state == "active") | .address'
    """
    from synthetics.status_page.views import subscribers_data, subscribers_text

    chosen = page_or_exit(page, folder)
    with opened(folder, database) as store, store.transaction(read_only=True) as transaction:
        found = transaction.status.subscribers(chosen.name)
    printed(subscribers_data(found), subscribers_text(found), as_json=as_json)


@subscribers.command("remove")
def remove_subscriber(
    subscriber: Annotated[str, typer.Argument(metavar="ID|ADDRESS", help="Whom.")],
    page: PageName = "",
    folder: Folder = Path(),
    by: status_post.By = "command line",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """End a subscription. Who was removed may subscribe again.

    \b
    Examples:
      flyball status subscribers remove ann@example.com --by support
    """
    from synthetics.status_page.subscribers import remove

    chosen = page_or_exit(page, folder)
    with opened(folder, database) as store, store.transaction() as transaction:
        ids = [each.id for each in transaction.status.subscribers(chosen.name) if subscriber in (each.id, each.address)]
        removed = [id_ for id_ in ids if remove(chosen, transaction, id_, now(), by)]
    if not removed:
        fail(f"page {chosen.name} has no subscriber {subscriber}", ExitCode.PROBLEMS)
    printed({"removed": removed}, f"Removed {', '.join(removed)}", as_json=as_json)


def _list_corrections(found: "list[CorrectionRecord]", *, as_json: bool) -> None:
    from synthetics.status_page.views import correction_data

    lines = [
        f"{each.id}  {each.component}  {each.correction.start:%Y-%m-%d %H:%M} to {each.correction.end:%H:%M} UTC"
        f"  {each.correction.status.value}{'  (withdrawn)' if each.withdrawn_at else ''}\n    {each.correction.reason}"
        for each in found
    ]
    printed([correction_data(each) for each in found], "\n".join(lines) or "No corrections.", as_json=as_json)
