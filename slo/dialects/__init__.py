"""The languages in which SLOs may be written beside OpenSLO v1 (which `slo.resolve` reads itself), one module each."""

from typing import Final

from slo.dialects.pyrra import PYRRA
from slo.dialects.reading import DialectFiles, Made, MayBeDeclared
from slo.dialects.sloth import SLOTH

__all__ = ["DIALECTS", "DialectFiles", "Made", "MayBeDeclared"]

DIALECTS: Final[tuple[DialectFiles, ...]] = (SLOTH, PYRRA)
