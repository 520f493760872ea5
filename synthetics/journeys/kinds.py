"""The kinds of document that this part reads."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

_SPEC: Final = "synthetics.journeys.spec"
JOURNEY: Final = Kind(API_VERSION, "Journey", ModelAt(_SPEC, "JourneyDocument"))
KINDS: Final[tuple[Kind, ...]] = (JOURNEY,)
