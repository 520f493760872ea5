"""`flyball event send`: one event from options, or all of a file."""

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail
from flyball.cli.events import options as say
from flyball.cli.events.delivering import sent, tell
from flyball.cli.events.files import candidates_or_exit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controlplane.model.event import JSON
    from exporters.events.composing import Said
    from exporters.events.reading import Candidate

_ANY_TIME: Final = timedelta(days=36_500)  # how far ahead of whose clock is for the other end to judge


def send(
    what: Annotated[
        str,
        typer.Argument(metavar="WHAT|FILE|-", help="deployed, merged, … as below; or a file; - is stdin."),
    ],
    service: say.Service = None,
    environment: say.Environment = "",
    version: say.Version = "",
    revision: say.Revision = "",
    repository: say.Repository = "",
    artifact: say.Artifact = "",
    change: say.ChangeIds = None,
    deployment: say.Deployment = "",
    outcome: say.Outcome = "",
    started_at: say.StartedAt = "",
    undoes: say.Undoes = "",
    remedies: say.Remedies = "",
    unplanned: say.Unplanned = False,
    run: say.Run = "",
    number: say.Number = "",
    title: say.Title = "",
    first_commit_at: say.FirstCommitAt = "",
    opened_at: say.OpenedAt = "",
    approved_at: say.ApprovedAt = "",
    reverts: say.Reverts = "",
    hotfix: say.Hotfix = False,
    label: say.Label = None,
    branch: say.Branch = "",
    incident: say.Incident = "",
    priority: say.Priority = "",
    drill: say.Drill = False,
    link: say.Link = "",
    at: say.At = "",
    id_: say.EventId = "",
    source: say.Source = "/flyball/cli",
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="Where Flyball runs.", show_default="FLYBALL_EXTERNAL_URL")
    ] = "",
    attempts: Annotated[int, typer.Option(min=1, max=20, help="How often it is tried when nobody answers.")] = 5,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be sent, and send nothing.")] = False,
    workspace: Annotated[Path, say.Workspace] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print what became of the events as JSON.")] = False,
) -> None:
    """Tell a running Flyball of deployments, changes and incidents.

    WHAT is one of: deployed, upgraded, rolledback, removed (a service); opened, reviewed, merged (a change); packaged,
    published (an artifact); incident-detected, incident-reported, incident-resolved. Anything else is a file of
    CloudEvents or CDEvents: a JSON object, a JSON list, or one object a line. All of it is checked before any is sent.

    The token is FLYBALL_EVENTS_TOKEN, or what FLYBALL_EVENTS_TOKEN_FILE names. An event counts once by its source and
    id: a file may be sent again, and so may a command with --id.

    Exit status: 0; 1 when an event is malformed, refused, or contradicts one known; 2 for options that do not fit;
    3 when Flyball does not answer.

    \b
    Examples:
      flyball event send deployed --service checkout --version 1.4.2 --repository github.com/acme/shop --revision $SHA
      flyball event send rolledback --service checkout --version 1.4.1 --undoes 1.4.2
      flyball event send merged --repository github.com/acme/shop --number 12 --revision $SHA --first-commit-at $FIRST
      flyball event send incident-detected --incident PD-7 --service checkout --id PD-7-begun
      flyball event send events.ndjson --url https://flyball.example.com
    """
    from exporters.events.composing import WORDS, Said
    from exporters.events.reading import Candidate

    own: dict[str, JSON] = {
        "version": version, "deployment": deployment, "outcome": outcome, "startedAt": started_at, "undoes": undoes,
        "remedies": remedies, "unplanned": unplanned or None, "run": run, "url": link, "title": title,
        "firstCommitAt": first_commit_at, "openedAt": opened_at, "approvedAt": approved_at, "reverts": reverts,
        "hotfix": hotfix or None, "labels": list(label or ()), "branch": branch, "priority": priority,
        "counted": False if drill else None,
    }  # fmt: skip
    said = Said(
        services=tuple(service or ()), environment=environment, artifact=artifact, repository=repository,
        revision=revision, number=number, incident=incident, changes=tuple(change or ()), own=own,
    )  # fmt: skip
    if what in WORDS:
        events = [Candidate("", _composed(what, said, at=at, source=source, id_=id_))]
    else:
        if said != Said(own=own) or any(value not in ("", [], None) for value in own.values()) or at or id_:
            raise typer.BadParameter(f"options about an event need one of: {', '.join(WORDS)}", param_hint="WHAT")
        events = candidates_or_exit(what, hint=f"; and it is none of {', '.join(WORDS)}")
    bodies = _checked(what, events)
    if dry_run:
        shown = [json.loads(body) for body in bodies]
        typer.echo(json.dumps(shown[0] if what in WORDS else shown, ensure_ascii=False, indent=2))
        return
    became = sent(bodies, url=url, workspace=workspace, attempts=attempts)
    tell(became, is_repeatable=what in WORDS and bool(id_) and not at, as_json=as_json)


def _composed(word: str, said: "Said", *, at: str, source: str, id_: str) -> Any:
    from exporters.cloudevents.attributes import instant
    from exporters.events.composing import Unfit, composed
    from flyball.cli.asking import now

    if at and instant(at) is None:
        raise typer.BadParameter(f"`{at}` is no time with a zone: write 2026-11-05T12:00:00Z", param_hint="--at")
    try:
        return composed(word, said, at=at or f"{now():%Y-%m-%dT%H:%M:%SZ}", source=source, id_=id_)
    except Unfit as error:
        raise typer.BadParameter(error.reason, param_hint=f"--{error.option}") from None


def _checked(path: str, events: "Sequence[Candidate]") -> list[bytes]:
    """Each as it will be sent. Faults end the program before anything is."""
    from exporters.events.reading import EventReader, Terms
    from flyball.cli.asking import now

    delivery = EventReader(Terms("file", _ANY_TIME)).gathered(events, now())
    if delivery.refused:
        for fault in delivery.faults:
            typer.echo(f"{path}: {fault}", err=True)
        plural = "" if delivery.refused == 1 else "s"
        fail(f"{delivery.refused:,} malformed event{plural}: nothing was sent", ExitCode.PROBLEMS)
    if not delivery.events:
        fail(f"{path}: there are no events in it", ExitCode.PROBLEMS)
    return [event.body for event in delivery.events]
