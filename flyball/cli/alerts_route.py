"""`flyball alerts route`: who would be told of an alert, when and why."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.asking import now, printed
from flyball.cli.declared import fail, values_or_exit

if TYPE_CHECKING:
    from alerts.model import AlertsDeclared
    from controlplane.specfile import Declared, Document

_LABEL: Final = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]*)=(.*)", re.DOTALL)
_MOST_LABELS: Final = 256


def route(
    labels: Annotated[list[str], typer.Argument(metavar="LABEL=VALUE…", help="The labels of the alert.")],
    folder: Annotated[Path, typer.Option("--dir", metavar="DIR", help="The workspace.")] = Path(),
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help="Then instead of now, such as 2026-12-24T20:00Z.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the decision as JSON.")] = False,
) -> None:
    """Who would be told of an alert with these labels, when, by what ways, and why.

    Files alone say it, as they stand: no server is asked, nobody is told. What keeps alerts quiet while others fire
    (inhibition, silences made by hand) is not part of it: `flyball alerts why` looks at alerts that fired.

    Exit status: 0; 1 when files have mistakes or declare no Route.

    \b
    Examples:
      flyball alerts route severity=page service=graphql-gateway alertname=SLOErrorBudgetBurn
      flyball alerts route severity=ticket service=neo4j --at 2026-12-06T02:30+01:00
      flyball alerts route severity=page --dir examples/intelgraph --json | jq '.told[].receiver'
    """
    from alerts.routing.deciding import decide
    from alerts.routing.views import decision_data, decision_text
    from flyball.alerting.declared import KINDS

    given = _labels_or_exit(labels)
    moment = _moment_or_exit(at)
    if not folder.is_dir():
        fail(f"{folder} is not a folder", ExitCode.PROBLEMS)
    (alerts,) = values_or_exit(folder, _declared, KINDS)
    if alerts.root is None:
        hint = "docs/how-to/route-alerts.md says how to write one"
        fail(f"{folder} declares no Route: alerts are told on the console alone; {hint}", ExitCode.PROBLEMS)
    decision = decide(alerts, alerts.root, given, moment)
    printed(decision_data(decision), decision_text(decision), as_json=as_json)


def _declared(documents: "Sequence[Document]") -> "Declared[AlertsDeclared]":
    from controlplane.specfile import Declared
    from flyball.alerting.declared import alerts_of

    found, problems = alerts_of(documents)
    return Declared((found,), problems)


def _labels_or_exit(texts: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        match = _LABEL.fullmatch(text)
        if match is None:
            raise typer.BadParameter(
                f"`{text[:80]}` is not LABEL=VALUE, such as severity=page", param_hint="LABEL=VALUE"
            )
        if match[1] in found:
            raise typer.BadParameter(f"{match[1]} is there twice", param_hint="LABEL=VALUE")
        found[match[1]] = match[2]
    if len(found) > _MOST_LABELS:
        raise typer.BadParameter(f"more than {_MOST_LABELS} labels", param_hint="LABEL=VALUE")
    return found


def _moment_or_exit(text: str) -> datetime:
    from controlplane.calendar.moments import moment_of
    from controlplane.calendar.zones import zone

    if not text:
        return now().astimezone(UTC)
    found = moment_of(text, zone("UTC"))
    if found is None:
        raise typer.BadParameter(f"`{text}` is no time: write it as 2026-12-24T20:00Z", param_hint="--at")
    return found
