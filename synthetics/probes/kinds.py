"""The kinds of document that this part reads."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

_SPEC: Final = "synthetics.probes.spec"
PROBE: Final = Kind(API_VERSION, "Probe", ModelAt(_SPEC, "ProbeDocument"))
PROBE_MODULE: Final = Kind(API_VERSION, "ProbeModule", ModelAt(_SPEC, "ProbeModuleDocument"))
KINDS: Final[tuple[Kind, ...]] = (PROBE, PROBE_MODULE)
