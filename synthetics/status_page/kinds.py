"""The kinds of document that this part reads."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind
from synthetics.status_page.spec import StatusPageDocument

STATUS_PAGE: Final = Kind(API_VERSION, "StatusPage", StatusPageDocument)
KINDS: Final[tuple[Kind, ...]] = (STATUS_PAGE,)
