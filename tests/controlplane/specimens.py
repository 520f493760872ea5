"""A small kind of document for tests of the reader, and short ways to read text."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from controlplane.problem_report import as_text
from controlplane.specfile import Kind, ReadResult, SourceFile, read


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Objective(Part):
    target: Annotated[Decimal, Field(gt=0, lt=1)]
    displayName: str = ""  # noqa: N815


class Ratio(Part):
    type: Literal["ratio"]
    good: str


class Threshold(Part):
    type: Literal["threshold"]
    query: str
    limit: int


class Metadata(Part):
    name: str
    labels: dict[str, str] = {}


class Spec(Part):
    service: str = "shop"
    method: Literal["Occurrences", "Timeslices"] = "Occurrences"
    query: str = ""
    enabled: bool = False
    retries: Annotated[int, Field(ge=0, le=10)] = 0
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1)] = (Objective(target=Decimal("0.9")),)
    indicator: Annotated[Ratio | Threshold, Field(discriminator="type")] | None = None
    either: Ratio | Threshold | None = None
    since: str = ""
    owners: str | list[str] = ""

    @field_validator("since")
    @classmethod
    def not_a_friday(cls, since: str) -> str:
        if since == "friday":
            raise ValueError("nothing may begin on a Friday")
        return since


class Goal(Part):
    apiVersion: str  # noqa: N815
    kind: str
    metadata: Metadata
    spec: Spec


class Team(Part):
    apiVersion: str  # noqa: N815
    kind: str
    metadata: Metadata


KINDS = (Kind("test/v1", "Goal", Goal), Kind("test/v1", "Team", Team))

GOAL = """\
apiVersion: test/v1
kind: Goal
metadata:
  name: one
spec:
"""


def read_text(text: str | bytes, path: str = "a.yaml") -> ReadResult:
    content = text.encode() if isinstance(text, str) else text
    return read([SourceFile(path, content)], KINDS)


def report(text: str | bytes, path: str = "a.yaml") -> str:
    content = text.encode() if isinstance(text, str) else text
    return as_text(read_text(content, path).problems, {path: content})
