"""A series by its labels: as the store writes it, as Prometheus has it, as an address names it."""

from collections.abc import Iterable, Mapping
from typing import Final

from alerts.anomaly.exposition.labels import exposed_labels, written
from alerts.anomaly.labels import OF_SCRAPE, RESERVED
from controlplane import anomaly_names as names
from finops.pricing.selectors import quoted

MOST_TEXT: Final = 20_000  # characters of a series in an address
_OURS: Final = (names.DETECTOR, names.OUTPUT, names.BASELINE, "__name__", *OF_SCRAPE)
_EXPORTED: Final = "exported_"
_ESCAPES: Final = {"n": "\n", '"': '"', "\\": "\\"}
Labels = Mapping[str, str]


def series_text(labels: Labels) -> str:
    """As `controlplane.model.anomaly.Episode.series` has it: `{region="eu",service="checkout"}`."""
    return f"{{{written(labels)}}}"


def series_name(labels: Labels) -> str:
    """For people: `checkout, eu`, or with names where there are several labels; of a group that it is one."""
    shown = {name: value for name, value in sorted(labels.items()) if name != names.GROUP}
    if not shown:
        return "all of them together" if names.GROUP in labels else "the only series"
    text = (
        ", ".join(f"{name} {value}" for name, value in shown.items()) if len(shown) > 1 else next(iter(shown.values()))
    )
    return f"{text} (group)" if names.GROUP in labels else text


def title_of(text: str) -> str:
    """For people, of a series' text."""
    labels = labels_in(text)
    return text if labels is None else series_name(labels)


def labels_in(text: str) -> dict[str, str] | None:
    """The labels that a series' text has; None where it is none."""
    if len(text) > MOST_TEXT or not (text.startswith("{") and text.endswith("}")):
        return None
    found: dict[str, str] = {}
    at, end = 1, len(text) - 1
    while at < end:
        equal = text.find('="', at, end)
        if equal <= at:
            return None
        value, after = _value(text, equal + 2, end)
        if value is None or (after < end and text[after] != ","):
            return None
        found[text[at:equal]] = value
        at = after + 1
    return found


def _value(text: str, at: int, end: int) -> tuple[str | None, int]:
    """What is quoted from a place on, and the place after the closing quote."""
    parts: list[str] = []
    while at < end:
        char = text[at]
        if char == '"':
            return "".join(parts), at + 1
        if char == "\\":
            at += 1
            char = _ESCAPES.get(text[at] if at < end else "", "")
        parts.append(char)
        at += 1
    return None, at


def selector(detector: str, labels: Labels, others: Iterable[str] = ()) -> str:
    """Matchers of exactly this series in Prometheus; `others`: names of labels that series of the detector have.

    What stands between braces. A series without a label that others have must say so, or it would be all of them.
    """
    exposed = _in_prometheus(labels)
    absent = {name: "" for name in sorted(set(_in_prometheus(dict.fromkeys(others, "x")))) if name not in exposed}
    asked = {names.DETECTOR: detector, **exposed, **absent}
    return ",".join(f"{name}={quoted(value)}" for name, value in asked.items())


def labels_of(sample: Labels) -> dict[str, str]:
    """The series' own labels, of a sample of one of our metrics."""
    return {_own_name(name): value for name, value in sample.items() if name not in _OURS}


def _in_prometheus(labels: Labels) -> dict[str, str]:
    group = {names.GROUP: labels[names.GROUP]} if names.GROUP in labels else {}
    (exposed,) = exposed_labels([{name: value for name, value in labels.items() if name != names.GROUP}])
    return group | exposed


def _own_name(name: str) -> str:
    plain = name.removeprefix(_EXPORTED)
    return plain if plain != name and plain in RESERVED else name
