"""`flyball schema`: JSON Schema of everything that a workspace may hold."""

import json
from typing import Annotated

import typer


def schema(
    kind: Annotated[str | None, typer.Option(help="Of one kind only, such as SLO.")] = None,
) -> None:
    """Print the JSON Schema (draft 2020-12) of workspace files, so that editors complete and check them.

    \b
    Examples:
      flyball schema > flyball.schema.json
      flyball schema --kind SLO
    Then begin YAML files with:
      # yaml-language-server: $schema=flyball.schema.json
    """
    from controlplane.specfile import did_you_mean, json_schema
    from flyball.kinds import KINDS

    chosen = [known for known in KINDS if kind is None or known.name == kind]
    if not chosen:
        names = list(dict.fromkeys(known.name for known in KINDS))
        meant = did_you_mean(kind or "", names)
        question = f" Did you mean {meant}?" if meant else f" Known are {', '.join(names)}."
        raise typer.BadParameter(f"There is no kind {kind}.{question}", param_hint="--kind")
    typer.echo(json.dumps(json_schema(chosen), indent=2))
