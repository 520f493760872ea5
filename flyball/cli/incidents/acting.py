"""`flyball incidents ack`, `resolve`, `note`, `assign`, `priority`, `declare`: what people do about incidents."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from controlplane.model.incident import Priority
from flyball.cli.asking import now, printed
from flyball.cli.incidents.opening import VIA, AsJSON, By, Database, Folder, IncidentName, Why, at_desk, who

if TYPE_CHECKING:
    from alerts.incidents.desk import Changed

Rank = Annotated[Priority, typer.Option("--priority", help="How bad it is: P0 wakes up everybody in turn.")]


def ack(
    incident: IncidentName, folder: Folder = Path(), by: By = "", database: Database = "", as_json: AsJSON = False
) -> None:
    """Acknowledge an incident: you have it, and nobody else is woken up. Every channel shows that.

    Exit status: 0 (also when somebody has it already), 1 when there is no such incident, 3 when the database failed.

    \b
    Examples:
      flyball incidents ack INC-7
      flyball incidents ack INC-7 --by ann
    """
    with at_desk(folder, database) as desk:
        changed = desk.acknowledge(incident, by=who(by), via=VIA, now=now())
    _print(changed, changed.incident.state.value if not changed.is_new else "acknowledged", as_json=as_json)


def resolve(
    incident: IncidentName,
    folder: Folder = Path(),
    why: Why = "",
    by: By = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Resolve an incident: it is over. What was opened elsewhere for it is closed.

    Alerts of it that still fire stay its own; an alert that comes later opens a new incident.

    Exit status: 0 (also when it was resolved already), 1 when there is no such incident, 3 when the database failed.

    \b
    Examples:
      flyball incidents resolve INC-7 --why "rolled back to 1.4.2"
    """
    with at_desk(folder, database) as desk:
        changed = desk.resolve(incident, by=who(by), via=VIA, why=why, now=now())
    _print(changed, "resolved", as_json=as_json)


def note(
    incident: IncidentName,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What you saw, did or decided.")],
    folder: Folder = Path(),
    by: By = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Write a note into an incident's timeline. Chats show it in the incident's thread.

    Exit status: 0, 1 when there is no such incident, 3 when the database failed.

    \b
    Examples:
      flyball incidents note INC-7 "checkout is back since 12:40; watching it"
    """
    with at_desk(folder, database) as desk:
        changed = desk.note(incident, text=text, by=who(by), via=VIA, now=now())
    _print(changed, "noted", as_json=as_json)


def assign(
    incident: IncidentName,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="Such as commander, scribe, liaison.")],
    person: Annotated[str, typer.Argument(metavar="[PERSON]", help="Left out: nobody has the role any more.")] = "",
    folder: Folder = Path(),
    by: By = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Give somebody a role in an incident, or take it back.

    Exit status: 0, 1 when there is no such incident, 3 when the database failed.

    \b
    Examples:
      flyball incidents assign INC-7 commander ann
      flyball incidents assign INC-7 commander
    """
    with at_desk(folder, database) as desk:
        changed = desk.assign(incident, role=role, who=person, by=who(by), now=now())
    _print(changed, "assigned", as_json=as_json)


def priority(
    incident: IncidentName,
    rank: Annotated[Priority, typer.Argument(metavar="PRIORITY", help="P0, P1, P2, P3 or P4.")],
    folder: Folder = Path(),
    why: Why = "",
    by: By = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Rank an incident higher or lower. One that you lowered is raised again only by something worse than it was.

    Exit status: 0, 1 when there is no such incident, 3 when the database failed.

    \b
    Examples:
      flyball incidents priority INC-7 P3 --why "one tenant only"
    """
    with at_desk(folder, database) as desk:
        changed = desk.set_priority(incident, priority=rank, by=who(by), why=why, now=now())
    _print(changed, "ranked", as_json=as_json)


def declare(
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What goes wrong, in a few words.")],
    folder: Folder = Path(),
    rank: Rank = Priority.P2,
    service: Annotated[str, typer.Option("--service", metavar="NAME", help="Which service it is about.")] = "",
    summary: Annotated[str, typer.Option("--summary", metavar="TEXT", help="What is known so far.")] = "",
    receiver: Annotated[
        list[str] | None, typer.Option("--receiver", metavar="NAME", help="Who is told; may be repeated.")
    ] = None,
    policy: Annotated[str, typer.Option("--policy", metavar="NAME", help="By what EscalationPolicy.")] = "",
    by: By = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Open an incident that no alert opened.

    Where neither --receiver nor --policy is given, routes say who is told: those of an alert IncidentDeclared with
    this priority and service.

    Exit status: 0, 1 when a receiver or policy is not declared, 3 when the database failed.

    \b
    Examples:
      flyball incidents declare "Exports hang" --priority P1 --service exports
      flyball incidents declare "Odd invoices" --receiver finance --summary "two tenants report doubled lines"
    """
    with at_desk(folder, database) as desk:
        changed = desk.declare(
            title, priority=rank, service=service, summary=summary, receivers=receiver or [], policy=policy,
            by=who(by), now=now(),
        )  # fmt: skip
    _print(changed, "declared", as_json=as_json)


def _print(changed: "Changed", verb: str, *, as_json: bool) -> None:
    from alerts.incidents.views import changed_text, incident_data

    text = changed_text(changed.incident, verb, is_new=changed.is_new)
    printed({**incident_data(changed.incident), "changed": changed.is_new}, text, as_json=as_json)
