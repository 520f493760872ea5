"""Imports a source: files in, partitions out, or nothing changed and every reason why."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Final

from controlplane.problems import Problem, has_errors, in_order
from finops.billed.adapters.csv_scan import Refused
from finops.billed.adapters.folder import LedgerFolder
from finops.billed.adapters.partitions import Made, Making, left_out, make_partitions
from finops.billed.adapters.session import Session
from finops.billed.adapters.staging import Staged, as_parquet, described, fetch
from finops.billed.adapters.trees import Listed, Tree, tree_of
from finops.billed.ledger.partition import Catalogue, Imported, Partition, State
from finops.billed.ledger.restating import restatement
from finops.billed.model import CostSource, Format
from finops.billed.outcome import AS_USUAL, Asked, Outcome, Report, quiet
from finops.billed.reading.batches import Batch, Batches, Found, batches_of, format_of, manifests_among
from finops.billed.reading.manifests import MAX_MANIFEST_BYTES

READER_VERSION: Final = 1  # changes whenever the same bytes would be read otherwise: they are imported again then


class Importer:
    """Writes to one ledger. `secrets` are the values of environment variables that sources name."""

    def __init__(self, folder: Path, secrets: Mapping[str, str] | None = None) -> None:
        self._folder = LedgerFolder(folder)
        self._secrets = secrets or {}

    def run(self, source: CostSource, now: datetime, *, asked: Asked = AS_USUAL, report: Report = quiet) -> Outcome:
        """Import what a source has now. All of its periods are switched together, or none.

        Raises `Transient` when files cannot be fetched or another import writes, `Permanent` for a damaged ledger.
        """
        missing = [variable for _, variable in source.credentials if variable not in self._secrets]
        if missing:
            named = f"variable {missing[0]} is" if len(missing) == 1 else f"variables {', '.join(missing)} are"
            message = f"the environment {named} not set"
            return Outcome(source.name, problems=(Problem(source.path, 1, 1, "credentials", message, rule="secret"),))
        try:
            with self._folder.writing(), self._folder.work() as work:
                return _Run(self._folder, source, now, asked, report, work, tree_of(source, self._secrets)).outcome()
        except Refused as error:
            return Outcome(source.name, problems=(error.problem,))


@dataclass(slots=True)
class _Run:
    """One import of one source."""

    folder: LedgerFolder
    source: CostSource
    now: datetime
    asked: Asked
    report: Report
    work: Path
    tree: Tree

    def outcome(self) -> Outcome:
        """Everything, in order."""
        self.report("Listing files", None)
        listed = {each.name: each for each in self.tree.files()}
        found = self._batches(listed)
        if not found.batches and not has_errors(found.problems):
            problem = Problem(self.source.path, 1, 1, "", "there are no cost files here", hint=_KINDS, rule="no-files")
            return Outcome(self.source.name, problems=(*found.problems, problem))
        if has_errors(found.problems):
            return Outcome(self.source.name, problems=tuple(in_order(found.problems)))
        catalogue = self.folder.catalogue()
        done: list[Imported] = []
        problems = list(found.problems)
        made: list[Made] = []
        for batch in found.batches:
            seen = self._seen(batch, listed)
            known = [each for each in catalogue.of_source(self.source.name) if seen and each.seen == seen]
            if known:
                done += self._unchanged(known, problems)
                continue
            staged = self._fetched(batch, listed)
            fingerprint = fingerprint_of(self.source, batch, staged)
            same = [each for each in catalogue.of_source(self.source.name) if each.fingerprint == fingerprint]
            if same:
                done += self._unchanged(same, problems)
                continue
            batch_made, wrong = self._made(batch, staged, fingerprint)
            problems += wrong
            made += [replace(each, partition=replace(each.partition, seen=seen)) for each in batch_made]
        problems += self._changed_meanwhile(listed, found.batches)
        problems += _strangers(catalogue, made)
        if not has_errors(problems):
            done += self._switch(catalogue, made)
        return Outcome(self.source.name, tuple(sorted(done, key=_by_key)), tuple(in_order(problems)))

    def _unchanged(self, known: Sequence[Partition], problems: list[Problem]) -> list[Imported]:
        if self.asked.strict:
            problems += [problem for each in known for problem in left_out(each)]
        return [Imported(each, State.UNCHANGED) for each in known]

    def _batches(self, listed: Mapping[str, Listed]) -> Batches:
        names = list(listed)
        format_ = format_of(None if self.asked.detect else self.source.format, names)
        shown = {name: self.tree.shown(name) for name in names}
        manifests = {}
        if format_ in (Format.AWS, Format.AZURE):
            manifests = {name: self.tree.read(name, MAX_MANIFEST_BYTES) for name in manifests_among(names)}
        files = {each.name: Found(each.size, each.stamp) for each in listed.values()}
        return batches_of(format_, files, manifests, shown)

    def _seen(self, batch: Batch, listed: Mapping[str, Listed]) -> str:
        """What a bucket tells of a batch's objects (sizes, ETags): while that stays the same, none is fetched."""
        if "://" not in self.source.path or self.source.further:
            return ""
        told = [f"{name}\0{listed[name].size}\0{listed[name].stamp}" for name in sorted(batch.files)]
        return _digest(self.source, batch, told)

    def _fetched(self, batch: Batch, listed: Mapping[str, Listed]) -> list[Staged]:
        total = sum(listed[name].size for name in batch.files)
        if total > self.source.bounds.total_bytes:
            message = f"{total:,} bytes; {self.source.bounds.total_bytes:,} at most are read"
            hint = "bounds.totalBytes of the CostSource allows more"
            raise Refused(Problem(self.source.path, 1, 1, "", message, hint=hint, rule="too-large"))
        seen = _Seen(total, lambda share: self.report("Reading files", share))
        return [fetch(self.tree, listed[name], self.work, self.source.bounds, seen) for name in batch.files]

    def _made(self, batch: Batch, staged: Sequence[Staged], fingerprint: str) -> tuple[list[Made], list[Problem]]:
        bounds = self.source.bounds
        ready: list[Staged] = []
        problems: list[Problem] = []
        session = Session(
            folders=[self.work], files=[each.path.resolve() for each in staged], memory_bytes=bounds.memory_bytes,
            spill=self.work / "spill", in_order=True,
        )  # fmt: skip
        try:
            for each in staged:
                known, wrong = described(each, session)
                problems += wrong
                if has_errors(wrong):
                    continue
                with session.progress(lambda share: self.report("Reading text", share)):
                    ready.append(as_parquet(known, session, bounds))
        except Refused as error:
            problems.append(error.problem)
        finally:
            session.close()
        if has_errors(problems):
            return [], problems
        problems += _rows_told(batch, ready, self.tree)
        making = Making(self.source, batch, ready, fingerprint, self.now, self.work, self.asked.strict, self.report)
        return make_partitions(making, problems)

    def _changed_meanwhile(self, listed: Mapping[str, Listed], batches: Sequence[Batch]) -> list[Problem]:
        message, hint = "the file changed while it was read", "import it again when it is complete"
        return [
            Problem(self.tree.shown(name), 1, 1, "", message, hint=hint, rule="changed-meanwhile")
            for batch in batches
            for name in (*batch.files, *([batch.manifest] if batch.manifest else []))
            if self.tree.stamp(name) != listed[name].stamp
        ]

    def _switch(self, catalogue: Catalogue, made: Sequence[Made]) -> list[Imported]:
        done = []
        partitions, history = dict(catalogue.partitions), list(catalogue.history)
        for each in made:
            folder = "" if self.asked.dry_run else self.folder.place(each.folder, each.partition.key)
            partition = replace(each.partition, folder=folder)
            before = partitions.get(partition.key)
            restated = restatement(before, partition, self.now) if before else None
            history += [restated] if restated else []
            partitions[partition.key] = partition
            done.append(Imported(partition, State.REPLACED if before else State.NEW, restated))
        dimensions = {**catalogue.dimensions, self.source.name: self.source.dimensions}
        changed = bool(made) or catalogue.dimensions.get(self.source.name, {}) != self.source.dimensions
        if changed and not self.asked.dry_run:
            self.folder.switch(Catalogue(catalogue.generation + 1, partitions, tuple(history), dimensions))
        return done


