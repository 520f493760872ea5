"""OpenSLO v1alpha, the first version, which Sloth also reads: Services, and SLOs with their metrics inline; read as v1.

Each objective of ratioMetrics has queries of its own, and is an SLO of its own. Slices of time have no length of their
own and are minutes.
"""

from collections.abc import Sequence
from typing import Final

from controlplane.problems import Severity
from controlplane.specfile import Document, Kind, ModelAt

_VERSION: Final = "openslo/v1alpha"
_SPEC: Final = "slo.dialects.openslo_v1alpha.spec"


def _as_v1(document: Document) -> Sequence[Document]:
    from slo.dialects.openslo_v1alpha.reading import as_v1

    return as_v1(document)


MAKES_SLOS: Final = Kind(_VERSION, "SLO", ModelAt(_SPEC, "SLODocument"), read_as=_as_v1)
KINDS: Final = (
    MAKES_SLOS,
    Kind(_VERSION, "Service", ModelAt(_SPEC, "ServiceDocument"), read_as=_as_v1, repeated=Severity.WARNING),
)
