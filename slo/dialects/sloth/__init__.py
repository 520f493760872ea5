"""Files of Sloth: `version: prometheus/v1`, PrometheusServiceLevel and AlertWindows."""

from typing import Final

from controlplane.specfile import Kind, ModelAt
from slo.dialects.reading import DialectFiles

_SPEC: Final = "slo.dialects.sloth.spec"
_SERVICE_LEVELS: Final = (
    Kind("prometheus/v1", "Sloth", ModelAt(_SPEC, "ServiceLevels"), marked_by="version"),
    Kind("sloth.slok.dev/v1", "PrometheusServiceLevel", ModelAt(_SPEC, "PrometheusServiceLevel")),
)
_ALERT_WINDOWS: Final = Kind("sloth.slok.dev/v1", "AlertWindows", ModelAt(_SPEC, "AlertWindows"))

SLOTH: Final = DialectFiles(
    "Sloth", (*_SERVICE_LEVELS, _ALERT_WINDOWS), makes_slos=_SERVICE_LEVELS, reader="slo.dialects.sloth.reading"
)
