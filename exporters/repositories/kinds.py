"""The kinds of documents that say where deliveries are read from."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

REPOSITORY: Final = Kind(API_VERSION, "Repository", ModelAt("exporters.repositories.spec", "RepositoryDocument"))
KINDS: Final[tuple[Kind, ...]] = (REPOSITORY,)
