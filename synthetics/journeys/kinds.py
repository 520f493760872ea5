"""The kinds of document that this part reads."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind
from synthetics.journeys.spec import JourneyDocument

JOURNEY: Final = Kind(API_VERSION, "Journey", JourneyDocument)
KINDS: Final[tuple[Kind, ...]] = (JOURNEY,)
