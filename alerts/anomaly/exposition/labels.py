"""Labels of series as they may stand on /metrics, whatever they are called and whatever they hold."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from alerts.anomaly.labels import RESERVED

METRIC_NAME: Final = "__name__"
_EXPORTED: Final = "exported_"  # what Prometheus itself puts before a label whose name is taken
_CLASSIC: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_NOT_CLASSIC: Final = re.compile(r"[^a-zA-Z0-9_]")


def exposed_labels(all_labels: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The labels of a detector's series, in the same order, no two alike.

    A label that has one of our own names gets `exported_` before it, as often as it takes: Prometheus does the same
    where labels clash at a scrape. Other characters than Prometheus 2 allows in a name become `_`: it would refuse the
    whole scrape. The metric's name is left out where all series have the same. An empty value is no label.
    """
    is_shared = len({labels.get(METRIC_NAME, "") for labels in all_labels}) <= 1
    left_out = {METRIC_NAME} if is_shared else set()
    return [_exposed({name: labels[name] for name in labels if name not in left_out}) for labels in all_labels]


def written(labels: Mapping[str, str]) -> str:
    """Between the braces, by name."""
    return ",".join([f'{name}="{escaped(labels[name])}"' for name in sorted(labels)])


def escaped(value: str) -> str:
    """A label's value as the text format has it."""
    if "\\" in value or '"' in value or "\n" in value:
        return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    return value


def _exposed(labels: Mapping[str, str]) -> dict[str, str]:
    if not any(name in RESERVED or not _CLASSIC.match(name) or name.startswith("__") for name in labels):
        return {name: value for name, value in labels.items() if value}
    found: dict[str, str] = {}
    for name in sorted(labels, key=_goes_last):
        if labels[name]:
            found[_free(_classic(name), found.keys() | labels.keys() - {name} | RESERVED)] = labels[name]
    return found


def _goes_last(name: str) -> tuple[bool, str]:
    """Names that may stay as they are come first: nobody else takes them."""
    return name in RESERVED or _CLASSIC.match(name) is None, name


def _classic(name: str) -> str:
    plain = _NOT_CLASSIC.sub("_", name)
    if not plain or plain.startswith("__"):  # Prometheus keeps these for itself
        return _EXPORTED + plain
    return f"_{plain}" if plain[:1].isdigit() else plain


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name = _EXPORTED + name
    return name
