"""`flyball cost import`: bills into the ledger."""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from finops.billed.ledger.partition import Imported
    from finops.billed.model import CostSource
    from finops.billed.outcome import Outcome, Report
    from flyball.settings import Settings

_PLAIN: Final = "files"  # the source of files that are named on the command line
_SHOWN_FAULTS: Final = 12
_SHOWN_CHANGES: Final = 8


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is imported: sources, and whether whose export it is must be found out."""

    sources: tuple["CostSource", ...]
    detect: bool


def import_(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="DIR|FILE|URL", help="A workspace that declares CostSources, or cost files."),
    ] = None,
    file: Annotated[
        list[str] | None, typer.Option("--file", metavar="FILE", help="A cost file, folder or URL; may be repeated.")
    ] = None,
    source: Annotated[
        str, typer.Option(metavar="NAME", help="Only this CostSource; or what the files given here are called.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read everything, change nothing.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse a period of which a value or a row would be left out.")
    ] = False,
    cost_directory: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The ledger; by default that of flyball.yaml.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON, decimals as strings.")] = False,
) -> None:
    """Read FOCUS cost files (CSV, gzip, parquet; local or in a bucket) into the billed ledger.

    A billing period of a source is replaced as a whole, never added to: the same file again changes nothing, another
    one for the same period replaces it, and what that restated is told by service. Faulty values are told by row and
    column; good rows count, rows that cannot be read are kept apart with their money. When something is wrong with a
    file as a whole, the ledger stays as it was.

    Exit status: 0 when everything was imported, 1 when files were refused, 3 when a bucket or the ledger can't be used.

    \b
    Examples:
      flyball cost import costs.csv
      flyball cost import exports/ --source aws --dry-run
      flyball cost import s3://bills/focus/ --source aws
      flyball cost import                   # every CostSource of this workspace
      flyball cost import --json | jq '.sources[].periods[] | {period, state, rows}'
    """
    named, files = paths or [], file or []
    workspace = _workspace(named) if named or not files else None
    given = [*([] if workspace else named), *files]
    folder = workspace or Path()
    settings = settings_or_exit(folder, _overrides(cost_directory))
    wanted = _plain(given, source) if given else _declared(folder, source)
    outcomes = _imported(wanted, settings, dry_run=dry_run, strict=strict)
    if as_json:
        typer.echo(_json(outcomes, dry_run=dry_run))
    else:
        for outcome in outcomes:
            for line in _text(outcome, dry_run=dry_run):
                typer.echo(line)
    _say_problems(outcomes)
    if any(outcome.refused for outcome in outcomes):
        raise typer.Exit(ExitCode.PROBLEMS)


def _overrides(cost_directory: Path | None) -> dict[str, str]:
    """A folder on the command line is relative to where one stands, not to the workspace."""
    return {"cost.directory": str(cost_directory.absolute())} if cost_directory else {}


def _workspace(given: Sequence[str]) -> Path | None:
    """The folder, if what was named is one that declares cost sources; nothing named means the one we stand in."""
    if len(given) > 1 or (given and not Path(given[0]).is_dir()):
        return None
    folder = Path(given[0]) if given else Path()
    from flyball.settings import FILE_NAME

    if not given or (folder / FILE_NAME).is_file():
        return folder
    declares = re.compile(rb"""\bkind["']?\s*:\s*["']?CostSource\b""")
    files = [*folder.glob("*.yaml"), *folder.glob("*.yml"), *folder.glob("*/*.yaml")]
    return folder if any(declares.search(each.read_bytes()) for each in files if each.is_file()) else None


def _declared(folder: Path, name: str) -> _Wanted:
    from finops.billed.declared import declared
    from flyball.cli.declared import declared_or_exit, one_or_exit

    known = declared_or_exit(folder, declared)
    if not known:
        fail(
            f"{folder} declares no CostSource: docs/how-to/import-costs.md says how to write one. "
            "Files are imported as they are, too: flyball cost import FILE",
            ExitCode.PROBLEMS,
        )
    chosen = (one_or_exit(known, name, "CostSource"),) if name else tuple(known.values())
    return _Wanted(chosen, detect=False)


def _plain(given: Sequence[str], name: str) -> _Wanted:
    from finops.billed.model import CostSource

    name = name or _PLAIN
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name):
        message = "lower-case letters, digits and `-`, at most 63"
        raise typer.BadParameter(message, param_hint="--source")
    return _Wanted((CostSource(name=name, path=given[0], further=tuple(given[1:])),), detect=True)


