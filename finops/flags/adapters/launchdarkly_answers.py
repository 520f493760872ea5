"""What LaunchDarkly says of flags, and by which instructions a flag gets another value for everybody.

Shapes: https://launchdarkly.com/docs/api/feature-flags
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from controlplane.model.event import JSON
from controlplane.model.ladder import FlagValue
from controlplane.ports import Permanent
from finops.flags.comparing import same, shown
from finops.flags.ports import NotOneValue

_MILLISECONDS: Final = 1000


class _Answer(BaseModel):
    model_config = ConfigDict(
        extra="ignore", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class Served(_Answer):
    """Which variation, by its place in the flag's list; None where a rollout chooses."""

    variation: int | None = None


class Config(_Answer):
    """A flag in one environment, as the REST API and as SDKs have it."""

    on: bool = False
    version: int = 0
    archived: bool = False
    deleted: bool = False
    off_variation: int | None = None
    fallthrough: Served = Served()
    rules: list[Any] = Field(default_factory=list)
    targets: list[Any] = Field(default_factory=list)
    context_targets: list[Any] = Field(default_factory=list)
    prerequisites: list[Any] = Field(default_factory=list)

    def index(self, flag: str) -> int | None:
        """The variation that everybody gets; None when it is off and serves none. Raises `Permanent` if some differ."""
        if not self.on:
            return self.off_variation
        self.check_serves_all(flag)
        return self.fallthrough.variation

    def check_serves_all(self, flag: str) -> None:
        """Raises `Permanent` when, turned on, not everybody gets the default rule's one variation."""
        chooses = (self.rules, "rules"), (self.targets, "targets"), (self.context_targets, "targets")
        found = next((word for given, word in (*chooses, (self.prerequisites, "prerequisites")) if given), "")
        if found or self.fallthrough.variation is None:
            by = found or "a percentage rollout"
            raise NotOneValue(
                f"flag {flag}: {by} in LaunchDarkly decide for some: a ladder needs one value for everybody"
            )


class Variation(_Answer):
    """A value that a flag may have."""

    id: str = Field(alias="_id")
    value: Any = None


class Feature(_Answer):
    """`GET /api/v2/flags/{project}/{flag}?env={environment}`."""

    key: str
    creation_date: int = 0
    archived: bool = False
    variations: list[Variation]
    environments: dict[str, Config]

    def config(self, environment: str) -> Config:
        """In that environment. Raises `Permanent` when it is not there."""
        if environment not in self.environments:
            raise Permanent(f"flag {self.key} has no environment {environment} in LaunchDarkly")
        return self.environments[environment]

    def value(self, environment: str) -> JSON:
        """What everybody gets."""
        return value_at([each.value for each in self.variations], self.config(environment).index(self.key))

    def instructions(self, environment: str, value: FlagValue) -> list[JSON]:
        """What to do so that everybody gets the value. Raises `Permanent` when no variation has it.

        The switch is used where it suffices, so that a step down finds everything else as it was.
        """
        config = self.config(environment)
        wanted = next((n for n, each in enumerate(self.variations) if _is(each.value, value)), None)
        if wanted is None:
            has = ", ".join(str(each.value)[:40] for each in self.variations[:10])
            raise Permanent(f"flag {self.key} has no variation {shown(value)} in LaunchDarkly; it has {has}")
        id_ = self.variations[wanted].id
        if config.on:
            if config.off_variation is not None and _is(self.variations[config.off_variation].value, value):
                return [{"kind": "turnFlagOff"}]
            return [{"kind": "updateFallthroughVariationOrRollout", "variationId": id_}]
        served = config.fallthrough.variation
        if served is not None and _is(self.variations[served].value, value):
            config.check_serves_all(self.key)
            return [{"kind": "turnFlagOn"}]
        return [{"kind": "updateOffVariation", "variationId": id_}]


class SDKFlag(Config):
    """A flag as SDKs download it: variations are bare values."""

    variations: list[Any] = Field(default_factory=list)

    def value(self, flag: str) -> JSON:
        """What everybody gets."""
        return None if self.deleted else value_at(self.variations, self.index(flag))


class SDKData(_Answer):
    """`GET /sdk/latest-all`."""

    flags: dict[str, SDKFlag]


class Status(_Answer):
    """`GET /api/v2/flag-statuses/{project}/{environment}/{flag}`."""

    name: str = ""
    last_requested: datetime | None = None


class _Who(_Answer):
    email: str = ""
    name: str = ""


class Entry(_Answer):
    """An entry of the audit log."""

    id: str = Field(alias="_id")
    date: int
    comment: str = ""
    member: _Who | None = None
    token: _Who | None = None

    @property
    def by(self) -> str:
        """A person's address or a token's name."""
        for who in (self.member, self.token):
            if who is not None and (who.email or who.name):
                return who.email or who.name
        return "unknown"

    @property
    def at(self) -> datetime:
        """When."""
        return moment(self.date)


class Entries(_Answer):
    """`GET /api/v2/auditlog`, newest first."""

    items: list[Entry]


def moment(milliseconds: int) -> datetime:
    """A time as LaunchDarkly writes it."""
    return datetime.fromtimestamp(milliseconds / _MILLISECONDS, UTC)


def milliseconds(at: datetime) -> int:
    """The same the other way round."""
    return int(at.timestamp() * _MILLISECONDS)


def value_at(variations: list[JSON], index: int | None) -> JSON:
    """The value of a variation, None where there is none."""
    return variations[index] if index is not None and 0 <= index < len(variations) else None


def _is(held: JSON, value: FlagValue) -> bool:
    return isinstance(held, bool | int | str) and same(held, value)


def known(flags: Mapping[str, SDKFlag], flag: str) -> JSON:
    """A flag's value for everybody, None when SDKs do not have it."""
    return flags[flag].value(flag) if flag in flags else None
