"""`flyball compile`: SLO files to Prometheus rules and Grafana dashboards, on disk."""

import gc
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from controlplane.model.rule_form import RuleForm
from flyball.cli import ExitCode
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from controlplane.model.rule_form import Target
    from controlplane.model.slo import SLO
    from controlplane.problems import Problem
    from controlplane.specfile import SourceFile
    from flyball.alerting.reading import AlertFiles
    from flyball.anomalies.reading import AnomalyFiles
    from flyball.delivery.reading import DeliveryFiles
    from flyball.in_parallel import Run
    from flyball.money.reading import MoneyFiles
    from flyball.output_folder import Outcome
    from flyball.settings import Settings
    from flyball.synthetics.reading import CheckFiles

_QUIET_SECONDS: Final = 2.0


def compile_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The workspace, or one file.")] = Path(),
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT", help="Where the files go.")] = Path("out"),
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
    forms: Annotated[
        list[RuleForm] | None, typer.Option("--format", help="How rules are written; several may be given.")
    ] = None,
    namespace: Annotated[str, typer.Option(metavar="NAME", help="The namespace of Kubernetes objects.")] = "",
    labels: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="KEY=VALUE", help="Of Kubernetes objects, so that an operator selects them."),
    ] = None,
    with_tests: Annotated[
        bool | None,
        typer.Option(
            "--tests/--no-tests",
            help="Unit tests of the rules in OUT/prometheus/tests.",
            show_default="written unless there are more SLOs than slo.sharedAbove",
        ),
    ] = None,
    ruler_namespace: Annotated[str, typer.Option(metavar="NAME", help="The namespace in Mimir or Cortex.")] = "flyball",
    prometheus: Annotated[
        str,
        typer.Option(metavar="URL", help="Whom to ask what is left of budgets, and which language models occur."),
    ] = "",
) -> None:
    """Compile the workspace to OUT/prometheus/rules/*.yaml, OUT/alertmanager/*, OUT/grafana/*.json.

    Caps of autoscaling go to OUT/kubernetes/caps: their maxima are what the rest of a budget still pays, if
    --prometheus tells what is left of it, else what all of it pays. OUT/prometheus/tests holds promtool unit tests of
    the rules; `flyball slo test` runs them.

    Mistakes are printed as by `flyball check`, and then nothing is written (exit status 1). Files that an earlier run
    wrote to OUT and that are no longer needed are removed. The same workspace always gives the same bytes.

    \b
    Examples:
      flyball compile
      flyball compile slo -o build
      flyball compile slo -o build --json | jq '.written'
      flyball compile --format prometheus-rule --namespace monitoring --label release=prometheus
      flyball compile --prometheus http://127.0.0.1:9090
    """
    from controlplane.problems import has_errors, in_order
    from flyball.alerting.reading import alerts_in
    from flyball.anomalies.reading import anomalies_in
    from flyball.delivery.reading import delivery_in
    from flyball.in_parallel import processors, understand
    from flyball.money.reading import money_in
    from flyball.synthetics.reading import checks_in

    target = _target(namespace, labels or [], ruler_namespace)
    gc.disable()  # a short life with many small objects, none of them in cycles: a third of the time
    say = _Progress(as_json)
    settings = settings_or_exit(folder if folder.is_dir() else folder.parent)
    say("reading")
    sources, problems = _sources(folder)
    with processors(sources) as (run, count):
        say(f"understanding {len(sources):,} files")
        found, slos = understand(sources, run, count)
        problems = in_order([*problems, *found])
        if has_errors(problems):
            _show(problems, sources, as_json)
            raise typer.Exit(ExitCode.PROBLEMS)
        forms = forms or [RuleForm.RULES]
        money, caps = _live(money_in(sources), out, prometheus)
        told = (alerts_in(sources), delivery_in(sources), anomalies_in(sources))
        meant = _Meant(slos, money, checks_in(sources, slos), *told)
        files = caps | _generated(meant, settings, (forms, target), run, say)
        wanted = with_tests if with_tests is not None else len(slos) <= settings.shared_above
        if wanted and RuleForm.RULES in forms:
            files |= _tests(slos, settings, run)
    say("writing")
    outcome = _write(out, files)
    if as_json:
        _show_json(problems, len(slos), outcome)
        return
    _show(problems, sources, as_json)
    typer.echo(_summary(meant, outcome, out))


