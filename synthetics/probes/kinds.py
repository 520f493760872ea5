"""The kinds of document that this part reads."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind
from synthetics.probes.spec import ProbeDocument, ProbeModuleDocument

PROBE: Final = Kind(API_VERSION, "Probe", ProbeDocument)
PROBE_MODULE: Final = Kind(API_VERSION, "ProbeModule", ProbeModuleDocument)
KINDS: Final[tuple[Kind, ...]] = (PROBE, PROBE_MODULE)
