"""The kinds of document that this part reads."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

_SPEC: Final = "synthetics.status_page.spec"
STATUS_PAGE: Final = Kind(API_VERSION, "StatusPage", ModelAt(_SPEC, "StatusPageDocument"))
KINDS: Final[tuple[Kind, ...]] = (STATUS_PAGE,)
