"""Lists of documents: the root of a file may be a list, or a `kind: List` as Kubernetes' tools write it."""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from controlplane.specfile.composing import Composed, Entry, Place, Value
from controlplane.specfile.faults import Fault
from controlplane.specfile.suggestions import choices, did_you_mean, short

LIST: Final = "List"
LIST_VERSIONS: Final = ("v1", "openslo/v1", "openslo.com/v2alpha")  # Kubernetes' own, and OpenSLO's
_FIELDS: Final = ("apiVersion", "kind", "metadata", "items")  # `metadata` of a list says nothing about its items


def documents_in(composed: Composed) -> Iterator[Composed | Fault]:
    """Each document of a list, lists within lists too, and a fault for what is wrong about a list itself.

    What is no list is one document. A fault of the text goes with the item in which it stands.
    """
    value, place = composed.value, composed.place
    if isinstance(value, dict) and value.get("kind") == LIST:
        yield from _of_kind_list(composed, value, place)
    elif isinstance(value, list) and isinstance(place.inner, list) and any(isinstance(item, dict) for item in value):
        yield from _of_items(composed, value, place)
    else:
        yield composed


def _of_items(composed: Composed, value: list[Value], place: Place) -> Iterator[Composed | Fault]:
    assert isinstance(place.inner, list)
    faults = sorted(composed.faults, key=_start)
    for item, where in zip(value, place.inner, strict=True):
        first, last = (bisect_left(faults, at, key=_start) for at in (where.start, where.end))
        yield from documents_in(Composed(item, where, tuple(faults[first:last])))


def _start(fault: Fault) -> int:
    return fault.start


def _of_kind_list(composed: Composed, value: dict[str, Value], place: Place) -> Iterator[Composed | Fault]:
    assert isinstance(place.inner, dict)
    yield from _version_faults(value.get("apiVersion"), place)
    for key in value.keys() - set(_FIELDS):
        entry = place.inner[key]
        meant = did_you_mean(key, _FIELDS)
        message = f"unknown field `{short(key)}`" + (f", did you mean `{meant}`?" if meant else "")
        hint = "" if meant else f"known here: {', '.join(sorted(_FIELDS))}"
        yield Fault(entry.start, entry.end, message, hint, "unknown-field", field=key)
    items = place.inner.get("items")
    if items is None:
        if not any(did_you_mean(key, ("items",)) for key in value.keys() - set(_FIELDS)):
            where = _key_of(place.inner["kind"])
            yield Fault(*where, "required, but missing", "the documents of the list", "missing-field", field="items")
        return
    inner = value["items"]
    if isinstance(inner, list):
        yield from _of_items(composed, inner, items.place)
    elif inner is not None:  # a list of nothing is written so too
        what = "a mapping" if isinstance(inner, dict) else "plain text" if isinstance(inner, str) else "true or false"
        span = (items.place.start, max(items.place.end, items.place.start + 1))
        yield Fault(*span, f"expected a list, got {what}", "", "bad-value", field="items")


def _version_faults(version: Value, place: Place) -> Iterator[Fault]:
    assert isinstance(place.inner, dict)
    if version in LIST_VERSIONS:
        return
    hint = f"known are {choices(LIST_VERSIONS)}"
    entry = place.inner.get("apiVersion")
    if entry is None:
        where = _key_of(place.inner["kind"])
        yield Fault(*where, "required, but missing", hint, "missing-field", field="apiVersion")
    elif isinstance(version, str):
        message = f"unknown apiVersion `{short(version)}` of a List"
        yield Fault(entry.place.start, entry.place.end, message, hint, "unknown-kind", field="apiVersion")
    else:
        yield Fault(*_key_of(entry), "expected text", hint, "unknown-kind", field="apiVersion")


def _key_of(entry: Entry) -> tuple[int, int]:
    return entry.start, entry.end
