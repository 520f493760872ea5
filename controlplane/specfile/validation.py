"""From plain values to a model, or to problems in plain words at the places where they were written."""

from collections.abc import Sequence
from copy import deepcopy
from typing import NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from controlplane.problems import Problem
from controlplane.source_text import SourceText
from controlplane.specfile import wording
from controlplane.specfile.composing import Place, Value
from controlplane.specfile.document import Kind, entry_at, field_name
from controlplane.specfile.faults import Fault
from controlplane.specfile.schema import fields_at
from controlplane.specfile.suggestions import did_you_mean, short

_TAG_ERRORS = ("union_tag_invalid", "union_tag_not_found")  # the field that selects the member of a union
_KEY_STEP = "[key]"  # pydantic's last step when a mapping's key is at fault


class _Located(NamedTuple):
    """One of pydantic's errors, with its path in the user's document."""

    path: tuple[str | int, ...]
    error: ErrorDetails
    branch: tuple[str | int, ...]  # pydantic's own steps: which member of a union it tried
    on_key: bool
    others: tuple[ErrorDetails, ...] = ()  # what the other members of a union say of the same value


def problems_of(
    kind: Kind, source: SourceText, value: dict[str, Value], place: Place, faults: Sequence[Fault] = ()
) -> tuple[BaseModel | None, list[Problem]]:
    """The checked model of a document, or everything that is wrong with it but follows from no fault known already."""
    try:
        return kind.model.model_validate(value), []
    except ValidationError as error:
        located = [_locate(value, details) for details in error.errors(include_url=False)]
    meant = {(found.path[:-1], _meant(kind, found)) for found in located}
    return None, [
        _problem(kind, source, place, found)
        for found in _one_branch_each(located)
        if not (found.error["type"] == "missing" and (found.path[:-1], found.path[-1]) in meant)
        and not _is_counted_again(found)
        and not _follows_from(faults, place, found)
    ]


def without_mistakes(kind: Kind, value: dict[str, Value]) -> BaseModel | None:
    """What is left of a document without its unknown fields and bad values; None when that says too little."""
    try:
        return kind.model.model_validate(value)
    except ValidationError as error:
        paths = {_locate(value, details).path for details in error.errors(include_url=False)}
    rest = deepcopy(value)
    for path in paths:
        holder: Value = rest
        for step in path[:-1]:
            if isinstance(holder, dict) and isinstance(step, str):
                holder = holder.get(step)
            elif isinstance(holder, list) and isinstance(step, int):
                holder = holder[step]
        if not (path and isinstance(holder, dict) and isinstance(path[-1], str)):
            return None  # an item of a list: without it the others would change their places
        holder.pop(path[-1], None)
    try:
        return kind.model.model_validate(rest)
    except ValidationError:
        return None


def _is_counted_again(found: _Located) -> bool:
    """Whether a list seems too short only because its items have problems of their own."""
    error = found.error
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def _follows_from(faults: Sequence[Fault], place: Place, found: _Located) -> bool:
    """Whether a value is refused that holds a fault."""
    where = entry_at(place, found.path)[0].place
    is_refused = found.error["type"] not in ("extra_forbidden", "missing", "value_error")
    return is_refused and any(where.start <= fault.start < where.end for fault in faults)


def _meant(kind: Kind, found: _Located) -> str | None:
    """The field that an unknown field probably stands for: its absence is not told again."""
    if found.error["type"] != "extra_forbidden":
        return None
    name = str(found.path[-1])
    known = fields_at(kind.model, found.path[:-1])
    return did_you_mean(name, known - {name})  # other members of a union may know the very name


