"""Ladder documents as ladders, and everything that is wrong with them."""

from collections.abc import Callable, Collection, Sequence

from controlplane.problems import Problem, has_errors
from controlplane.specfile import Declared, Document
from finops.flags.report import Report
from finops.ladder.model import Ladder
from finops.ladder.reading.ladders import ladder_of
from finops.ladder.spec import LadderDocument

RULE = "ladder"


def declared(
    documents: Sequence[Document],
    *,
    slos: Collection[str] | None = None,
    may_be_declared: Callable[[str], bool] = lambda _: False,
) -> Declared[Ladder]:
    """The ladders that these documents declare, by name. One with a mistake is left out; its problems are told.

    FlagStores, Budgets, UnitCosts, UsageQuotas, PriceMaps and Journeys are looked for among the same documents. `slos`
    are the names of all SLOs, None when they are not known. `may_be_declared` tells whether a document that could not
    be read may carry a name.
    """
    found: dict[str, Ladder] = {}
    problems: list[Problem] = []
    for document in documents:
        if isinstance(document.value, LadderDocument):
            report = Report(document, RULE)
            ladder = ladder_of(report, document.value, documents)
            problems += report.problems
            if not has_errors(report.problems):
                found.setdefault(ladder.name, ladder)
    return Declared(tuple(found[name] for name in sorted(found)), tuple(problems))
