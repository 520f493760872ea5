"""Documents of every dialect to the SLOs of a workspace, and everything that is wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from controlplane.model.slo import SLO, Service
from controlplane.problems import Problem, in_order
from controlplane.specfile import Document
from slo.bridging import renaming_problems
from slo.dialects import DIALECTS
from slo.openslo.reading import openslo
from slo.promql.grouping import grouping_problems
from slo.settling import settled
from slo.taken_names import without_repeated
from slo.templates import expanded


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the documents say, SLOs in the order of their names. With errors among the problems it is not complete."""

    slos: tuple[SLO, ...]
    services: tuple[Service, ...]
    problems: tuple[Problem, ...]


def slos_from(documents: Sequence[Document], may_be_declared: Callable[[str], bool] = lambda _: False) -> Resolved:
    """Every SLO and service of a workspace, and everything that is wrong. Documents of other kinds are left alone.

    `may_be_declared` tells whether a document that could not be read may carry a name: then a reference to it is no
    further mistake.
    """
    made = unsettled(documents, may_be_declared)
    after = settled(made.slos, documents, may_be_declared)
    return Resolved(after.slos, made.services, tuple(in_order([*made.problems, *after.problems])))


def unsettled(documents: Sequence[Document], may_be_declared: Callable[[str], bool] = lambda _: False) -> Resolved:
    """The same, before policies and exclusions (`slo.settling`) were applied."""
    short_forms = expanded(documents)
    documents = short_forms.documents
    read = openslo(documents, may_be_declared)
    others = [dialect.read(documents, may_be_declared) for dialect in DIALECTS]
    made = [*read.slos, *(slo for other in others for slo in other.slos)]
    slos, repeated = without_repeated(made, documents)
    problems = [*read.problems, *(problem for other in others for problem in other.problems), *repeated]
    problems += [*renaming_problems(slos), *grouping_problems(slos)]
    return Resolved(
        tuple(sorted(slos, key=lambda slo: slo.name)),
        tuple(sorted(read.services, key=lambda service: service.name)),
        tuple(in_order([*short_forms.problems, *short_forms.told(problems)])),
    )