@dataclass(slots=True)
class _Seen:
    """Counts bytes, tells shares."""

    total: int
    tell: Callable[[float], None]
    count: int = 0

    def __call__(self, more: int) -> None:
        self.count += more
        self.tell(min(1.0, self.count / self.total) if self.total else 1.0)


_KINDS: Final = "*.csv, *.csv.gz and *.parquet are read"


def fingerprint_of(source: CostSource, batch: Batch, staged: Sequence[Staged]) -> str:
    """What tells that a batch was imported before: its bytes, and all that decides how they are read."""
    return _digest(source, batch, sorted(each.sha256 for each in staged))


def _digest(source: CostSource, batch: Batch, parts: Sequence[str]) -> str:
    digest = hashlib.sha256(f"{READER_VERSION}".encode())
    for part in (*source.currencies, *sorted(f"{key}={name}" for key, name in source.tag_aliases.items())):
        digest.update(f"\0{part}".encode())
    digest.update(f"\1{batch.period}".encode())
    for part in parts:
        digest.update(f"\1{part}".encode())
    return digest.hexdigest()


def _rows_told(batch: Batch, staged: Sequence[Staged], tree: Tree) -> list[Problem]:
    """A manifest that promises another number of rows tells of files that are not complete."""
    found = sum(each.rows + len(each.rejected) for each in staged)
    if batch.rows is None or batch.rows == found:
        return []
    message = f"the manifest promises {batch.rows:,} rows, the files have {found:,}"
    return [Problem(tree.shown(batch.manifest), 1, 1, "dataRowCount", message, rule="half-written")]


def _strangers(catalogue: Catalogue, made: Sequence[Made]) -> list[Problem]:
    """A period that would be replaced by the bill of somebody else: two sources were given one name."""
    problems = []
    for each in made:
        before = catalogue.partitions.get(each.partition.key)
        if before is None or not before.payers or not each.partition.payers:
            continue
        if set(before.payers).isdisjoint(each.partition.payers):
            problems.append(_stranger(before, each.partition))
    return problems


def _stranger(before: Partition, after: Partition) -> Problem:
    name = before.key.source
    message = (
        f"{before.key.period_name} of the source `{name}` is the bill of {before.payers[0]}; "
        f"this is that of {after.payers[0]}, and would replace it"
    )
    hint = f"give it a source of its own (--source NAME), or remove the period of `{name}` first"
    return Problem(after.inputs[0].name, 1, 1, "", message, hint=hint, rule="other-payer")


def _by_key(each: Imported) -> tuple[str, date]:
    return each.partition.key.source, each.partition.key.period
