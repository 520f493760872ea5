"""What Unleash says of flags, and what that means for applications that give no context."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from controlplane.model.ladder import FlagValue
from controlplane.ports import Permanent
from finops.flags.comparing import shown
from finops.flags.model import FlagType
from finops.flags.ports import NotOneValue

ALL: Final = 1000  # weights of variants are per mille
_TURNED: Final = {"feature-environment-enabled": True, "feature-environment-disabled": False}
STRATEGY_CHANGED: Final = "feature-strategy-update"
_OF_ALL_ENVIRONMENTS: Final = ("feature-archived", "feature-revived", "feature-deleted")


class Named(Protocol):
    """What is asked for: a flag and its type."""

    @property
    def name(self) -> str:
        """As Unleash calls it."""
        ...

    @property
    def type(self) -> FlagType:
        """As declared."""
        ...


class _Answer(BaseModel):
    model_config = ConfigDict(
        extra="ignore", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class Payload(_Answer):
    """What a variant carries."""

    type: str = ""
    value: str = ""


class Variant(_Answer):
    """A variant of a strategy; `weight` of 1000 is everybody."""

    name: str
    weight: float = 0
    payload: Payload | None = None


class Strategy(_Answer):
    """For whom a flag is on."""

    id: str = ""
    name: str = ""
    disabled: bool | None = False
    parameters: dict[str, str] = Field(default_factory=dict)
    constraints: list[dict[str, Any]] | None = None
    segments: list[Any] | None = None
    variants: list[Variant] | None = None

    @property
    def reaches_all(self) -> bool:
        """Whether it is on for everybody."""
        if self.disabled or self.constraints or self.segments:
            return False
        return self.name == "default" or (self.name == "flexibleRollout" and self.parameters.get("rollout") == "100")


class Toggle(_Answer):
    """A flag in one environment, as the admin API and the client API have it."""

    name: str = ""  # of the environment, or, to clients, of the flag
    enabled: bool = False
    strategies: list[Strategy] = Field(default_factory=list)
    last_seen_at: datetime | None = None
    dependencies: list[Any] | None = None

    def value(self, flag: Named) -> FlagValue | None:
        """What everybody gets; None when a flag that is not boolean is off, so that applications take their default.

        Raises `Permanent` when some get it and others do not: there is no one value then.
        """
        if not self.enabled:
            return False if flag.type is FlagType.BOOLEAN else None
        strategy = self.for_all(flag.name)
        if flag.type is FlagType.BOOLEAN:
            return True
        return _typed(flag, _served(flag.name, strategy).value)

    def for_all(self, flag: str) -> Strategy:
        """The strategy by which it is, or would be, on for everybody. Raises `Permanent` when it would not be."""
        if self.dependencies:
            raise NotOneValue(
                f"flag {flag} depends on another flag in Unleash: a ladder must be sure of it, take that away"
            )
        if not self.strategies:
            return Strategy(name="default")
        found = next((each for each in self.strategies if each.reaches_all), None)
        if found is None:
            raise NotOneValue(
                f"flag {flag} is on for some only: give it one strategy in Unleash that is on for everybody"
            )
        return found


class Feature(_Answer):
    """A flag with all its environments."""

    name: str
    created_at: datetime | None = None
    archived: bool = False
    dependencies: list[Any] = Field(default_factory=list)
    environments: list[Toggle]

    def toggle(self, environment: str) -> Toggle:
        """In that environment. Raises `Permanent` when the flag is not there."""
        for each in self.environments:
            if each.name == environment:
                return each.model_copy(update={"dependencies": self.dependencies})
        has = ", ".join(each.name for each in self.environments)
        raise Permanent(f"flag {self.name} has no environment {environment} in Unleash; it has {has}")


class ClientFeatures(_Answer):
    """What SDKs download."""

    features: list[Toggle]


class Event(_Answer):
    """An entry of the event log; ids rise."""

    id: int
    type: str
    created_by: str = ""
    created_at: datetime
    feature_name: str | None = None
    environment: str | None = None
    data: dict[str, Any] | None = None

    def concerns(self, environment: str) -> bool:
        """Whether it may change what applications get there."""
        return self.environment == environment or self.type in _OF_ALL_ENVIRONMENTS

    @property
    def turned(self) -> bool | None:
        """Whether it turned the flag on or off; None when it did neither."""
        return _TURNED.get(self.type)

    @property
    def value(self) -> FlagValue | None:
        """The value that it set, None when that is not to be seen from it."""
        if self.type != STRATEGY_CHANGED or self.data is None:
            return self.turned
        try:
            payload = _served(self.feature_name or "", Strategy.model_validate(self.data))
            return int(payload.value) if payload.type == "number" else payload.value
        except (Permanent, ValueError):
            return None


class Events(_Answer):
    """Newest first."""

    events: list[Event]


class User(_Answer):
    """Who our token is; events name the e-mail address, or the user name."""

    username: str | None = None
    email: str | None = None


class Me(_Answer):
    """`GET /api/admin/user`."""

    user: User


def with_variant(flag: Named, strategy: Mapping[str, Any], value: FlagValue) -> dict[str, Any]:
    """A strategy's body that gives everybody the variant with this value; everything else of it as it was."""
    variants: Sequence[Mapping[str, Any]] = strategy.get("variants") or []
    chosen = next((each for each in variants if _holds(flag, each, value)), None)
    if chosen is None:
        has = ", ".join(str((each.get("payload") or {}).get("value", ""))[:80] for each in variants) or "none"
        raise Permanent(f"flag {flag.name} has no variant in Unleash with the value {shown(value)}; it has {has}")
    weighed = [
        {**each, "weight": ALL, "weightType": "variable"}
        if each is chosen
        else {**each, "weight": 0, "weightType": "fix"}
        for each in variants
    ]
    kept = ("name", "title", "disabled", "constraints", "parameters", "segments", "sortOrder")
    return {**{key: strategy[key] for key in kept if strategy.get(key) is not None}, "variants": weighed}


def _holds(flag: Named, variant: Mapping[str, Any], value: FlagValue) -> bool:
    payload = variant.get("payload") or {}
    try:
        held = _typed(flag, str(payload.get("value", "")))
    except Permanent:
        return False
    return type(held) is type(value) and held == value


def _served(flag: str, strategy: Strategy) -> Payload:
    given = [each for each in strategy.variants or [] if each.weight > 0]
    if len(given) != 1 or given[0].payload is None:
        message = "must have variants with payloads, one with all the weight, in its strategy in Unleash"
        raise NotOneValue(f"flag {flag} {message}: it gives no one value")
    return given[0].payload


def _typed(flag: Named, text: str) -> FlagValue:
    if flag.type is FlagType.STRING:
        return text
    try:
        return int(text)
    except ValueError:
        message = f"flag {flag.name} is declared as integer, and has the value {text[:80]} in Unleash"
        raise NotOneValue(message) from None
