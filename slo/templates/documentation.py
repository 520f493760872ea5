"""Templates as Markdown: docs/reference/short-forms.md, and what `flyball slo templates NAME` prints."""

from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Final

from pydantic import JsonValue

from slo.templates.body import QUERY_KEYS, texts_of
from slo.templates.spec import Parameter
from slo.templates.template import Template
from slo.templates.values import flow, specimen, value_of

_NOTHING: Final[tuple[JsonValue, ...]] = ("", {}, [])


def example_spec(template: Template) -> Mapping[str, JsonValue]:
    """The parameters that must be given, with examples."""
    return {name: specimen(each) for name, each in template.parameters.items() if each.default is None}


def example(template: Template) -> str:
    """A whole SLO in ten lines."""
    name = f"checkout-{template.name}"
    written = f"{{type: {template.name}, spec: {flow(dict(example_spec(template)))}}}"
    return f"""\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}, annotations: {{flyball.dev/owner: team-shop}}}}
spec:
  service: checkout
  indicator:
    spec: {{ratioMetric: {{metricSource: {written}}}}}
  timeWindow: [{{duration: 30d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.99}}]
"""


def queries(template: Template, given: Mapping[str, JsonValue]) -> dict[str, str]:
    """The queries that a template writes, by what they are for: `bad`, `total`, … Its body must be right."""
    assert template.body is not None
    values = {
        name: value_of(each, given.get(name, each.default if each.default is not None else specimen(each)))
        for name, each in template.parameters.items()
    }
    filled = template.body.filled(values)
    return {str(path[-4]): text for path, text in texts_of(filled) if path[-1] in QUERY_KEYS}


def section(template: Template) -> str:
    """A template with its parameters, an example, and the queries that the example stands for."""
    rows = "\n".join(_row(parameter) for parameter in template.parameters.values())
    written = "\n".join(f"{name}: {text}" for name, text in queries(template, example_spec(template)).items())
    spec = template.value.spec
    return (
        f"## {template.name}\n\n{spec.description}\n\n"
        f"| parameter | type | default | |\n|---|---|---|---|\n{rows}\n\n"
        f"```yaml\n{example(template)}```\n\nIt measures:\n\n```\n{written}\n```\n"
    )


def page(templates: Iterable[Template]) -> str:
    """The reference page."""
    introduction = files("slo.templates").joinpath("introduction.md").read_text(encoding="utf-8")
    return introduction + "\n" + "\n".join(section(template) for template in templates)


def _row(parameter: Parameter) -> str:
    if parameter.default is None:
        default = "*required*"
    elif parameter.default in _NOTHING:
        default = "nothing"
    else:
        default = f"`{flow(parameter.default)}`".replace("|", "\\|")
    about = parameter.description
    if parameter.one_of:
        about += f" (one of {', '.join(f'`{each}`' for each in parameter.one_of)})"
    return f"| `{parameter.name}` | {parameter.type.value} | {default} | {about} |"
