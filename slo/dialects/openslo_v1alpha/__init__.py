"""OpenSLO v1alpha, the first version, which Sloth also reads: Services, and SLOs with their metrics inline; read as v1.

Each objective of ratioMetrics has queries of its own, and is an SLO of its own. Slices of time have no length of their
own and are minutes.
"""

from slo.dialects.openslo_v1alpha.reading import KINDS
from slo.dialects.openslo_v1alpha.spec import SLODocument

__all__ = ["KINDS", "SLODocument"]