def _locate(value: Value, error: ErrorDetails) -> _Located:
    """Follow pydantic's location through the document; steps that are not in it name members of a union."""
    path: list[str | int] = []
    branch: list[str | int] = []
    steps = error["loc"]
    on_key = bool(steps) and steps[-1] == _KEY_STEP
    at: Value = value
    for number, step in enumerate(steps[: len(steps) - on_key]):
        is_last = number == len(steps) - 1
        if isinstance(at, dict) and isinstance(step, str) and (step in at or _names_new(error, is_last)):
            path.append(step)
            at = at.get(step)
        elif isinstance(at, list) and isinstance(step, int) and step < len(at):
            path.append(step)
            at = at[step]
        else:
            branch.append(step)
    if error["type"] in _TAG_ERRORS:
        path.append(error["ctx"]["discriminator"].strip("'"))
    return _Located(tuple(path), error, tuple(branch), on_key)


def _names_new(error: ErrorDetails, is_last: bool) -> bool:
    return is_last and error["type"] == "missing"


def _one_branch_each(located: Sequence[_Located]) -> list[_Located]:
    """Of the members of a union that were tried, keep the one that came nearest: the fewest errors, the deepest."""
    roots = {found.branch[0] for found in located if found.branch}
    if not roots:
        return list(located)
    plain = [found for found in located if not found.branch]
    groups: dict[tuple[str | int, ...], dict[str | int, list[_Located]]] = {}
    for found in located:
        if found.branch:
            anchor = _anchor(found)
            groups.setdefault(anchor, {}).setdefault(found.branch[0], []).append(found)
    for branches in groups.values():
        nearest = min(branches.values(), key=_distance)
        if len(nearest) == 1:
            others = [errors[0] for errors in branches.values() if len(errors) == 1 and errors is not nearest]
            same = tuple(other.error for other in others if other.path == nearest[0].path)
            nearest = [nearest[0]._replace(others=same)]
        plain.extend(nearest)
    return plain


def _distance(errors: list[_Located]) -> tuple[int, int]:
    return len(errors), -max(len(each.path) for each in errors)


def _anchor(found: _Located) -> tuple[str | int, ...]:
    """The path at which the union stands: the steps before pydantic's first own one."""
    return found.error["loc"][: found.error["loc"].index(found.branch[0])]


def _problem(kind: Kind, source: SourceText, place: Place, found: _Located) -> Problem:
    path, error = found.path, found.error
    entry, _, is_there = entry_at(place, path)
    start, end = entry.place.start, entry.place.end
    name = str(path[-1]) if path else ""
    if error["type"] == "extra_forbidden":
        known = fields_at(kind.model, path[:-1])
        meant = _meant(kind, found)
        message = f"unknown field `{short(name)}`" + (f", did you mean `{meant}`?" if meant else "")
        hint = "" if meant or not known - {name} else f"known here: {', '.join(sorted(known - {name}))}"
        if name[:1].isspace():
            hint = f"it begins with U+{ord(name[0]):04X}, which does not indent: use spaces"
        return _at(source, path, (entry.start, entry.end), message, hint=hint, rule="unknown-field")
    if not is_there:
        start, end = entry.start, entry.end
        if not path[:-1] or isinstance(path[-2], int):
            end = _first_key_end(entry.place)
        return _at(source, path, (start, end), "required, but missing", rule="missing-field")
    if found.on_key or start == end:  # nothing is written after the key
        start, end = entry.start, entry.end
    written = wording.describe(error["input"], source.text[start : start + 1])
    message = wording.message((error, *found.others), written, found.on_key)
    return _at(source, path, (start, end), message, hint=wording.hint(error), rule="bad-value")


def _first_key_end(place: Place) -> int:
    if not isinstance(place.inner, dict):
        return place.start + 1
    return min((entry.end for entry in place.inner.values() if entry.start >= place.start), default=place.start + 1)


def _at(
    source: SourceText,
    path: tuple[str | int, ...],
    span: tuple[int, int],
    message: str,
    *,
    hint: str = "",
    rule: str,
) -> Problem:
    position = source.position(span[0])
    return Problem.at(position, field_name(path), message, hint=hint, rule=rule, length=source.length_on_line(*span))
