"""`flyball event validate`: are these events that would be taken?"""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from flyball.cli import ExitCode
from flyball.cli.events.files import candidates_or_exit

if TYPE_CHECKING:
    from datetime import datetime

    from exporters.events.reading import Delivery


def validate(
    paths: Annotated[list[str], typer.Argument(metavar="FILE|-…", help="JSON or NDJSON; - is stdin.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Check events without sending them: CloudEvents 1.0 that hold CDEvents 0.4 or 0.5, or CDEvents alone.

    Every fault is told by its file, the place of its event (a line, or its number in a list, from 0) and its field.
    Types that are not read, and fields of ours that nobody knows, are told, too; they are no fault.

    Exit status: 0, or 1 when an event is malformed or a file cannot be read.

    \b
    Examples:
      flyball event validate events.ndjson
      make-events | flyball event validate - --json | jq '.[].faults[].field'
    """
    from flyball.cli.asking import now

    at = now()
    found = {path: _checked(path, at) for path in paths}
    if as_json:
        typer.echo(json.dumps([_data(path, *each) for path, each in found.items()], ensure_ascii=False))
    else:
        for path, (delivery, hints) in found.items():
            _tell(path, delivery, hints)
    if any(delivery.refused for delivery, _ in found.values()):
        raise typer.Exit(ExitCode.PROBLEMS)


def _checked(path: str, now: "datetime") -> "tuple[Delivery, list[str]]":
    from exporters.events.hints import unread_fields
    from exporters.events.reading import EventReader, Terms

    delivery = EventReader(Terms("file")).gathered(candidates_or_exit(path), now)
    return delivery, unread_fields(delivery.events)


def _data(path: str, delivery: "Delivery", hints: list[str]) -> dict[str, object]:
    faults = [{"place": each.place, "field": each.field, "error": each.reason} for each in delivery.faults]
    return {
        "file": path,
        "events": len(delivery.events),
        "refused": delivery.refused,
        "faults": faults,
        "unknown_types": list(delivery.unknown_types),
        "hints": hints,
    }


def _tell(path: str, delivery: "Delivery", hints: list[str]) -> None:
    for fault in delivery.faults:
        typer.echo(f"{path}: {fault}")
    for type_ in delivery.unknown_types:
        typer.echo(f"{path}: {type_} would be kept without being read", err=True)
    for hint in hints:
        typer.echo(f"{path}: {hint}", err=True)
    good = f"{len(delivery.events):,} event{'' if len(delivery.events) == 1 else 's'} would be taken"
    typer.echo(f"{path}: {good}" + (f", {delivery.refused:,} refused" if delivery.refused else ""))
