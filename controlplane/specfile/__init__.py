"""The only YAML reader: text → positions → pydantic → documents or problems."""

from controlplane.specfile.declared import Declared, declared_by_name
from controlplane.specfile.document import Document, Kind, ModelAt, Path, field_name
from controlplane.specfile.reading import ReadResult, SourceFile, read
from controlplane.specfile.schema import json_schema
from controlplane.specfile.suggestions import did_you_mean

__all__ = [
    "Declared",
    "Document",
    "Kind",
    "ModelAt",
    "Path",
    "ReadResult",
    "SourceFile",
    "declared_by_name",
    "did_you_mean",
    "field_name",
    "json_schema",
    "read",
]
