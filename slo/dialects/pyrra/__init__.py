"""Files of Pyrra: ServiceLevelObjective."""

from typing import Final

from controlplane.specfile import Kind, ModelAt
from slo.dialects.reading import DialectFiles

_KINDS: Final = (
    Kind("pyrra.dev/v1alpha1", "ServiceLevelObjective", ModelAt("slo.dialects.pyrra.spec", "ServiceLevelObjective")),
)

PYRRA: Final = DialectFiles("Pyrra", _KINDS, makes_slos=_KINDS, reader="slo.dialects.pyrra.reading")
