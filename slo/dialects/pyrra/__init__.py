"""Files of Pyrra: ServiceLevelObjective."""

from typing import Final

from slo.dialects.pyrra.reading import read
from slo.dialects.pyrra.spec import KINDS, ServiceLevelObjective
from slo.dialects.reading import DialectFiles

PYRRA: Final = DialectFiles("Pyrra", KINDS, (ServiceLevelObjective,), read)
