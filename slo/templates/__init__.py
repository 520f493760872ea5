"""Short forms of indicators: templates by name, ours and the users', written out before anything else reads them."""

from slo.templates.expansion import Expansion, expanded
from slo.templates.spec import KINDS, TEMPLATE, ParameterType, SLITemplateDocument
from slo.templates.template import Template, built_in, templates_of

__all__ = [
    "KINDS", "TEMPLATE", "Expansion", "ParameterType", "SLITemplateDocument", "Template", "built_in", "expanded",
    "templates_of",
]  # fmt: skip
