"""The demo's bills: written by the platform's providers, read by Flyball as any bills are."""

from datetime import datetime
from pathlib import Path
from typing import Final

from controlplane.adapters.files import read_folder
from controlplane.ports import Transient
from controlplane.problems import Problem, has_errors
from controlplane.specfile import read
from finops.billed.adapters.importer import Importer
from finops.billed.declared import declared
from finops.billed.kinds import KINDS
from finops.billed.model import CostSource
from flyball.demo.cost_files import write_cost_files
from flyball.demo.folder import DemoFolder
from flyball.demo.platform.shapes import Catalogue
from flyball.demo.platform.simulation import Simulation
from flyball.demo.steps import Report
from flyball.settings import Settings, load_from_process

_BUCKET: Final = "s3://intelgraph-billing"
_MONEY: Final = "money"


def write_bills(folder: DemoFolder, simulation: Simulation, catalogue: Catalogue, now: datetime) -> None:
    """Write two months of bills, and let the copied workspace find them here instead of in their bucket."""
    write_cost_files(folder.bills, simulation, catalogue, now)
    for path in (folder.workspace / _MONEY).glob("*.yaml"):
        text = path.read_text()
        if _BUCKET in text:
            path.write_text(text.replace(_BUCKET, str(folder.bills)))


def leave_out_bills(folder: DemoFolder) -> None:
    """A platform without a past has no bills: take out what names their bucket, so that nobody looks for it."""
    for path in (folder.workspace / _MONEY).glob("*.yaml"):
        if _BUCKET in path.read_text():
            path.unlink()


def import_bills(folder: DemoFolder, now: datetime, report: Report) -> int:
    """Import what the workspace's CostSources name; how many rows count. Raises `Transient` with what is wrong."""
    settings = load_from_process(folder.workspace)
    if not isinstance(settings, Settings):
        raise Transient(_words(settings))
    importer = Importer(settings.cost_directory)
    sources = _sources(folder.workspace / _MONEY)
    rows = 0
    for done, source in enumerate(sources, start=1):
        outcome = importer.run(source, now)
        if outcome.refused:
            raise Transient(_words(outcome.problems))
        rows += sum(each.partition.rows for each in outcome.imported)
        report(done / len(sources))
    return rows


def _sources(folder: Path) -> tuple[CostSource, ...]:
    files, unreadable = read_folder(folder)
    found = declared(read([file for file in files if b"kind: CostSource" in file.content], KINDS).documents)
    problems = [*unreadable, *found.problems]
    if has_errors(problems):
        raise Transient(_words(problems))
    return found.values


def _words(problems: "tuple[Problem, ...] | list[Problem]") -> str:
    return "the demo's bills cannot be read: " + "; ".join(map(str, problems))
