"""Templates by name: ours and the users', each checked before it is used."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from controlplane.problems import Problem, Severity
from controlplane.promql import check_promql
from controlplane.specfile import Document, SourceFile, did_you_mean, read
from slo.openslo.spec import PROMETHEUS
from slo.promql.promql_text import without_placeholders
from slo.templates.body import QUERY_KEYS, Body, BodyFault, body_of, texts_of
from slo.templates.spec import TEMPLATE, Parameter, SLITemplateDocument
from slo.templates.values import Value, ValueFault, pattern_fault, specimen, value_of

RULE: Final = "template"
BUILT_IN: Final = "built in"


@dataclass(frozen=True, slots=True)
class Template:
    """A short form that can be used. `body` is None when its own file must be mended first."""

    document: Document
    value: SLITemplateDocument
    body: Body | None

    @property
    def name(self) -> str:
        """What `metricSource.type` says."""
        return self.value.metadata.name

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Its parameters by name."""
        return {parameter.name: parameter for parameter in self.value.spec.parameters}

    @property
    def origin(self) -> str:
        """Where it is written, for people."""
        where = self.document.position_of("metadata", "name")
        return BUILT_IN if where.path.startswith(BUILT_IN) else str(where)


@dataclass(frozen=True, slots=True)
class Templates:
    """Templates by name, and what is wrong with those in the workspace."""

    by_name: Mapping[str, Template]
    problems: tuple[Problem, ...]


@cache
def built_in() -> Mapping[str, Template]:
    """The templates that come with Flyball, in the order of their names; read when somebody first uses one."""
    folder = files("slo.templates")
    found = [
        SourceFile(f"{BUILT_IN} {entry.name}", entry.read_bytes())
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    ]
    result = read(sorted(found, key=lambda file: file.path), (TEMPLATE,))
    return dict(sorted((template.name, template) for template in map(_template, result.documents)))


def templates_of(documents: Sequence[Document]) -> Templates:
    """The workspace's templates, checked, and ours unless nothing could use them."""
    own = [each for each in documents if isinstance(each.value, SLITemplateDocument) and not _is_ours(each.value)]
    problems = [problem for document in own for problem in _problems(document)]
    by_name = dict(built_in())
    for template in map(_template, own):
        by_name.setdefault(template.name, template)
    return Templates(by_name, tuple(problems))


def _is_ours(value: SLITemplateDocument) -> bool:
    """A copy of one of ours changes nothing."""
    ours = built_in().get(value.metadata.name)
    return ours is not None and ours.value == value


def _template(document: Document) -> Template:
    value = document.value
    assert isinstance(value, SLITemplateDocument)
    try:
        return Template(document, value, body_of(value))
    except BodyFault:
        return Template(document, value, None)


def _problems(document: Document) -> Iterator[Problem]:
    value = document.value
    assert isinstance(value, SLITemplateDocument)
    name = value.metadata.name
    if name in built_in() or name.lower() == PROMETHEUS:
        message = f"`{name}` is a short form that comes with Flyball" if name in built_in() else f"`{name}` is taken"
        yield _problem(document, "metadata", "name", message=message, hint="choose another name")
    yield from _parameter_problems(document, value.spec.parameters)
    try:
        body = body_of(value)
    except BodyFault as fault:
        yield document.problem(
            "spec", "sli", *fault.path, message=fault.message, hint=fault.hint, offset=fault.offset,
            length=fault.length, rule=RULE,
        )  # fmt: skip
        return
    for index, parameter in enumerate(value.spec.parameters):
        if parameter.name not in body.used:
            message = f"`{parameter.name}` is not used"
            at = ("spec", "parameters", index, "name")
            yield document.problem(*at, message=message, severity=Severity.WARNING, rule=RULE)
    yield from _body_problems(document, body, value.spec.parameters)


def _parameter_problems(document: Document, parameters: Sequence[Parameter]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, parameter in enumerate(parameters):
        at = ("spec", "parameters", index)
        if not parameter.name.isascii() or not parameter.name.isidentifier():
            message = f"`{parameter.name}` is not a name: letters, digits and `_`"
            yield _problem(document, *at, "name", message=message)
        if parameter.name in seen:
            yield _problem(document, *at, "name", message=f"the parameter `{parameter.name}` is there twice")
        seen.add(parameter.name)
        fault = pattern_fault(parameter.pattern) if parameter.pattern is not None else ""
        if fault:
            yield _problem(document, *at, "pattern", message=fault)
        for key, written in (("default", parameter.default), ("example", parameter.example)):
            try:
                if written is not None:
                    value_of(parameter, written)
            except ValueFault as error:
                yield _problem(document, *at, key, message=error.message, hint=error.hint)


def _body_problems(document: Document, body: Body, parameters: Iterable[Parameter]) -> Iterator[Problem]:
    """What is wrong with its queries whatever the parameters are: they are tried with examples."""
    values: dict[str, Value] = {}
    for parameter in parameters:
        try:
            values[parameter.name] = value_of(parameter, specimen(parameter))
        except ValueFault:
            return  # told where it is written, or nothing of the type fits its bounds
    for path, text in texts_of(body.filled(values)):
        at = ("spec", "sli", *path)
        if path[-1] == "type" and text.lower() != PROMETHEUS:
            hint = "write type: Prometheus and a query"
            yield _problem(document, *at, message="a short form is made of queries, not of other forms", hint=hint)
        if path[-1] in QUERY_KEYS:
            error = check_promql(without_placeholders(text))
            if error is not None:
                hint = f"filled in, it reads: {text}" if path in body.cut else error.hint
                offset = None if path in body.cut else error.offset
                yield document.problem(*at, message=error.message, hint=hint, offset=offset, rule="promql-syntax")


def unknown_template(name: str, known: Mapping[str, Template]) -> tuple[str, str]:
    """What to say of a name that no template has, and the way out."""
    meant = did_you_mean(name, [*known, "Prometheus"])
    related = [each for each in known if name and each.startswith(f"{name.lower()}-")]
    if related:
        return f"no short form is named `{name}`", f"there are {', '.join(related)}"
    message = f"no short form is named `{name}`" + (f", did you mean `{meant}`?" if meant else "")
    return message, "" if meant else "`flyball slo templates` lists them; others are documents of kind SLITemplate"


def _problem(document: Document, *path: str | int, message: str, hint: str = "") -> Problem:
    return document.problem(*path, message=message, hint=hint, rule=RULE)