@dataclass(frozen=True, slots=True)
class _Meant:
    """What the workspace says."""

    slos: "Sequence[SLO]"
    money: "MoneyFiles"
    checks: "CheckFiles"
    alerts: "AlertFiles"
    delivery: "DeliveryFiles"
    anomalies: "AnomalyFiles"


class _Progress:
    """Says what goes on, from the third second on, so that short runs stay quiet."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._began = time.monotonic()

    def __call__(self, what: str) -> None:
        elapsed = time.monotonic() - self._began
        if not self._quiet and elapsed > _QUIET_SECONDS:
            typer.echo(f"{elapsed:4.0f} s  {what}", err=True)


def _sources(folder: Path) -> "tuple[Sequence[SourceFile], list[Problem]]":
    """The files, and what keeps some from being read."""
    from controlplane.adapters.files import read_folder

    files, problems = read_folder(folder)
    if not files and not problems:
        problems.append(_nothing_in(folder))
    return files, problems


def _nothing_in(folder: Path) -> "Problem":
    from controlplane.adapters.files import shown
    from controlplane.problems import Problem

    return Problem(shown(folder), 1, 1, "", "no *.yaml or *.yml files here", rule="nothing-to-check")


def _target(namespace: str, labels: "Sequence[str]", ruler_namespace: str) -> "Target":
    from controlplane.model.rule_form import Target
    from controlplane.rule_manifests import problems_with

    pairs = [label.partition("=") for label in labels]
    target = Target(namespace, {key: value for key, _, value in pairs}, ruler_namespace)
    wrong = [f"`{label}` is not KEY=VALUE" for label in labels if "=" not in label] or list(problems_with(target))
    if wrong:
        raise typer.BadParameter("; ".join(wrong), param_hint="--namespace, --label or --ruler-namespace")
    return target


def _generated(
    meant: _Meant,
    settings: "Settings",
    rules: "tuple[Sequence[RuleForm], Target]",
    run: "Run",
    say: Callable[[str], None],
) -> dict[str, str]:
    """The text of every file to write, by its path below OUT."""
    from controlplane.conventions import DASHBOARDS_SUBFOLDER, INHIBIT_RULES_FILE
    from controlplane.rule_manifests import TooLarge
    from flyball.alerting.compiling import alert_rule_files, alertmanager_files
    from flyball.anomalies.compiling import anomaly_rule_files
    from flyball.delivery.compiling import delivery_rule_files
    from flyball.grafana import alert_files, anomaly_files, check_files, delivery_files, grafana_files, money_files
    from flyball.money.compiling import money_rule_files
    from flyball.money.inhibition import money_inhibitions
    from flyball.rule_forms import rules_in_forms
    from flyball.slo_manifests import manifest_file
    from flyball.synthetics.compiling import check_rule_files
    from slo.compiler import CompileOptions
    from slo.inhibition import inhibit_rules

    slos, money = meant.slos, meant.money
    options = CompileOptions(settings.external_url, settings.runbook_url_template, settings.shared_above)
    say(f"compiling {len(slos):,} SLOs")
    further = (
        *money_rule_files(money.declared, options),
        *check_rule_files(meant.checks.declared, options),
        *alert_rule_files(meant.alerts.declared, money.declared, meant.checks.declared, options),
        *delivery_rule_files(meant.delivery.declared, options),
        *anomaly_rule_files(meant.anomalies.declared, options),
    )
    try:
        files = dict(rules_in_forms((slos, further), rules[0], options, rules[1], run))
    except TooLarge as error:
        typer.echo(f"{error}: split the SLO, or use another --format", err=True)
        raise typer.Exit(ExitCode.PROBLEMS) from None
    manifest = manifest_file(slos, options)
    told = (*meant.alerts.records, *meant.delivery.records, *meant.anomalies.records)
    records = (*money.records, *meant.checks.records, *told)
    files |= {file.name: file.text for file in (manifest, *records)}
    files |= alertmanager_files(meant.alerts.declared, slos, money.declared, settings)
    files[INHIBIT_RULES_FILE] = inhibit_rules(slos, money_inhibitions(money.declared))
    say("drawing dashboards")
    url, above = settings.external_url, settings.shared_above
    dashboards = (
        *grafana_files(slos, external_url=url, shared_above=above),
        *money_files(money.declared, external_url=url, shared_above=above),
        *check_files(meant.checks.declared, external_url=url, shared_above=above),
        *alert_files(meant.alerts.declared, external_url=url, shared_above=above),
        *delivery_files(meant.delivery.declared, external_url=url, shared_above=above),
        *anomaly_files(meant.anomalies.declared, external_url=url, shared_above=above),
    )
    return files | {f"{DASHBOARDS_SUBFOLDER}/{file.name}": file.text for file in dashboards}


def _live(money: "MoneyFiles", out: Path, prometheus: str) -> "tuple[MoneyFiles, dict[str, str]]":
    """With prices for language models that occur, and manifests of caps by what is left of budgets.

    Without a Prometheus, caps are those of whole budgets. Exits when the one that was named cannot tell.
    """
    from controlplane.adapters.clock import SystemClock
    from controlplane.adapters.prometheus import PrometheusBackend
    from controlplane.ports import Permanent, Transient
    from flyball.money.capping import cap_files
    from flyball.money.discovered import DiscoveredModels

    now = SystemClock().now()
    if not prometheus:
        return money, cap_files(money.declared, out, now, None)
    backend, models = PrometheusBackend(prometheus), DiscoveredModels()
    try:
        models.look(money.declared.price_maps, backend, now)
        priced = replace(money.declared, price_maps=models.priced(money.declared.price_maps))
        return replace(money, declared=priced), cap_files(money.declared, out, now, backend)
    except (Transient, Permanent) as error:
        typer.echo(f"Nothing was written: {error}", err=True)
        raise typer.Exit(ExitCode.OUTSIDE) from None
    finally:
        backend.close()


def _tests(slos: "Sequence[SLO]", settings: "Settings", run: "Run") -> dict[str, str]:
    from flyball.proving import proof_texts
    from slo.compiler import CompileOptions

    return proof_texts(
        slos, CompileOptions(settings.external_url, settings.runbook_url_template, settings.shared_above), run
    )


def _write(out: Path, files: dict[str, str]) -> "Outcome":
    from flyball.output_folder import write_generated

    try:
        return write_generated(out, files)
    except OSError as error:
        typer.echo(f"{error.filename or out}: {error.strerror}", err=True)
        raise typer.Exit(ExitCode.OUTSIDE) from None


def _show(problems: "Sequence[Problem]", sources: "Iterable[SourceFile]", as_json: bool) -> None:
    from controlplane import problem_report
    from flyball.shown_sources import showable

    if not problems:
        return
    if as_json:
        listed = json.loads(problem_report.as_json(problems))
        typer.echo(json.dumps({"slos": 0, "written": [], "removed": [], "unchanged": 0, "problems": listed}, indent=2))
        return
    coloured = typer.get_text_stream("stderr").isatty()
    shown = {file.path: showable(file.path, file.content) for file in sources}
    typer.echo(problem_report.as_text(problems, shown, coloured), err=True)


def _show_json(problems: "Sequence[Problem]", slos: int, outcome: "Outcome") -> None:
    from controlplane import problem_report

    answer = {
        "slos": slos,
        "written": list(outcome.written),
        "removed": list(outcome.removed),
        "unchanged": outcome.unchanged,
        "problems": json.loads(problem_report.as_json(problems)),
    }
    typer.echo(json.dumps(answer, indent=2))


def _summary(meant: _Meant, outcome: "Outcome", out: Path) -> str:
    slos = len(meant.slos)
    changes = f"{len(outcome.written):,} written, {outcome.unchanged:,} unchanged, {len(outcome.removed):,} removed"
    from flyball.alerting.declared import in_words

    others = (
        meant.money.declared.in_words(),
        meant.checks.declared.in_words(),
        in_words(meant.alerts.declared),
        meant.delivery.declared.in_words(),
        meant.anomalies.declared.in_words(),
    )
    counted = ", ".join(filter(None, (f"{slos:,} SLO{'' if slos == 1 else 's'}", *others)))
    return f"{counted} compiled to {out}: {changes}"
