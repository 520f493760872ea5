"""`flyball slo templates`: the short forms that indicators may have."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flyball.cli import ExitCode

if TYPE_CHECKING:
    from slo.templates import Template


def templates(
    name: Annotated[str | None, typer.Argument(help="Only this one, with its parameters and an example.")] = None,
    workspace: Annotated[
        Path, typer.Option("--workspace", metavar="DIR", help="Where your own SLITemplates are.")
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
) -> None:
    """List the short forms that `metricSource.type` may name: those that come with Flyball, and your own.

    \b
    Examples:
      flyball slo templates
      flyball slo templates http-latency
      flyball slo templates --json | jq '.[].name'
    """
    from slo.templates.documentation import section

    known = _known(workspace)
    if name is not None and name not in known:
        from slo.templates.template import unknown_template

        message, hint = unknown_template(name, known)
        raise typer.BadParameter(f"{message}{f'; {hint}' if hint else ''}", param_hint="NAME")
    chosen = list(known.values()) if name is None else [known[name]]
    if as_json:
        typer.echo(json.dumps([_as_json(template) for template in chosen], indent=2))
    elif name is not None:
        typer.echo(section(chosen[0]), nl=False)
    else:
        typer.echo(_table(chosen), nl=False)


def _known(workspace: Path) -> "Mapping[str, Template]":
    """Templates that can be used; one that is broken is told on standard error."""
    from controlplane.adapters.files import read_folder
    from controlplane.problem_report import as_text
    from controlplane.specfile import read
    from flyball.kinds import KINDS
    from slo.templates import SLITemplateDocument, templates_of

    files, _ = read_folder(workspace)
    documents = [each for each in read(files, KINDS).documents if isinstance(each.value, SLITemplateDocument)]
    found = templates_of(documents)
    if found.problems:
        typer.echo(as_text(found.problems, {file.path: file.content for file in files}), err=True)
    usable = {name: each for name, each in found.by_name.items() if each.body is not None}
    if not usable:
        raise typer.Exit(ExitCode.PROBLEMS)
    return dict(sorted(usable.items()))


def _table(chosen: "Sequence[Template]") -> str:
    wide = max(len(template.name) for template in chosen)
    rows = []
    for template in chosen:
        needed = ", ".join(name for name, each in template.parameters.items() if each.default is None)
        about = template.value.metadata.display_name or template.value.spec.description
        own = "" if template.origin.startswith("built in") else f" [{template.origin}]"
        rows.append(f"{template.name:<{wide}}  {about}{own}\n{'':<{wide}}  needs {needed or 'nothing'}")
    return "\n".join(rows) + "\n"


def _as_json(template: "Template") -> dict[str, object]:
    from slo.templates.documentation import example, queries

    return {
        "name": template.name,
        "origin": template.origin,
        "description": template.value.spec.description,
        "parameters": [
            each.model_dump(mode="json", by_alias=True, exclude_unset=True) for each in template.value.spec.parameters
        ],
        "example": example(template),
        "queries": queries(template, {}),
    }
