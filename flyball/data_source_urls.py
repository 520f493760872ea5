"""OpenSLO's data sources against flyball.yaml, which alone says where queries go."""

from collections.abc import Iterator, Sequence

from controlplane.problems import Problem, Severity
from controlplane.specfile import Document
from flyball.workspace_spec import Workspace
from slo.openslo.data_sources import addresses_of


def elsewhere(documents: Sequence[Document]) -> Iterator[Problem]:
    """A warning for every address of a Prometheus that is not the one that flyball.yaml names."""
    ours = {
        document.value.spec.prometheus.url.rstrip("/"): document
        for document in documents
        if isinstance(document.value, Workspace) and document.value.spec.prometheus.url
    }
    if not ours:
        return
    where = next(iter(ours.values())).position_of("spec", "prometheus", "url")
    for document in documents:
        for address, path in addresses_of(document):
            if address not in ours:
                yield document.problem(
                    *path,
                    message="queries do not go here",
                    hint=f"they go to the Prometheus that {where} names",
                    severity=Severity.WARNING,
                    rule="data-source",
                )
