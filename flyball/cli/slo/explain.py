"""`flyball slo explain`: why an SLO tells somebody, or does not."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from controlplane.model.slo import SLO
    from flyball.settings import Settings
    from slo.explanation import Explanation, Group

_QUERY_SECONDS: Final = 30.0


def explain(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The SLO.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR|FILE", help="The workspace, or one file.")] = Path(),
    group: Annotated[
        list[str] | None,
        typer.Option("--group", metavar="LABEL=VALUE", help="Which of its groups; by default the one worst off."),
    ] = None,
    prometheus: Annotated[
        str, typer.Option(metavar="URL", help="Prometheus' address; by default that of flyball.yaml.")
    ] = "",
    offline: Annotated[bool, typer.Option("--offline", help="Ask no Prometheus: only what the files say.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Say what an SLO measures, how many errors it takes to tell somebody, and how it stands now.

    Alerts carry this command in their annotation `explain`.

    Exit status: 0 when it was explained, 1 when there is no such SLO or files have mistakes, 3 when Prometheus
    can't be reached.

    \b
    Examples:
      flyball slo explain checkout-availability
      flyball slo explain checkout-availability slo --prometheus http://127.0.0.1:9090
      flyball slo explain tenants --group tenant=acme
      flyball slo explain checkout-availability --json | jq '.conditions[] | {tier, needs, met}'
    """
    from slo.explanation import explained
    from slo.explanation_text import as_data, as_text

    slo = _found(name, folder)
    chosen = _group(slo, group or [])
    explanation = explained(slo, {}, group=chosen)
    if not offline:
        settings = settings_or_exit(folder if folder.is_dir() else folder.parent, {"prometheus.url": prometheus})
        explanation = _measured(slo, chosen, settings)
    typer.echo(json.dumps(as_data(explanation), indent=2) if as_json else as_text(explanation), nl=as_json)


def _found(name: str, folder: Path) -> "SLO":
    """The SLO of this name. Mistakes in files that have nothing to do with it do not matter."""
    from controlplane.problem_report import as_text
    from controlplane.problems import has_errors
    from controlplane.specfile import did_you_mean
    from flyball.cli.check import examined

    _, problems, slos = examined([folder])
    known = {slo.name: slo for slo in slos}
    if name in known:
        return known[name]
    if has_errors(problems):
        typer.echo(as_text(problems, {}, False), err=True)
    meant = did_you_mean(name, known)
    typer.echo(f"no SLO is named `{name}`" + (f", did you mean `{meant}`?" if meant else ""), err=True)
    raise typer.Exit(ExitCode.PROBLEMS)


def _group(slo: "SLO", written: Sequence[str]) -> "Group":
    found = {}
    for text in written:
        label, equals, value = text.partition("=")
        if not equals or label not in slo.groups:
            known = f"one of {', '.join(slo.groups)}" if slo.groups else f"no label: {slo.name} has no groups"
            raise typer.BadParameter(f"`{text}` is not LABEL=VALUE, with LABEL {known}", param_hint="--group")
        found[label] = value
    missing = [label for label in slo.groups if label not in found]
    if found and missing:
        raise typer.BadParameter(f"{', '.join(missing)} is missing, too", param_hint="--group")
    return tuple((label, found[label]) for label in slo.groups if label in found)


def _measured(slo: "SLO", group: "Group", settings: "Settings") -> "Explanation":
    from controlplane.adapters.clock import SystemClock
    from controlplane.adapters.prometheus import PrometheusBackend
    from controlplane.ports import Permanent, Transient
    from slo.explanation import explained, fetch_figures, fetch_firing, fetch_groups

    credentials = settings.prometheus_credentials.reveal() if settings.prometheus_credentials else ""
    backend = PrometheusBackend(settings.prometheus_url, credentials=credentials, timeout_seconds=_QUERY_SECONDS)
    now = SystemClock().now()
    try:
        groups = fetch_groups(backend, slo, now) if slo.groups and not group else ()
        chosen = groups[0][0] if groups else group
        figures = fetch_figures(backend, slo, chosen, now)
        firing = fetch_firing(backend, slo, chosen, now)
    except (Transient, Permanent) as error:
        typer.echo(f"flyball slo explain: {error}\n--offline says what the files alone tell.", err=True)
        raise typer.Exit(ExitCode.OUTSIDE) from None
    finally:
        backend.close()
    return explained(slo, figures, group=chosen, firing=firing, groups=groups)
