"""`flyball dora report`: the five metrics, as a table, JSON, CSV or one HTML file."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.asking import now
from flyball.cli.declared import fail
from flyball.cli.dora.opening import (
    Database,
    Environment,
    Folder,
    Service,
    Since,
    check_names,
    environments_of,
    opened,
    policy_or_exit,
    stretch_or_exit,
)

if TYPE_CHECKING:
    from controlplane.ports import Store
    from exporters.dora.clusters.editions import Edition
    from exporters.dora.effects.ranking import Worst
    from exporters.dora.policy.model import DeliveryPolicy
    from exporters.dora.report.making import Question
    from exporters.dora.report.model import Report

NO_CLUSTERS: Final = "none"


class Format(Enum):
    """How it is written."""

    TERMINAL = "terminal"
    JSON = "json"
    CSV = "csv"
    HTML = "html"


class Rows(Enum):
    """What a row is about."""

    SERVICE = "service"
    TEAM = "team"
    ENVIRONMENT = "environment"


def report(
    folder: Folder = Path(),
    since: Since = "",
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="The first day, in the policy's time zone.")] = "",
    until: Annotated[str, typer.Option("--to", metavar="DAY", help="The last day, included.")] = "",
    by: Annotated[Rows, typer.Option(help="A row for each.")] = Rows.SERVICE,
    service: Service = "",
    team: Annotated[str, typer.Option("--team", metavar="NAME", help="Only services of this team.")] = "",
    environment: Environment = "",
    compare_previous: Annotated[
        bool, typer.Option("--compare-previous", help="Beside each number that of the same length of time before.")
    ] = False,
    clusters: Annotated[
        str,
        typer.Option(
            metavar="EDITION", help="Compare with that report's clusters; `none`: don't.", show_default="the policy's"
        ),
    ] = "",
    form: Annotated[
        Format | None, typer.Option("--format", help="How to write it.", show_default="terminal, or as FILE is called")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write it there.")] = None,
    database: Database = "",
) -> None:
    """Report the DORA metrics: change lead time and its stages, deployment frequency, change fail rate, failed
    deployment recovery time, rework rate, and MTTR over all incidents. The last 90 days unless told otherwise.

    Each number comes with its sample size and a 95 % interval; where nothing was measured there is none. What came in
    and was not looked at yet is looked at first when that is quick; else the report says how far it is behind.

    Exit status: 0, 1 when the policy has mistakes or nothing is known of that service, 2 when an option is wrong, 3
    when the database failed or the file can't be written.

    \b
    Examples:
      flyball dora report
      flyball dora report --service checkout --since 30d --compare-previous
      flyball dora report --by team --from 2026-10-01 --to 2026-10-31
      flyball dora report -o dora.html
      flyball dora report --json | jq '.scopes[] | {service, fail_rate: .change_fail_rate.value}'
    """
    from exporters.dora.report.making import Question
    from exporters.dora.report.model import By

    chosen = _format(form, out, as_json=as_json)
    policy, at = policy_or_exit(folder), now()
    start, end = stretch_or_exit(since, first, until, policy.time_zone, at)
    question = Question(
        By(by.value),
        start,
        end,
        policy.service(service),
        team,
        environments_of(environment, policy),
        compare_previous,
        _edition(clusters or policy.clusters),
    )
    with opened(folder, database) as store:
        with store.transaction(read_only=True) as transaction:
            check_names(transaction.delivery, policy, service=service, team=team, environment=environment)
        made = _made(store, question, policy, at)
        worst = _worst(store, question, policy) if chosen is Format.HTML else None
    _write(_written(made, chosen, policy, worst), out)


def _format(form: Format | None, out: Path | None, *, as_json: bool) -> Format:
    if as_json and form not in (None, Format.JSON):
        raise typer.BadParameter("say one of --json and --format", param_hint="--json")
    if form is None and not as_json and out is not None:
        named = {".html": Format.HTML, ".htm": Format.HTML, ".json": Format.JSON, ".csv": Format.CSV}
        return named.get(out.suffix.lower(), Format.TERMINAL)
    return Format.JSON if as_json else form or Format.TERMINAL


def _edition(name: str) -> "Edition | None":
    from exporters.dora.clusters.editions import editions

    if name in ("", NO_CLUSTERS):
        return None
    found = editions().get(name)
    if found is None:
        hint = f"there are clusters of {', '.join(editions())}; the report of 2025 has none any more"
        raise typer.BadParameter(f"`{name[:40]}`: {hint}", param_hint="--clusters")
    return found


def _made(store: "Store", question: "Question", policy: "DeliveryPolicy", at: datetime) -> "Report":
    from exporters.dora.report.catching_up import catch_up
    from exporters.dora.report.making import make_report

    with _progress("Measuring"):
        catch_up(store, policy, at)
        with store.transaction(read_only=True) as transaction:
            return make_report(transaction.delivery, question, policy, at)


@contextmanager
def _progress(title: str) -> Iterator[None]:
    """A bar where somebody looks at it; a log needs none of what takes a second."""
    from flyball.demo.steps import steps_on

    if not sys.stderr.isatty():
        yield
        return
    with steps_on(sys.stderr) as steps, steps.step(title):
        yield


def _worst(store: "Store", question: "Question", policy: "DeliveryPolicy") -> "Worst":
    from exporters.dora.effects.ranking import worst

    with store.transaction(read_only=True) as transaction:
        return worst(transaction, question.start, question.end, policy, service=question.service)


def _written(made: "Report", form: Format, policy: "DeliveryPolicy", worst: "Worst | None") -> str:
    if form is Format.JSON:
        from exporters.dora.report.views import report_data

        return f"{json.dumps(report_data(made), ensure_ascii=False)}\n"
    if form is Format.CSV:
        from exporters.dora.report.views import CSV_COLUMNS, csv_rows
        from flyball.cli.cost.tables import csv_text

        return csv_text(CSV_COLUMNS, csv_rows(made))
    if form is Format.HTML:
        from flyball.dora_page import as_html

        return as_html(made, policy, worst)
    from exporters.dora.report.terminal import report_text

    return f"{report_text(made)}\n"


def _write(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_bytes(text.encode())  # as it is: CSV has line ends of its own
    except OSError as error:
        fail(f"{out}: {error.strerror}", ExitCode.OUTSIDE)
    typer.echo(f"Written to {out}", err=True)
