"""The kinds of OpenSLO in every version that we read; all are read as those of v1."""

from typing import Final

from controlplane.specfile import Kind
from slo.dialects import openslo_v1alpha, openslo_v2alpha
from slo.openslo import spec

KINDS: Final[tuple[Kind, ...]] = (*spec.KINDS, *openslo_v2alpha.KINDS, *openslo_v1alpha.KINDS)
MAKES_SLOS: Final[tuple[Kind, ...]] = (spec.SLO, openslo_v2alpha.MAKES_SLOS, openslo_v1alpha.MAKES_SLOS)
"""Kinds of documents that make SLOs and that no other document depends on."""
