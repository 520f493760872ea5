"""OpenSLO v2alpha, which differs from v1 in shapes and names: read as v1.

No displayName; labels and annotations as in Kubernetes; `sli`, `sliRef` and `serviceRef`; metrics without
`metricSource`; durations in m, h, d and w only.
"""

from collections.abc import Sequence
from typing import Final

from controlplane.specfile import Document, Kind, ModelAt
from slo.openslo import spec as v1


def _as_v1(document: Document) -> Sequence[Document]:
    from slo.dialects.openslo_v2alpha.reading import as_v1

    return as_v1(document)


KINDS: Final = tuple(
    Kind(
        "openslo.com/v2alpha",
        kind.name,
        ModelAt("slo.dialects.openslo_v2alpha.spec", f"{kind.name}Document"),
        read_as=_as_v1,
        repeated=kind.repeated,
    )
    for kind in v1.KINDS
)
MAKES_SLOS: Final = KINDS[0]
