"""What documents beside SLOs settle about them, once the SLOs of a whole workspace are known: policies and exclusions.

Apart from `slo.resolve`, because after an edit the SLOs of other files are known already.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from controlplane.model.slo import SLO
from controlplane.problems import Problem
from controlplane.specfile import Document
from slo.convert.burn_rate import with_windows_of_its_tool
from slo.exclusions.declared import with_exclusions
from slo.exclusions.spec import EXCLUSION
from slo.policies.applied import with_policies
from slo.policies.spec import POLICY

KINDS: Final = (POLICY, EXCLUSION)


@dataclass(frozen=True, slots=True)
class Settled:
    """SLOs as they are to be compiled, in the order they came. With errors among the problems it is not complete."""

    slos: tuple[SLO, ...]
    problems: tuple[Problem, ...]


def settled(
    slos: Sequence[SLO], documents: Sequence[Document], may_be_declared: Callable[[str], bool] = lambda _: False
) -> Settled:
    """Apply what the documents of `KINDS` say. `may_be_declared`: a document that was not read may have this name."""
    after = with_policies(slos, documents, may_be_declared)
    alerting = [with_windows_of_its_tool(slo) for slo in after.slos]
    excluded = with_exclusions(alerting, documents, may_be_declared)
    return Settled(excluded.slos, (*after.problems, *excluded.problems))
