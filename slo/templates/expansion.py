"""Short forms written out: documents whose indicators name a template become documents with the template's queries.

Everything else reads them as if users had written the queries themselves; what is wrong with those queries is then told
at the place where the template is used, and names it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import JsonValue

from controlplane.model.source import SourcePosition
from controlplane.problems import Problem
from controlplane.specfile import Document, did_you_mean
from controlplane.specfile.composing import Entry, Place
from controlplane.specfile.document import entry_at, field_name
from slo.openslo.spec import PROMETHEUS, InlineSLI, MetricSource, SLIDocument, SLISpec, SLODocument
from slo.templates.spec import SLITemplateDocument
from slo.templates.template import RULE, Template, Templates, templates_of, unknown_template
from slo.templates.values import Value, ValueFault, flow, value_of

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Use:
    """A template named in a document: `at` leads to the SLI spec, `source` to the metric source."""

    document: Document
    at: Path
    source: Path
    template: Template

    @property
    def position(self) -> SourcePosition:
        return self.document.position_of(*self.source, "type")


@dataclass(frozen=True, slots=True)
class Expansion:
    """Documents without short forms, and what is wrong with those that were in them."""

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]
    _uses: tuple[_Use, ...] = ()

    def told(self, problems: Iterable[Problem]) -> Iterator[Problem]:
        """Problems of what was written out name the template, and stand where it is used."""
        uses = {(use.document.source.path, use.position): use for use in self._uses}
        for problem in problems:
            use = uses.get((problem.path, problem.position))
            written_out = use is not None and problem.rule != RULE and problem.field.startswith(field_name(use.at))
            yield _in_use(problem, use) if use is not None and written_out else problem


_NOTHING: Final = Expansion((), ())
_ANY_METRIC: Final[JsonValue] = {
    "metricSource": {"type": "Prometheus", "spec": {"query": 'unknown_total{job="unknown"}'}}
}
# What stands for a short form with mistakes, so that the rest of its document is checked: it is never compiled.
_ANY: Final[JsonValue] = {"ratioMetric": {"counter": True, "bad": _ANY_METRIC, "total": _ANY_METRIC}}


def expanded(documents: Sequence[Document]) -> Expansion:
    """Write out every short form. One that is unknown or filled in wrongly gets queries that stand for any."""
    if not any(_concerns(document) for document in documents):
        return replace(_NOTHING, documents=tuple(documents))
    templates = templates_of(documents)
    writing = _Writing(templates)
    written = [writing.document(document) for document in documents]
    return Expansion(tuple(written), (*templates.problems, *writing.problems), tuple(writing.uses))


def _concerns(document: Document) -> bool:
    return isinstance(document.value, SLITemplateDocument) or any(
        _source_of(spec) is not None for _, spec in _sli_specs(document)
    )


def _sli_specs(document: Document) -> Iterator[tuple[Path, SLISpec]]:
    """Every SLI spec in a document, and where it stands."""
    match document.value:
        case SLIDocument(spec=spec):
            yield ("spec",), spec
        case SLODocument(spec=spec):
            if spec.indicator is not None:
                yield ("spec", "indicator", "spec"), spec.indicator.spec
            for index, objective in enumerate(spec.objectives):
                if objective.indicator is not None:
                    yield ("spec", "objectives", index, "indicator", "spec"), objective.indicator.spec


def _source_of(spec: SLISpec) -> tuple[Path, MetricSource] | None:
    """The metric source that may name a template: one that stands alone, and is no Prometheus."""
    found: list[tuple[Path, MetricSource]] = []
    ratio = spec.ratio_metric
    if ratio is not None and ratio.metric_source is not None:
        found.append((("ratioMetric",), ratio.metric_source))
    elif ratio is not None and ratio.raw is not None and not (ratio.good or ratio.bad or ratio.total):
        found.append((("ratioMetric", "raw"), ratio.raw.metric_source))
    elif ratio is not None and ratio.total is not None and ratio.good is None and ratio.bad is None:
        found.append((("ratioMetric", "total"), ratio.total.metric_source))
    elif spec.threshold_metric is not None:
        found.append((("thresholdMetric",), spec.threshold_metric.metric_source))
    for path, source in found:
        if path == ("ratioMetric",) or (source.type or PROMETHEUS).lower() != PROMETHEUS:
            return (*path, "metricSource"), source
    return None


def _beside(spec: SLISpec) -> Iterator[tuple[Path, str, str]]:
    """What stands beside a short form and would be lost: the path, what is wrong, and the way out."""
    ratio = spec.ratio_metric
    if ratio is None:
        return
    if spec.threshold_metric is not None:
        yield ("thresholdMetric",), "an SLI has one metric, here are two", "remove one of them"
    if ratio.metric_source is not None:
        for key, value in (("good", ratio.good), ("bad", ratio.bad), ("total", ratio.total), ("raw", ratio.raw)):
            if value is not None:
                yield ("ratioMetric", key), "a short form stands alone: it writes all queries itself", "remove it"
    if ratio.raw_type == "failure":
        message = "a short form says by itself what is good"
        yield ("ratioMetric", "rawType"), message, "write success, or remove it"
    if ratio.counter is False:
        yield ("ratioMetric", "counter"), "a short form says by itself what it counts", "remove it"


class _Writing:
    """Writes documents out and collects problems and uses."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates.by_name
        self.problems: list[Problem] = []
        self.uses: list[_Use] = []

    def document(self, document: Document) -> Document:
        """The document written out, or itself when there is nothing to write out."""
        result = document
        for at, spec in _sli_specs(document):
            found = _source_of(spec)
            if found is None:
                continue
            source_path = found[0]
            new = self._spec(document, at, spec)
            position = document.position_of(*at, *source_path, "type")
            result = _with_spec(result, at, _ANY if new is None else new, position)
        return result

    def _spec(self, document: Document, at: Path, spec: SLISpec) -> JsonValue:
        """The SLI spec that a use stands for; None with problems."""
        found = _source_of(spec)
        assert found is not None
        path, source = (*at, *found[0]), found[1]
        name = source.type
        if name is None or name.lower() == PROMETHEUS:
            message = "no short form is named" if name is None else "Prometheus needs good (or bad) and total queries"
            hint = "write type: with the name of one, or good: (or bad:) and total: with queries"
            self._report(document, *path, *(("type",) if name else ()), message=message, hint=hint)
            return None
        for beside, message, hint in _beside(spec):
            self.problems.append(
                document.problem(*at, *beside, message=message, hint=hint, rule=RULE, on_key=beside[-1] != "rawType")
            )
        template = self._templates.get(name)
        if template is None:
            message, hint = unknown_template(name, self._templates)
            self._report(document, *path, "type", message=message, hint=hint)
            return None
        values = self._values(document, (*path, "spec"), source.spec, template)
        if values is None or template.body is None:
            return None
        self.uses.append(_Use(document, at, path, template))
        filled = template.body.filled(values)
        return _referring(filled, source.metric_source_ref) if source.metric_source_ref else filled

    def _values(
        self, document: Document, path: Path, given: Mapping[str, JsonValue], template: Template
    ) -> dict[str, Value] | None:
        before = len(self.problems)
        parameters = template.parameters
        meant: set[str | None] = set()
        for name in given:
            if name not in parameters:
                meant.add(self._unknown(document, (*path, name), name, template))
        values: dict[str, Value] = {}
        missing = []
        for name, parameter in parameters.items():
            written = given.get(name)
            if written is None or (written in ("", {}, []) and parameter.default is None):
                if parameter.default is None:
                    missing.append(name)
                    continue
                written = parameter.default
            try:
                values[name] = value_of(parameter, written)
            except ValueFault as fault:
                at = (*path, name) if name in given else path
                self._report(
                    document, *at, message=f"{name}: {fault.message}", hint=fault.hint,
                    offset=fault.offset, length=fault.length,
                )  # fmt: skip
        if missing := [name for name in missing if name not in meant]:
            self._missing(document, path, missing, template)
        return values if len(self.problems) == before else None

    def _unknown(self, document: Document, path: Path, name: str, template: Template) -> str | None:
        """Tell it; the parameter that was probably meant."""
        meant = did_you_mean(name, template.parameters)
        known = ", ".join(template.parameters) or "none"
        message = f"`{template.name}` has no parameter `{name}`" + (f", did you mean `{meant}`?" if meant else "")
        hint = "" if meant else f"its parameters: {known}"
        if not meant and "selector" in template.parameters:
            hint += f"; labels belong into the selector: selector: {{{name}: …}}"
        self.problems.append(document.problem(*path, message=message, hint=hint, rule=RULE, on_key=True))
        return meant

    def _missing(self, document: Document, path: Path, names: Sequence[str], template: Template) -> None:
        listed = ", ".join(f"`{name}`" for name in names)
        examples = ", ".join(
            f"{name}: {flow(example)}" for name in names if (example := template.parameters[name].example) is not None
        )
        hint = f"such as {examples}" if examples else f"{template.origin} says what it is"
        message = f"`{template.name}` needs {listed}"
        self.problems.append(document.problem(*path, message=message, hint=hint, rule=RULE, on_key=True))

    def _report(
        self, document: Document, *path: str | int, message: str, hint: str = "", offset: int | None = None,
        length: int | None = None,
    ) -> None:  # fmt: skip
        self.problems.append(
            document.problem(*path, message=message, hint=hint, offset=offset, length=length, rule=RULE)
        )


