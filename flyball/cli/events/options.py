"""What can be said of an event on the command line."""

from typing import Annotated

import typer

Workspace = typer.Option("-w", "--workspace", metavar="DIR", help="The workspace.")


def _text(name: str, metavar: str, help_: str) -> object:
    return typer.Option(f"--{name}", metavar=metavar, help=help_)


Service = Annotated[
    list[str] | None, typer.Option("--service", metavar="NAME", help="The service; of a change: each that it touches.")
]
Environment = Annotated[str, _text("environment", "NAME", "Where; production unless you say otherwise.")]
Version = Annotated[str, _text("version", "TEXT", "The version that was put there.")]
Revision = Annotated[str, _text("revision", "SHA", "The commit.")]
Repository = Annotated[str, _text("repository", "ADDRESS", "Such as github.com/acme/shop; clone addresses will do.")]
Artifact = Annotated[str, _text("artifact", "PURL", "The artifact; made of the rest when you don't say it.")]
ChangeIds = Annotated[
    list[str] | None,
    typer.Option("--change", metavar="ID", help="A change that is delivered: github.com/acme/shop#12. Repeatable."),
]
Deployment = Annotated[
    str, _text("deployment", "KEY", "What several events of one deployment share; of an incident: what caused it.")
]
Outcome = Annotated[str, _text("outcome", "WORD", "How the roll-out ended: succeeded or failed.")]
StartedAt = Annotated[str, _text("started-at", "TIME", "When the roll-out, or the incident, began.")]
Undoes = Annotated[str, _text("undoes", "TEXT", "What a rollback takes back: a deployment, version or revision.")]
Remedies = Annotated[str, _text("remedies", "INCIDENT", "The incident because of which it was made.")]
Unplanned = Annotated[bool, typer.Option("--unplanned", help="It was not planned: a hotfix.")]
Run = Annotated[str, _text("run", "ID", "Common to all services that one release deploys.")]
Link = Annotated[str, _text("link", "URL", "Where people can look at it.")]
Number = Annotated[str, _text("number", "N", "Of a change's pull or merge request.")]
Title = Annotated[str, _text("title", "TEXT", "Of a change or an incident.")]
FirstCommitAt = Annotated[str, _text("first-commit-at", "TIME", "When work on a change began.")]
OpenedAt = Annotated[str, _text("opened-at", "TIME", "When its request was opened.")]
ApprovedAt = Annotated[str, _text("approved-at", "TIME", "When it was approved.")]
Reverts = Annotated[str, _text("reverts", "TEXT", "The change or revision that it takes back.")]
Hotfix = Annotated[bool, typer.Option("--hotfix", help="The change is a hotfix.")]
Label = Annotated[list[str] | None, typer.Option("--label", metavar="TEXT", help="Of a change. Repeatable.")]
Branch = Annotated[str, _text("branch", "NAME", "Of a change.")]
Incident = Annotated[str, _text("incident", "ID", "The same when it is detected and when it is resolved.")]
Priority = Annotated[str, _text("priority", "WORD", "Of an incident: P1 …")]
Drill = Annotated[bool, typer.Option("--drill", help="An incident that must not count.")]
At = Annotated[str, typer.Option("--at", metavar="TIME", help="When it happened.", show_default="now")]
Source = Annotated[str, _text("source", "URI", "Who says so; ids are unique within it.")]
EventId = Annotated[str, typer.Option("--id", metavar="ID", help="Sent again with the same id it counts once.")]
