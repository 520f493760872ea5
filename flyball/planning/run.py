"""A plan from a workspace, what was applied, and what runs. Changes nothing."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from controlplane.burn_rate import duration
from controlplane.model.event import JSON
from controlplane.model.generation import TextFile
from controlplane.model.slo import SLO
from controlplane.problems import Problem, has_errors
from controlplane.specfile import SourceFile
from flyball.planning.checks import (
    plan_alerts,
    plan_anomalies,
    plan_checks,
    plan_delivery,
    record_of_alerts,
    record_of_anomalies,
    record_of_checks,
    record_of_delivery,
)
from flyball.planning.documents import DocumentChange
from flyball.planning.file_cache import FileCache
from flyball.planning.live import Applied, AskedEngine, applied_in, compiled_in, drift
from flyball.planning.money import NO_MONEY, MoneyPlan, plan_money, record_of
from flyball.planning.reading import Read, read_workspace
from flyball.slo_manifests import SHARING, basis_of
from slo import manifest
from slo.compiler import CompileOptions, file_name, is_usual, subjects
from slo.generation import MARKER_FILE
from slo.manifest import Manifest, slo_of
from slo.plan.planning import Plan, Side, Surroundings, plan

_WINDOW: Final = re.compile(r"[0-9]{1,9}[dhms]")
_BASIS: Final = {
    "compiler": "Flyball is another version",
    "externalUrl": "the console has another address",
    "runbookUrl": "runbooks have another address",
    "sharedAbove": "rules are shared from another number of SLOs on",
}


@dataclass(frozen=True, slots=True)
class RuleFiles:
    """Rule files that differ, by name: told instead of SLOs where it is not known which were applied, and beside them
    where every rule may have changed.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class Planned:
    """The whole outcome. `plan` is None when the files have mistakes or when only rule files could be compared.

    `unasked` says why no rule engine was asked, empty when one was; `against` what was compared with, when it was not
    what was applied.
    """

    live: Applied
    read: Read
    problems: tuple[Problem, ...] = ()
    plan: Plan | None = None
    rule_files: RuleFiles = RuleFiles()
    drift: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unasked: str = ""
    against: str = ""
    money: MoneyPlan = NO_MONEY
    checks: tuple[DocumentChange, ...] = ()
    alerts: tuple[DocumentChange, ...] = ()
    delivery: tuple[DocumentChange, ...] = ()
    anomalies: tuple[DocumentChange, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether `flyball apply` would change what runs."""
        documents = (*self.money.changes, *self.checks, *self.alerts, *self.delivery, *self.anomalies)
        return bool((self.plan and self.plan.changes) or self.rule_files or self.drift or documents)


@dataclass(frozen=True, slots=True)
class Request:
    """What to plan: `against` is a rules directory, a folder of `flyball compile`, or another workspace."""

    folder: Path
    options: CompileOptions
    rules_directory: Path
    against: Path | None = None
    keep_history: bool = False
    cache_folder: Path | None = None
    code: str = ""
    now_ns: int = 0


def make_plan(request: Request, engine: AskedEngine | None) -> Planned:
    """What `flyball apply` would change. Raises what reading the rules directory raises."""
    read = _read(request, request.folder)
    if has_errors(read.problems):
        return Planned(Applied(), read, read.problems)
    live, problems = _live(request)
    against = str(request.against or "")
    if problems:
        return Planned(live, read, problems)
    money = plan_money(live.money_record, read.declaring, engine)
    planned = partial(
        Planned,
        against=against,
        money=money,
        checks=plan_checks(live.check_record, read.declaring),
        alerts=plan_alerts(live.alert_record, read.declaring),
        delivery=plan_delivery(live.delivery_record, read.declaring),
        anomalies=plan_anomalies(live.anomaly_record, read.declaring),
    )
    if live.manifest and not _is_readable(live.manifest, read):
        live = replace(live, manifest=None)
    if live.generation and live.manifest is None:
        files = _rule_files(live, read, request.options)
        return planned(live, read, rule_files=files, notes=_WITHOUT_MANIFEST)
    before, after, basis = _sides(request, read, live)
    around = Surroundings(
        request.options,
        engine.largest if engine else _unknown,
        engine.samples if engine else _unknown,
        read.position,
        request.keep_history,
    )
    made = plan(before, after, around)
    files, notes = _everything_else(request, read, live, basis)
    return planned(
        live,
        read,
        plan=made,
        rule_files=files,
        drift=drift(live, engine, len(before.lines)) if engine and not against else (),
        notes=(*live.notes, *notes),
        unasked=engine.failure if engine else "no rule engine was named",
    )


def _sides(request: Request, read: Read, live: Applied) -> tuple[Side, Side, dict[str, JSON]]:
    """What was applied and what the files say, and what the latter's rules depend on besides."""
    applied: Sequence[str] = live.manifest.lines if live.manifest else ()
    old_basis: Mapping[str, JSON] = live.manifest.basis if live.manifest else {}
    lines = [slo.line for slo in read.slos]
    sharing = _sharing(old_basis)
    before = Side(applied, _shares(old_basis, len(applied)), +sharing)
    gone, come = _differing(applied, lines)
    sharing.subtract(_usual(gone))
    sharing.update(_usual(come))
    after = Side(lines, len(lines) > request.options.shared_above, +sharing)
    return before, after, basis_of(request.options, after.sharing)


def _everything_else(
    request: Request, read: Read, live: Applied, basis: Mapping[str, JSON]
) -> tuple[RuleFiles, list[str]]:
    """Rule files that differ though their SLOs do not, and why."""
    if live.manifest is None or not live.generation:
        return RuleFiles(), []
    reasons = [words for key, words in _BASIS.items() if live.manifest.basis.get(key) != basis[key]]
    if not reasons:
        return RuleFiles(), []
    gone, come = _differing(live.manifest.lines, [slo.line for slo in read.slos])
    files = _rule_files(live, read, request.options, but=gone + come)
    return files, [f"{words}: rules change though their SLOs do not" for words in reasons if files]


_WITHOUT_MANIFEST: Final = (
    "what was applied does not say which SLOs it was made from (another version of Flyball applied it, or the file is "
    "damaged): rule files are compared",
)


def _is_readable(applied: Manifest, read: Read) -> bool:
    """Whether the lines that differ are SLOs: a manifest may be damaged, or of a version that knows other fields."""
    gone, _ = _differing(applied.lines, [slo.line for slo in read.slos])
    try:
        for line in gone:
            slo_of(line)
    except ValueError:
        return False
    return True


def _unknown(_: str) -> float | None:
    return None


def _read(request: Request, folder: Path) -> Read:
    cache = FileCache(request.cache_folder, folder, request.code) if request.cache_folder else None
    return read_workspace(folder, cache, _understand_all, request.now_ns)


def _understand_all(files: Sequence[SourceFile]) -> tuple[Sequence[Problem], Sequence[SLO]]:
    from flyball.in_parallel import processors, understand  # a tenth of a second that an edit does without

    with processors(files) as (run, count):
        return understand(files, run, count)


def _live(request: Request) -> tuple[Applied, tuple[Problem, ...]]:
    against = request.against
    if against is None:
        return applied_in(request.rules_directory), ()
    if (against / "current").is_dir():
        return applied_in(against), ()
    if (against / manifest.FILE_NAME).is_file() or (against / "prometheus").is_dir():
        return compiled_in(against), ()
    read = _read(request, against)
    if has_errors(read.problems):
        return Applied(), read.problems
    lines = [slo.line for slo in read.slos]
    basis = basis_of(request.options, _usual(lines))
    made = manifest.manifest_of(lines, basis)
    applied = Applied(
        "",
        made,
        money_record=record_of(read.declaring),
        check_record=record_of_checks(read.declaring),
        alert_record=record_of_alerts(read.declaring),
        delivery_record=record_of_delivery(read.declaring),
        anomaly_record=record_of_anomalies(read.declaring),
    )
    return applied, ()


def _differing(before: Sequence[str], after: Sequence[str]) -> tuple[list[str], list[str]]:
    old, new = set(before), set(after)
    return list(old - new), list(new - old)


def _usual(lines: Sequence[str]) -> Counter[str]:
    slos = (slo_of(line) for line in lines)
    return Counter(duration(slo.window.length) for slo in slos if is_usual(slo))


def _sharing(basis: Mapping[str, JSON]) -> Counter[str]:
    found = basis.get(SHARING)
    counted = found.items() if isinstance(found, dict) else ()
    return Counter({key: n for key, n in counted if isinstance(n, int) and n > 0 and _WINDOW.fullmatch(key)})


def _shares(basis: Mapping[str, JSON], slos: int) -> bool:
    above = basis.get("sharedAbove")
    return isinstance(above, int) and slos > above


def _rule_files(live: Applied, read: Read, options: CompileOptions, but: Sequence[str] = ()) -> RuleFiles:
    """Rule files that differ, those of the SLOs in `but` aside: they are told as SLOs."""
    from flyball.in_parallel import processors, rule_texts

    slos = [slo_of(slo.line) for slo in read.slos]
    names = {slo_of(line).name for line in but}
    theirs = {file_name(each) for each in subjects(slos, options) if any(slo.name in names for slo in each.slos)}
    told = theirs | {f"slo-{name}.yaml" for name in names}
    sources = [SourceFile("", slo.line.encode()) for slo in read.slos]
    with processors(sources) as (run, _):
        new = rule_texts(slos, options, run)
    old = {file.name: file.text for file in live.files() if _is_rules(file)}
    return RuleFiles(
        tuple(sorted(new.keys() - old.keys() - told)),
        tuple(sorted(old.keys() - new.keys() - told)),
        tuple(sorted(name for name in new.keys() & old.keys() - told if new[name] != old[name])),
    )


def _is_rules(file: TextFile) -> bool:
    return file.name.startswith("slo-") and file.name.endswith(".yaml") and file.name != MARKER_FILE