def _imported(wanted: _Wanted, settings: "Settings", *, dry_run: bool, strict: bool) -> "list[Outcome]":
    from controlplane.adapters.clock import SystemClock
    from controlplane.ports import Permanent, Transient
    from finops.billed.adapters.importer import Importer
    from finops.billed.outcome import Asked
    from flyball.settings import variables_of

    secrets = variables_of(variable for source in wanted.sources for _, variable in source.credentials)
    importer = Importer(settings.cost_directory, secrets)
    asked = Asked(dry_run=dry_run, strict=strict, detect=wanted.detect)
    done: list[Outcome] = []
    try:
        for source in wanted.sources:
            with _progress(f"Importing {source.name}") as report:
                done.append(importer.run(source, SystemClock().now(), asked=asked, report=report))
    except (Transient, Permanent) as error:
        fail(f"Not imported: {error}", ExitCode.OUTSIDE)
    except KeyboardInterrupt:
        fail("Interrupted; the ledger is as it was.", ExitCode.OUTSIDE)
    return done


@contextmanager
def _progress(title: str) -> "Iterator[Report]":
    """A bar with an estimate on a terminal, two lines elsewhere."""
    from flyball.demo.steps import steps_on

    with steps_on(sys.stderr) as steps, steps.step(title) as share_done:
        stages = {"Reading files": (0.0, 0.25), "Reading text": (0.25, 0.25), "Summing up": (0.5, 0.5)}

        def report(what: str, share: float | None) -> None:
            begin, length = stages.get(what, (0.0, 0.0))
            if share is not None:
                share_done(begin + length * share)

        yield report


def _json(outcomes: "Sequence[Outcome]", *, dry_run: bool) -> str:
    from finops.billed.views import outcome_as_json

    document = {"dry_run": dry_run, "sources": [outcome_as_json(each) for each in outcomes]}
    return json.dumps(document, indent=2, ensure_ascii=False)


def _text(outcome: "Outcome", *, dry_run: bool) -> Iterator[str]:
    """What became of a source: its periods, what was restated, and what was wrong with values."""
    from controlplane.wording import money
    from flyball.money.text_table import text_table

    if outcome.refused:
        yield f"{outcome.source}: refused, the ledger is as it was"
        return
    rows = [
        (
            each.partition.key.period_name, each.state.value, f"{each.partition.rows:,}",
            f"{each.partition.quarantined:,}",
            ", ".join(money(one.billed, one.currency) for one in each.partition.money),
            ", ".join(money(one.effective, one.currency) for one in each.partition.money),
        )
        for each in outcome.imported
    ]  # fmt: skip
    yield f"{outcome.source}{' (dry run: nothing was changed)' if dry_run else ''}"
    yield text_table(("period", "state", "rows", "apart", "billed", "effective"), rows, left=2)
    for each in outcome.imported:
        yield from _restated(each)
        yield from _faults(each)


def _restated(each: "Imported") -> Iterator[str]:
    from controlplane.problem_report import printable
    from controlplane.wording import money

    if each.restatement is None:
        return
    changes = sorted(each.restatement.changes, key=lambda one: -abs(one.billed_difference))
    yield f"\n{each.partition.key.period_name} was restated: {_services(len(changes))} other sums"
    for one in changes[:_SHOWN_CHANGES]:
        before, after = money(one.billed_before, one.currency), money(one.billed_after, one.currency)
        difference = money(one.billed_difference, one.currency)
        yield f"  {printable(one.service or '(no service)')}: billed {before} → {after} (difference {difference})"
    if len(changes) > _SHOWN_CHANGES:
        yield f"  and {len(changes) - _SHOWN_CHANGES} more (--json lists all)"


def _services(count: int) -> str:
    return "1 service has" if count == 1 else f"{count:,} services have"


def _faults(each: "Imported") -> Iterator[str]:
    from flyball.money.text_table import text_table

    found = sorted(each.partition.faults, key=lambda one: (one.action.value == "normalised", -one.rows))
    if not found or each.state.value == "unchanged":
        return
    yield f"\n{each.partition.key.period_name}: faulty values (flyball cost report --faults lists them)"
    rows = [
        (one.fault, one.column, one.action.value, f"{one.rows:,}", _place(one.examples[0]) if one.examples else "")
        for one in found[:_SHOWN_FAULTS]
    ]
    yield text_table(("fault", "column", "done", "rows", "first"), rows, left=3)
    if len(found) > _SHOWN_FAULTS:
        yield f"and {len(found) - _SHOWN_FAULTS} more kinds"
    for one in each.partition.money:
        if one.effective_missing:
            yield f"EffectiveCost is missing in {one.effective_missing:,} rows of {one.currency}: it is not 0 there"


def _place(example: object) -> str:
    from finops.billed.faults import Example

    assert isinstance(example, Example)
    return f"line {example.line:,}" if example.line else f"row {example.row:,}"


def _say_problems(outcomes: "Sequence[Outcome]") -> None:
    from controlplane.problem_report import as_text

    problems = [problem for outcome in outcomes for problem in outcome.problems]
    if problems:
        typer.echo(as_text(problems, {}, sys.stderr.isatty()), err=True, nl=False)
