"""What objects of Kubernetes carry: metadata, in which our own annotations mean what they mean everywhere."""

from pydantic import BaseModel, ConfigDict, Field

from controlplane.specfile import Document
from slo.dialects.texts import Labels
from slo.metadata import OUR_PREFIX, About, checked
from slo.openslo.spec import Metadata


class KubernetesMetadata(BaseModel):
    """`metadata`; more than we use may stand here."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str
    namespace: str | None = None
    labels: Labels = Field(default_factory=dict)
    annotations: Labels = Field(default_factory=dict)


def own_settings_of(document: Document, metadata: KubernetesMetadata) -> About:
    """What our annotations on an object say, and what is wrong with them; its name and labels are left alone."""
    ours = {key: value for key, value in metadata.annotations.items() if key.startswith(OUR_PREFIX)}
    return checked(document, Metadata(name="any", annotations=ours), makes_slos=True)
