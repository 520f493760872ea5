"""`flyball golden-paths`: which critical paths are watched, and what is missing."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from controlplane.ports import MetricsBackend, Store
    from controlplane.specfile import Document
    from flyball.settings import Settings
    from synthetics.golden_paths.coverage import Coverage
    from synthetics.golden_paths.model import GoldenPath, RouteInventory

_WHERE_TO_READ: Final = "docs/how-to/enforce-golden-paths.md says how to write one"


class Format(Enum):
    """How coverage is printed."""

    TABLE = "table"
    JSON = "json"
    MERMAID = "mermaid"
    DOT = "dot"


def golden_paths(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The workspace.")] = Path(),
    prometheus: Annotated[
        str, typer.Option(metavar="URL", help="Prometheus' address; by default that of flyball.yaml.")
    ] = "",
    database: Annotated[str, typer.Option(metavar="URL", help="Instead of the workspace's database.")] = "",
    offline: Annotated[bool, typer.Option("--offline", help="Look at the files alone; ask no server.")] = False,
    output: Annotated[Format, typer.Option("--format", help="For people, for programs, or as a graph.")] = Format.TABLE,
    enforce: Annotated[bool, typer.Option("--enforce", help="Exit 1 while a critical path has gaps.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="With --enforce: what is unknown fails, too.")] = False,
) -> None:
    """Say which golden paths are watched: their routes seen in traffic, their SLOs, journeys and probes.

    Routes come from Prometheus, runs from the database. What cannot be asked is unknown, never covered.

    Exit status: 0; with --enforce 1 while gaps remain that nobody accepted. 1 when files have mistakes.

    \b
    Examples:
      flyball golden-paths
      flyball golden-paths --prometheus http://127.0.0.1:9090 --enforce
      flyball golden-paths --format json | jq '.routesOnNoPath'
      flyball golden-paths --format mermaid >> $GITHUB_STEP_SUMMARY
      flyball golden-paths --format dot | dot -Tsvg > paths.svg
    """
    settings = settings_or_exit(folder, {"prometheus.url": prometheus})
    paths, inventories = _declared_or_exit(folder)
    if not paths:
        fail(f"{folder} declares no GoldenPath: {_WHERE_TO_READ}", ExitCode.PROBLEMS)
    with sources_of(settings, database, offline=offline) as (backend, store):
        found = _coverage(paths, inventories, backend, store)
    typer.echo(_rendered(found, output), nl=False)
    if enforce and fails(found, strict=strict):
        for line in [verdict(found)] if output is Format.TABLE else failures(found, strict=strict):
            typer.echo(line, err=True)
        raise typer.Exit(ExitCode.PROBLEMS)


def enforced(
    documents: "Sequence[Document]", *, backend: "MetricsBackend | None" = None, store: "Store | None" = None
) -> "Coverage":
    """For `flyball check --enforce-golden-paths`: coverage of documents that are right. Live where something is given.

    The build fails when `fails(…)` says so; `failures(…)` are the lines to print.
    """
    from synthetics.golden_paths.declared import declared, inventories

    return _coverage(declared(documents).values, inventories(documents).values, backend, store)


def fails(found: "Coverage", *, strict: bool = False) -> bool:
    """Whether a build must not go on: a critical path has a gap; with `strict` also while something is unknown."""
    return bool(found.enforced) or (strict and bool(found.not_known))


def failures(found: "Coverage", *, strict: bool = False) -> list[str]:
    """What to print: gaps that fail a build, then what is unknown, then what it comes to."""
    from controlplane.problem_report import printable
    from synthetics.golden_paths.views import gap_sentence, unknown_sentences

    lines = [f"error: {gap_sentence(gap)}" for gap in found.enforced]
    level = "error: unknown" if strict else "unknown, not enforced"
    lines += [f"{level}: {told}" for told in unknown_sentences(found.not_known)]
    if fails(found, strict=strict):
        lines.append(verdict(found))
    return [printable(line) for line in lines]  # routes are whatever somebody asked for


def verdict(found: "Coverage") -> str:
    """Why a build fails, and the way out."""
    gaps, unknown = len(found.enforced), len(found.not_known)
    told = [f"{gaps} gap{'' if gaps == 1 else 's'} in critical golden paths"] if gaps else []
    told += [f"{unknown} thing{'' if unknown == 1 else 's'} unknown"] if unknown else []
    way_out = "close a gap, or accept it for a while with `exempt`" if gaps else "ask what knows, or leave out --strict"
    return f"{', '.join(told)}: {way_out}"


def _coverage(
    paths: "Sequence[GoldenPath]",
    inventories: "Sequence[RouteInventory]",
    backend: "MetricsBackend | None",
    store: "Store | None",
) -> "Coverage":
    from controlplane.adapters.clock import SystemClock
    from flyball.path_coverage import path_coverage

    return path_coverage(paths, inventories, SystemClock().now(), backend=backend, store=store)


def _declared_or_exit(folder: Path) -> "tuple[Sequence[GoldenPath], Sequence[RouteInventory]]":
    """What the workspace declares; mistakes in any of its files are shown, and end the program."""
    from controlplane.adapters.files import read_folder
    from controlplane.problem_report import as_text
    from controlplane.problems import has_errors, in_order
    from flyball.examining import examine
    from flyball.shown_sources import showable
    from synthetics.golden_paths.declared import declared, inventories

    files, unreadable = read_folder(folder)
    examined = examine(files)
    problems = in_order([*unreadable, *examined.problems])
    if has_errors(problems):
        sources = {file.path: showable(file.path, file.content) for file in files}
        fail(as_text(problems, sources, sys.stderr.isatty()), ExitCode.PROBLEMS)
    return declared(examined.documents).values, inventories(examined.documents).values


@contextmanager
def sources_of(
    settings: "Settings", database: str, *, offline: bool
) -> "Iterator[tuple[MetricsBackend | None, Store | None]]":
    """Prometheus and the database. One that does not answer leaves things unknown; one that is not there does, too."""
    from controlplane.ports import Permanent
    from controlplane.store import open_store
    from flyball.cli.cost.ledgers import prometheus_of

    if offline:
        yield None, None
        return
    with prometheus_of(settings) as backend:
        try:
            store = open_store(database or settings.database_url.reveal())
        except Permanent as error:
            fail(f"flyball golden-paths: {error}", ExitCode.OUTSIDE)
        try:
            yield backend, store
        finally:
            store.close()


def _rendered(found: "Coverage", output: Format) -> str:
    import json

    from controlplane.problem_report import printable
    from synthetics.golden_paths.graph import as_dot, as_mermaid, graph_of
    from synthetics.golden_paths.views import as_data

    if output is Format.JSON:
        return json.dumps(as_data(found), indent=2, ensure_ascii=False) + "\n"
    if output is Format.MERMAID:
        return printable(as_mermaid(graph_of(found)), keep="\n")
    if output is Format.DOT:
        return printable(as_dot(graph_of(found)), keep="\n")
    return _as_table(found)


def _as_table(found: "Coverage") -> str:
    from controlplane.problem_report import printable
    from flyball.money.text_table import text_table
    from synthetics.golden_paths.views import HEADER, conclusion, sentences, table_rows

    told = "\n".join(printable(line) for line in sentences(found))
    return "\n\n".join(filter(None, (text_table(HEADER, table_rows(found), left=2), told, conclusion(found)))) + "\n"