def _referring(node: JsonValue, name: str) -> JsonValue:
    """The spec with every metric source referring to a data source."""
    if not isinstance(node, dict):
        return node
    return {
        key: {**value, "metricSourceRef": name}
        if key == "metricSource" and isinstance(value, dict)
        else _referring(value, name)
        for key, value in node.items()
    }


def _with_spec(document: Document, at: Path, spec: JsonValue, position: SourcePosition) -> Document:
    """The document with another SLI spec, all of which stands at `position`."""
    new = SLISpec.model_validate(spec)
    old = next(each for path, each in _sli_specs(document) if path == at)
    new = new.model_copy(update={"description": old.description or new.description})
    start = document.source.line_starts[position.line - 1] + position.column - 1
    place = _replaced(document.place, at, _place_of(spec, start))
    return replace(document, value=_with_sli(document.value, at, new), place=place)


def _with_sli(value: object, at: Path, new: SLISpec) -> "SLIDocument | SLODocument":
    if isinstance(value, SLIDocument):
        return value.model_copy(update={"spec": new})
    assert isinstance(value, SLODocument)
    spec = value.spec
    if at[1] == "indicator":
        update: dict[str, object] = {"indicator": _inline(spec.indicator, new)}
    else:
        objectives = list(spec.objectives)
        index = at[2]
        assert isinstance(index, int)
        objectives[index] = objectives[index].model_copy(
            update={"indicator": _inline(objectives[index].indicator, new)}
        )
        update = {"objectives": objectives}
    return value.model_copy(update={"spec": spec.model_copy(update=update)})


