"""What a workspace's files say and everything that is wrong with them: the same for check, compile and the daemon."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from alerts.model import AlertsDeclared
from controlplane.collection import collection_paused
from controlplane.model.slo import SLO
from controlplane.problems import SECRET, Problem, Severity, in_order
from controlplane.specfile import Document, SourceFile, read
from flyball.alerting.declared import NO_ALERTS
from flyball.anomalies.declared import NO_ANOMALIES, AnomaliesDeclared
from flyball.data_source_urls import elsewhere
from flyball.declared import beside_slos
from flyball.delivery.declared import NO_DELIVERY, DeliveryDeclared
from flyball.kinds import KINDS
from flyball.money.declared import NOTHING, MoneyDeclared
from flyball.synthetics.declared import NO_CHECKS, ChecksDeclared
from slo.openslo.spec import SLIDocument, SLODocument
from slo.resolve import unsettled
from slo.settling import settled

# What does not follow from other mistakes of the same document: broken PromQL, a secret in plain text.
_INDEPENDENT: Final = ("promql-syntax", SECRET)


@dataclass(frozen=True, slots=True)
class Examined:
    """Documents that are right in themselves, and the SLOs they make. With errors among the problems: not complete.

    `made` are the SLOs before policies and exclusions (`slo.settling`) were applied to them, and `made_problems` what
    is wrong apart from those.
    """

    documents: tuple[Document, ...]
    slos: tuple[SLO, ...]
    problems: tuple[Problem, ...]
    made: tuple[SLO, ...]
    made_problems: tuple[Problem, ...]
    money: MoneyDeclared = NOTHING
    checks: ChecksDeclared = NO_CHECKS
    alerts: AlertsDeclared = NO_ALERTS
    delivery: DeliveryDeclared = NO_DELIVERY
    anomalies: AnomaliesDeclared = NO_ANOMALIES


def examine(files: Sequence[SourceFile], beside: Sequence[Document] = ()) -> Examined:
    """Read and resolve files. What only follows from another mistake is left out; problems are in order.

    `beside` are documents of other files that these may refer to, known to be right.
    """
    with collection_paused():
        return _examine(files, beside)


def _examine(files: Sequence[SourceFile], beside: Sequence[Document]) -> Examined:
    result = read(files, KINDS)
    broken = {problem.path for problem in result.problems if problem.severity is Severity.ERROR}
    unread = [file.content for file in files if file.path in broken]
    documents = [*_referred_to(result.documents, beside), *result.documents, *result.incomplete]

    def may_be_declared(name: str) -> bool:
        return _is_named_in(unread, name)

    made = unsettled(documents, may_be_declared)
    after = settled(made.slos, documents, may_be_declared)
    wrong = [*result.problems, *(each for each in made.problems if not _may_follow(each, result.incomplete))]
    wrong += elsewhere(result.documents)
    others = beside_slos(documents, after.slos, may_be_declared)
    further = [each for each in (*after.problems, *others.problems) if not _may_follow(each, result.incomplete)]
    return Examined(
        result.documents,
        after.slos,
        tuple(in_order([*wrong, *further])),
        made.slos,
        tuple(in_order(wrong)),
        others.money,
        others.checks,
        others.alerts,
        others.delivery,
        others.anomalies,
    )


def _referred_to(documents: Sequence[Document], beside: Sequence[Document]) -> Iterator[Document]:
    """Everything but the SLIs that none of the documents uses: there may be thousands."""
    used = {name for document in documents if isinstance(document.value, SLODocument) for name in _slis(document.value)}
    for document in beside:
        if not isinstance(document.value, SLIDocument) or document.value.metadata.name in used:
            yield document


def _slis(document: SLODocument) -> Iterator[str | None]:
    yield document.spec.indicator_ref
    yield from (objective.indicator_ref for objective in document.spec.objectives)


def _may_follow(problem: Problem, incomplete: Sequence[Document]) -> bool:
    """Whether it may come only from what is wrong in a document anyway."""
    return problem.rule not in _INDEPENDENT and any(
        document.position.path == problem.path and document.position.line <= problem.line <= document.end.line
        for document in incomplete
    )


def _is_named_in(contents: Sequence[bytes], name: str) -> bool:
    """Whether a document of this name may stand in files that could not be read as a whole."""
    named = re.compile(
        rb"""\bname["']?[ \t]*:[ \t]*["']?""" + re.escape(name.encode("utf-8", "surrogatepass")) + rb"(?![-\w])"
    )
    return any(named.search(content) for content in contents)
