"""Manifests: what a provider says belongs to a billing period. Pure; names are checked before anything is opened.

AWS Data Exports: `…/metadata/BILLING_PERIOD=YYYY-MM/<export>-Manifest.json`, written after the data files, names
them in `dataFiles` (cost and usage reports of old: `reportKeys`). Source: AWS Data Exports user guide, "Understanding
export delivery". Azure Cost Management exports: `<export>/<YYYYMMDD-YYYYMMDD>/[<time>/]<run id>/manifest.json` names
its `blobs`, and tells in `runInfo` which days it is about and when it was submitted.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

MAX_MANIFEST_BYTES: Final = 16 * 1024**2
_PARTITION: Final = re.compile(r"billing_period=(\d{4})-(\d{2})", re.IGNORECASE)
_DAYS: Final = re.compile(r"(\d{4})(\d{2})(\d{2})-(\d{8})")


class BadManifest(ValueError):
    """What is wrong with a manifest."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a period: `files` relative to the source's folder, with their sizes where those are told.

    `period` is the day on which it starts, None when only the rows tell. `order` tells the newer of two.
    """

    path: str
    files: tuple[tuple[str, int | None], ...]
    period: date | None
    order: str
    rows: int | None = None


def is_aws_manifest(path: str) -> bool:
    """Whether a path is that of a manifest of AWS."""
    return PurePosixPath(path).name.lower().endswith("manifest.json") and PurePosixPath(path).name != "manifest.json"


def is_azure_manifest(path: str) -> bool:
    """Whether a path is that of a manifest of Azure."""
    return PurePosixPath(path).name.lower() == "manifest.json"


def partition_of(path: str) -> date | None:
    """The month of `BILLING_PERIOD=YYYY-MM` in a path, in any letter case; None without one."""
    found = _PARTITION.search(path)
    return _day(found[1], found[2], "01") if found else None


def aws_manifest(path: str, content: bytes, known: Sequence[str]) -> Manifest:
    """Raises `BadManifest`. `known` are the source's files: URLs and other prefixes are matched by their end."""
    document = _object(content)
    listed = document.get("dataFiles", document.get("reportKeys"))
    names = _strings(listed, "dataFiles")
    files = tuple((_within(name, known), None) for name in names)
    order = str(document.get("executionId") or document.get("assemblyId") or "")
    return Manifest(path, files, partition_of(path) or _aws_period(document), order)


def azure_manifest(path: str, content: bytes, known: Sequence[str]) -> Manifest:
    """Raises `BadManifest`."""
    document = _object(content)
    blobs = document.get("blobs")
    if not isinstance(blobs, list) or not all(isinstance(each, dict) for each in blobs):
        raise BadManifest("`blobs` is not a list of objects")
    names = _strings([each.get("blobName") for each in blobs], "blobs[].blobName")
    sizes = [each.get("byteCount") for each in blobs]
    files = tuple(
        (_within(name, known), size if isinstance(size, int) else None) for name, size in zip(names, sizes, strict=True)
    )
    run = document.get("runInfo")
    run = run if isinstance(run, dict) else {}
    days = _DAYS.search(path)
    period = _day(days[1], days[2], days[3]) if days else _iso_day(run.get("startDate"))
    rows = document.get("dataRowCount")
    return Manifest(path, files, period, str(run.get("submittedTime") or ""), rows if isinstance(rows, int) else None)


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise BadManifest("it is no JSON; it may be half written") from None
    if not isinstance(document, dict):
        raise BadManifest("it is not a JSON object")
    return document


def _strings(value: object, field: str) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(each, str) and each for each in value):
        raise BadManifest(f"`{field}` names no files")
    return [str(each) for each in value]


def _within(name: str, known: Sequence[str]) -> str:
    """A file that a manifest names, as a path below the source's folder.

    What leads out of the folder is refused; a URL or a path from the bucket's root is that of the known file with the
    longest common end. What matches none is returned as it is named: it is missing.
    """
    path = PurePosixPath(unquote(urlsplit(name).path) if "://" in name else name)
    parts = [part for part in path.parts if part not in ("/", ".")]
    if ".." in parts or not parts:
        raise BadManifest(f"it names `{name[:200]}`, which leads out of the folder")
    wanted = "/".join(parts)
    best = ""
    for candidate in known:
        if (wanted == candidate or wanted.endswith(f"/{candidate}")) and len(candidate) > len(best):
            best = candidate
    return best or wanted


def _aws_period(document: Mapping[str, Any]) -> date | None:
    period = document.get("billingPeriod")
    start = period.get("start") if isinstance(period, dict) else None
    return _iso_day(start)


def _iso_day(text: object) -> date | None:
    found = re.match(r"(\d{4})-?(\d{2})-?(\d{2})", text) if isinstance(text, str) else None
    return _day(*found.groups()) if found else None


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