def _inline(indicator: InlineSLI | None, new: SLISpec) -> InlineSLI:
    assert indicator is not None
    return indicator.model_copy(update={"spec": new})


def _replaced(place: Place, at: Path, new: Place) -> Place:
    """The places of a document with those below `at` replaced."""
    if not at:
        return new
    step, rest = at[0], at[1:]
    if isinstance(step, int):
        assert isinstance(place.inner, list)
        items = list(place.inner)
        items[step] = _replaced(items[step], rest, new)
        return place._replace(inner=items)
    assert isinstance(place.inner, dict)
    entry = place.inner[step]
    return place._replace(inner={**place.inner, step: entry._replace(place=_replaced(entry.place, rest, new))})


def _place_of(node: JsonValue, start: int) -> Place:
    """Places for what nobody wrote: all at `start`. A scalar gets an inner so that no offset is looked up in it."""
    if isinstance(node, list):
        return Place(start, start + 1, [_place_of(item, start) for item in node])
    inner = node.items() if isinstance(node, dict) else ()
    return Place(start, start + 1, {key: Entry(start, start + 1, _place_of(value, start)) for key, value in inner})


def _in_use(problem: Problem, use: _Use) -> Problem:
    path = (*use.source, "type")
    entry = entry_at(use.document.place, path)[0]
    origin = f"the short form `{use.template.name}` ({use.template.origin}) writes this query"
    return replace(
        problem,
        field=field_name(path),
        message=f"in `{use.template.name}`: {problem.message}",
        hint=f"{problem.hint}; {origin}" if problem.hint else origin,
        length=entry.place.end - entry.place.start,
    )
