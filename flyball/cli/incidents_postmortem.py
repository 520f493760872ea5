"""`flyball incidents postmortem`: what is known of an incident afterwards, half written."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.asking import now
from flyball.cli.declared import fail
from flyball.cli.incidents.opening import AsJSON, Database, Folder, IncidentName, opened
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from alerts.postmortems.model import Postmortem
    from flyball.postmortem_charts import Drawn
    from flyball.settings import Settings

_QUERY_SECONDS: Final = 30.0


def postmortem(
    incident: IncidentName,
    folder: Folder = Path(),
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write Markdown there instead of printing it."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with charts of SLOs and money there.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are there, with all that people wrote into them.")
    ] = False,
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Draft an incident's postmortem from its timeline: impact, budget and money spent, detection, acknowledgement and
    recovery times, suspects, actions, and earlier incidents of the same kind. What only people know is asked for.

    Exit status: 0, 1 when there is no such incident or a file is there already, 3 when the database failed.

    \b
    Examples:
      flyball incidents postmortem INC-7
      flyball incidents postmortem INC-7 -o postmortems/inc-7.md --html postmortems/inc-7.html
      flyball incidents postmortem INC-7 --json | jq .moments
    """
    import json

    from alerts.incidents.desk import UnknownIncident
    from alerts.postmortems.as_json import postmortem_data
    from alerts.postmortems.gathering import gathered
    from alerts.postmortems.markdown import as_markdown

    _check_free([output, html], overwrite=overwrite)
    settings = settings_or_exit(folder)
    with opened(folder, database) as store, store.transaction(read_only=True) as transaction:
        found = gathered(transaction, incident, now(), console_url=settings.external_url)
        if found is None:
            raise UnknownIncident(incident)
    if html is not None:
        _write(html, _page(found, settings))
    if output is not None:
        _write(output, as_markdown(found))
    if as_json:
        typer.echo(json.dumps(postmortem_data(found), ensure_ascii=False))
    elif output is None and html is None:
        typer.echo(as_markdown(found), nl=False)


def _page(found: "Postmortem", settings: "Settings") -> str:
    from flyball.postmortem_page import as_html

    return as_html(found, _drawn(found, settings))


def _drawn(found: "Postmortem", settings: "Settings") -> "Drawn":
    from controlplane.adapters.prometheus import PrometheusBackend
    from flyball.postmortem_charts import drawn

    credentials = settings.prometheus_credentials.reveal() if settings.prometheus_credentials else ""
    backend = PrometheusBackend(settings.prometheus_url, credentials=credentials, timeout_seconds=_QUERY_SECONDS)
    try:
        result = drawn(found, backend)
    finally:
        backend.close()
    if result.note:
        typer.echo(f"flyball incidents postmortem: {result.note}", err=True)
    return result


def _check_free(paths: list[Path | None], *, overwrite: bool) -> None:
    """What people wrote into a draft is not thrown away."""
    for path in paths:
        if path is not None and path.exists() and not overwrite:
            fail(f"{path} is there already, perhaps with what people wrote: --overwrite replaces it", ExitCode.PROBLEMS)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{path} cannot be written: {(error.strerror or str(error)).lower()}", ExitCode.PROBLEMS)
    typer.echo(f"wrote {path}", err=True)
