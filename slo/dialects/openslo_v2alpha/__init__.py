"""OpenSLO v2alpha, which differs from v1 in shapes and names: read as v1.

No displayName; labels and annotations as in Kubernetes; `sli`, `sliRef` and `serviceRef`; metrics without
`metricSource`; durations in m, h, d and w only.
"""

from slo.dialects.openslo_v2alpha.reading import KINDS
from slo.dialects.openslo_v2alpha.spec import SLODocument

__all__ = ["KINDS", "SLODocument"]
