"""Which files are imported together, by whose export it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Final

from controlplane.problems import Problem, Severity
from finops.billed.model import Format
from finops.billed.reading.manifests import (
    BadManifest,
    Manifest,
    aws_manifest,
    azure_manifest,
    is_aws_manifest,
    is_azure_manifest,
    partition_of,
)

_DATA: Final = (".csv", ".csv.gz", ".gz", ".parquet", ".parq", ".pq")
_PACKED: Final = (".zip", ".7z", ".tar", ".tgz", ".tar.gz", ".bz2", ".xz", ".zst")
_HALF: Final = (".tmp", ".part", ".partial", ".crdownload", ".filepart")


@dataclass(frozen=True, slots=True)
class Batch:
    """Files that replace whole periods together. `period` is None when only the rows tell which those are.

    `rows` is how many rows the manifest promises, None when it says nothing of it.
    """

    files: tuple[str, ...]
    period: date | None = None
    manifest: str = ""
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the source: its size and what changes when it does."""

    size: int
    stamp: str


@dataclass(frozen=True, slots=True)
class Batches:
    """What is to be imported, and what keeps something from it."""

    batches: tuple[Batch, ...]
    problems: tuple[Problem, ...] = ()


def manifests_among(names: Sequence[str]) -> list[str]:
    """Paths that may be manifests."""
    return [name for name in names if is_aws_manifest(name) or is_azure_manifest(name)]


def format_of(written: Format | None, names: Sequence[str]) -> Format:
    """Whose export it is: as declared, otherwise by the manifests that lie there."""
    if written is not None:
        return written
    if any(is_aws_manifest(name) for name in names):
        return Format.AWS
    return Format.AZURE if any(is_azure_manifest(name) for name in names) else Format.FOCUS


def is_data(name: str) -> bool:
    """Whether it is a file that we read, by its name."""
    return name.lower().endswith(_DATA) and not name.lower().endswith(".tar.gz")


def batches_of(
    format_: Format, files: Mapping[str, Found], manifests: Mapping[str, bytes], shown: Mapping[str, str]
) -> Batches:
    """`shown` has every file as problems name it; `manifests` the contents of those among the files."""
    refused = tuple(_unread(files, shown))
    data = sorted(name for name in files if is_data(name))
    if len(files) == 1 and not refused:
        data = list(files)  # named by the user: its content tells what it is
    if format_ in (Format.FOCUS, Format.GCP):
        return Batches((Batch(tuple(data)),) if data else (), refused)
    kind = is_aws_manifest if format_ is Format.AWS else is_azure_manifest
    read = aws_manifest if format_ is Format.AWS else azure_manifest
    found: list[Manifest] = []
    problems = list(refused)
    for path in sorted(path for path in manifests if kind(path)):
        try:
            found.append(read(path, manifests[path], data))
        except BadManifest as error:
            problems.append(
                Problem(shown[path], 1, 1, "", f"the manifest cannot be used: {error}", rule="bad-manifest")
            )
    newest = _newest(found, files)
    for manifest in newest:
        problems += _missing(manifest, files, manifests[manifest.path], shown)
    problems += _without_manifest(format_, data, found, shown)
    batches = tuple(Batch(tuple(name for name, _ in each.files), each.period, each.path, each.rows) for each in newest)
    return Batches(batches, tuple(problems))


def _newest(found: Sequence[Manifest], files: Mapping[str, Found]) -> list[Manifest]:
    """Of several for a period the one that was written last; those that tell no period all stay."""
    by_period: dict[object, Manifest] = {}
    for each in found:
        scope = str(PurePosixPath(each.path).name) if each.period else each.path
        key = (each.period, scope)
        other = by_period.get(key)
        if other is None or _age(each, files) >= _age(other, files):
            by_period[key] = each
    return sorted(by_period.values(), key=lambda each: (each.period or date.min, each.path))


def _age(manifest: Manifest, files: Mapping[str, Found]) -> tuple[str, str]:
    """Azure tells when a run was submitted; AWS overwrites its manifest, or puts an execution beside the others."""
    stamp = files[manifest.path].stamp
    is_time = manifest.order[:4].isdigit() and "T" in manifest.order
    return (manifest.order if is_time else "", stamp.partition("-")[2])


def _missing(
    manifest: Manifest, files: Mapping[str, Found], content: bytes, shown: Mapping[str, str]
) -> Iterator[Problem]:
    text = content.decode("utf-8", "replace")
    for name, size in manifest.files:
        line, column = _place(text, name)
        if name not in files:
            message = f"the manifest names `{name}`, which is not there"
            hint = "the export may still be running; nothing was changed"
            yield Problem(shown[manifest.path], line, column, "", message, hint=hint, rule="missing-file")
        elif size is not None and files[name].size != size:
            message = f"the manifest says that `{name}` has {size:,} bytes, it has {files[name].size:,}"
            yield Problem(shown[manifest.path], line, column, "", message, rule="half-written")


def _place(text: str, name: str) -> tuple[int, int]:
    at = text.find(PurePosixPath(name).name)
    if at < 0:
        return 1, 1
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _without_manifest(
    format_: Format, data: Sequence[str], found: Sequence[Manifest], shown: Mapping[str, str]
) -> Iterator[Problem]:
    """Data that no manifest names is not complete, or is that of an earlier run: it does not count."""
    manifests = manifests_among(list(shown))
    if not manifests and data:
        message = f"no manifest: with format {format_.value} only what a manifest names is complete"
        hint = "format: focus takes files as they are"
        yield Problem(shown[data[0]], 1, 1, "", message, hint=hint, rule="no-manifest")
        return
    told = {each.period for each in found} | {partition_of(name) for name in manifests}
    waiting = {period: name for name in reversed(data) if (period := partition_of(name)) and period not in told}
    for period, name in sorted(waiting.items()):
        message = f"BILLING_PERIOD={period:%Y-%m} has no manifest yet and does not count"
        yield Problem(shown[name], 1, 1, "", message, severity=Severity.WARNING, rule="no-manifest")


def _unread(files: Mapping[str, Found], shown: Mapping[str, str]) -> Iterator[Problem]:
    """Files that may hold costs but cannot be read."""
    for name in sorted(files):
        lower = name.lower()
        if lower.endswith(_PACKED):
            hint = "unpack it first; gzip (.csv.gz) and parquet are read as they are"
            message = "archives of this kind are not read"
            yield Problem(shown[name], 1, 1, "", message, hint=hint, rule="archive")
        elif lower.endswith(_HALF):
            message = "somebody is still writing this file"
            yield Problem(shown[name], 1, 1, "", message, severity=Severity.WARNING, rule="half-written")
