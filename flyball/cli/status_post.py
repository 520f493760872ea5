"""`flyball status post`, `approve`, `discard`, `edit`: what people say in public."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail
from flyball.cli.status_opening import (
    AsJSON,
    Database,
    Folder,
    PageName,
    moment_or_exit,
    now,
    opened,
    page_or_exit,
    pages_or_exit,
    printed,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from controlplane.model.public_status import ComponentStatus
    from controlplane.ports import Transaction
    from synthetics.status_page.model import StatusPage
    from synthetics.status_page.posting import Posting

UpdateId = Annotated[str, typer.Argument(metavar="ID", help="The update; `flyball status drafts` lists them.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who does it; kept in the audit log.")]


def post(
    page: PageName = "",
    folder: Folder = Path(),
    title: Annotated[str, typer.Option(metavar="TEXT", help="Of a new incident or maintenance.")] = "",
    incident: Annotated[str, typer.Option(metavar="ID", help="The incident that this updates.")] = "",
    status: Annotated[
        str, typer.Option(metavar="WORD", help="investigating, identified, monitoring, resolved, postmortem.")
    ] = "",
    impact: Annotated[str, typer.Option(metavar="WORD", help="none, minor, major, critical; else by components.")] = "",
    component: Annotated[
        list[str] | None, typer.Option(metavar="ID=STATUS", help="What a component is now; may be repeated.")
    ] = None,
    body: Annotated[str, typer.Option(metavar="MARKDOWN", help="What happened, what it means, what comes next.")] = "",
    maintenance: Annotated[bool, typer.Option("--maintenance", help="Planned work: with --from and --until.")] = False,
    from_: Annotated[str, typer.Option("--from", metavar="TIME", help="When planned work begins.")] = "",
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="When it ends.")] = "",
    publish: Annotated[
        bool | None, typer.Option("--publish/--draft", help="At once, or wait for approval; the page's policy decides.")
    ] = None,
    by: By = "command line",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Tell customers of an incident or of planned work, or how it goes on. Times are by the page's clocks.

    Where the page requires approval this is a draft: somebody approves it with `flyball status approve`. What is
    published is told to all subscribers, and promises when the next update comes.

    Exit status: 0, 1 when it is refused, 3 when the database failed.

    \b
    Examples:
      flyball status post --title "Exports fail" --status investigating --component exports=partial_outage \\
        --body "Exports of large graphs fail since 14:00. We are looking for the cause."
      flyball status post --incident k3v9 --status resolved --body "Exports work again."
      flyball status post --maintenance --title "New database" --component graph=under_maintenance \\
        --from "2026-12-05 22:00" --until "2026-12-05 23:30" --body "Queries pause for some minutes."
    """
    from synthetics.status_page.posting import post as post_
    from synthetics.status_page.views import posted_data, posted_text

    chosen = page_or_exit(page, folder)
    planned = (from_, until) if maintenance else None
    posting = _posting(chosen, title, incident, status, impact, component or [], body, by, planned)
    at_once = not chosen.incidents.needs_approval if publish is None else publish
    with opened(folder, database) as store, store.transaction() as transaction:
        posted = post_(chosen, transaction, posting, now(), publish=at_once)
    printed(posted_data(posted), posted_text(posted, chosen.incidents.needs_approval), as_json=as_json)


