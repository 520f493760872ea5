"""Files of Sloth: `version: prometheus/v1`, PrometheusServiceLevel and AlertWindows."""

from typing import Final

from slo.dialects.reading import DialectFiles
from slo.dialects.sloth.reading import read
from slo.dialects.sloth.spec import KINDS, PrometheusServiceLevel, ServiceLevels

SLOTH: Final = DialectFiles("Sloth", KINDS, (ServiceLevels, PrometheusServiceLevel), read)
