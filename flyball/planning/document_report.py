"""The part of a plan that is about documents that are no SLOs, for people and for programs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from controlplane.model.event import JSON
from flyball.planning.documents import Change, DocumentChange, FieldChange
from flyball.planning.layout import painted, wrapped

_SIGNS: Final = {Change.ADDED: "+", Change.CHANGED: "~", Change.REMOVED: "-"}
_VERBS: Final = {Change.ADDED: "add", Change.CHANGED: "change", Change.REMOVED: "remove"}
_MOST_FIELDS: Final = 20
_LONGEST: Final = 100


def document_lines(changes: Sequence[DocumentChange], coloured: bool) -> Iterator[str]:
    """Each document that differs: its fields before and after, and what that would have done."""
    for change in changes:
        sign = _SIGNS[change.change]
        place = f"  {change.path}:{change.line}" if change.path else ""
        yield painted(f"{sign} {change.kind} {change.name}", sign, coloured) + place
        for field in change.fields[:_MOST_FIELDS]:
            yield from wrapped(_in_words(field), "    ", "      ")
        if len(change.fields) > _MOST_FIELDS:
            yield f"    … and {len(change.fields) - _MOST_FIELDS:,} more fields; --json lists them all"
        for words in change.consequences:
            yield from wrapped(words, "    ", "      ")
        yield ""


def document_totals(about: str, changes: Sequence[DocumentChange]) -> str:
    """How many documents, in one line."""
    counted = Counter(change.change for change in changes)
    listed = [f"{counted[kind]:,} to {verb}" for kind, verb in _VERBS.items() if counted[kind]]
    return f"Documents about {about}: {', '.join(listed)}."


def documents_json(changes: Sequence[DocumentChange]) -> list[JSON]:
    """The same for programs."""
    return [_json(change) for change in changes]


def _json(change: DocumentChange) -> JSON:
    return {
        "action": change.change.value,
        "kind": change.kind,
        "name": change.name,
        "path": change.path,
        "line": change.line,
        "changes": [{"field": each.field, "before": each.before, "after": each.after} for each in change.fields],
        "consequences": list(change.consequences),
        "lastMonth": dict(change.effects) if change.effects is not None else None,
    }


def _in_words(field: FieldChange) -> str:
    if field.before is None:
        return f"{field.field}: {_short(field.after)} is new"
    if field.after is None:
        return f"{field.field}: {_short(field.before)} is gone"
    return f"{field.field}: {_short(field.before)} → {_short(field.after)}"


def _short(value: JSON) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
