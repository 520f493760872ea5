"""Ladder documents as ladders, and everything that is wrong with them."""

from collections.abc import Callable, Collection, Sequence
from typing import Final

from controlplane.specfile import Declared, Document
from finops.flags.report import Report
from finops.ladder.lint import Examined, Ground, lint
from finops.ladder.model import Ladder
from finops.ladder.reading.ladders import ladder_of, store_named
from finops.ladder.spec import LadderDocument

RULE: Final = "ladder"


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
    ground = Ground(documents, slos, may_be_declared)
    examined = [
        _examined(document, document.value, ground)
        for document in documents
        if isinstance(document.value, LadderDocument)
    ]
    lint(examined)
    found: dict[str, Ladder] = {}
    for it in examined:
        if not it.report.has_errors:
            found.setdefault(it.ladder.name, it.ladder)
    problems = tuple(problem for it in examined for problem in it.report.problems)
    return Declared(tuple(found[name] for name in sorted(found)), problems)


def _examined(document: Document, value: LadderDocument, ground: Ground) -> Examined:
    report = Report(document, RULE)
    ladder = ladder_of(report, value, ground.documents)
    return Examined(report, ladder, value.spec, store_named(ground.documents, value.spec.flag_store), ground)