def approve(
    update: UpdateId,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who approves; kept in the audit log.")],
    folder: Folder = Path(),
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Approve a draft and publish it at once. Approving it again changes nothing.

    \b
    Examples:
      flyball status drafts
      flyball status approve 7f3k2m9x1q0a --by ann
    """
    from synthetics.status_page.posting import approve as approve_
    from synthetics.status_page.views import posted_data, posted_text

    pages = pages_or_exit(folder)
    with opened(folder, database) as store, store.transaction() as transaction:
        page = _holder(pages.values(), transaction, update)
        posted = approve_(page, transaction, update, by, now())
    printed(posted_data(posted), posted_text(posted, needs_approval=False), as_json=as_json)


def discard(
    update: UpdateId, by: By = "command line", folder: Folder = Path(), database: Database = "", as_json: AsJSON = False
) -> None:
    """Discard a draft: it will never be published.

    \b
    Examples:
      flyball status discard 7f3k2m9x1q0a --by ann
    """
    from synthetics.status_page.desk import Desk

    pages = pages_or_exit(folder)
    with opened(folder, database) as store, store.transaction() as transaction:
        page = _holder(pages.values(), transaction, update)
        gone = Desk(page, transaction, now()).discard(update, by)
    printed({"update": gone.id, "state": gone.state.value}, f"Discarded {gone.id}", as_json=as_json)


def edit(
    update: UpdateId,
    body: Annotated[str, typer.Option(metavar="MARKDOWN", help="What it says from now on.")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who changes it; kept in the audit log.")],
    folder: Folder = Path(),
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Change the text of an update, published or not. What it said before is kept; subscribers are not told again.

    \b
    Examples:
      flyball status edit 7f3k2m9x1q0a --by ann --body "Exports of graphs over 1 GB fail since 14:00."
    """
    from synthetics.status_page.desk import Desk

    pages = pages_or_exit(folder)
    with opened(folder, database) as store, store.transaction() as transaction:
        page = _holder(pages.values(), transaction, update)
        edited = Desk(page, transaction, now()).edit(update, body, by)
        revisions = len(transaction.status.edits(page.name, update))
    text = f"Changed {edited.id}; {revisions} earlier text{'' if revisions == 1 else 's'} kept"
    printed({"update": edited.id, "state": edited.state.value, "revisions": revisions}, text, as_json=as_json)


def _holder(pages: "Iterable[StatusPage]", transaction: "Transaction", update: str) -> "StatusPage":
    """The page that the update belongs to."""
    found = [page for page in pages if transaction.status.update(page.name, update) is not None]
    if not found:
        fail(f"no page has an update {update}: flyball status drafts lists those that wait", ExitCode.PROBLEMS)
    return found[0]


def _posting(
    page: "StatusPage",
    title: str,
    incident: str,
    status: str,
    impact: str,
    components: list[str],
    body: str,
    by: str,
    planned: tuple[str, str] | None,
) -> "Posting":
    from controlplane.model.public_status import Impact, IncidentStatus
    from synthetics.status_page.posting import Posting

    if not body.strip():
        raise typer.BadParameter("say what happened, what it means, what comes next", param_hint="--body")
    when = None
    if planned is not None:
        when = (moment_or_exit(planned[0], page, "--from"), moment_or_exit(planned[1], page, "--until"))
    default = "scheduled" if when else "" if incident else "investigating"
    return Posting(
        body=body,
        author=by,
        status=IncidentStatus(_word(status or default, [each.value for each in IncidentStatus], "--status")),
        title=title,
        incident=incident,
        impact=Impact(_word(impact, ["none", "minor", "major", "critical"], "--impact")) if impact else None,
        components=_components(components),
        planned=when,
    )


def _components(written: list[str]) -> "dict[str, ComponentStatus]":
    from controlplane.model.public_status import ComponentStatus

    found = {}
    known = [each.value for each in ComponentStatus if each is not ComponentStatus.UNKNOWN]
    for text in written:
        id_, equals, status = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"`{text}`: write ID=STATUS, such as api=partial_outage", param_hint="--component")
        found[id_] = ComponentStatus(_word(status, known, "--component"))
    return found


def _word(text: str, known: list[str], option: str) -> str:
    from controlplane.specfile import did_you_mean

    if text in known:
        return text
    meant = did_you_mean(text, known) if text else None
    hint = f"did you mean {meant}?" if meant else f"one of {', '.join(known)}"
    raise typer.BadParameter(f"`{text}`: {hint}" if text else hint, param_hint=option)
