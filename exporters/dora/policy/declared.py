"""DeliveryPolicy documents as a policy, and everything that is wrong with them."""

import re
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final

from controlplane.burn_rate import duration
from controlplane.calendar.moments import length_of
from controlplane.calendar.zones import zone_names
from controlplane.problems import Problem, Severity, has_errors
from controlplane.specfile import Declared, Document, declared_by_name, did_you_mean
from exporters.dora.clusters.editions import editions
from exporters.dora.policy.model import DeliveryPolicy, EffectTerms
from exporters.dora.policy.spec import DeliveryPolicyDocument, EnvironmentPart

RULE: Final = "delivery-policy"
NO_CLUSTERS: Final = "none"
PRODUCTION: Final = "production"
_STANDARD: Final = DeliveryPolicy()
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_MINUTE: Final = timedelta(minutes=1)
Path = tuple[str | int, ...]
_LONGEST: Final = timedelta(days=7)  # what is further apart has more than one cause


def declared(documents: Sequence[Document]) -> Declared[DeliveryPolicy]:
    """The policy that these documents declare: one at most, the first. One with a mistake is left out."""

    def read(document: Document, value: DeliveryPolicyDocument) -> tuple[DeliveryPolicy | None, Sequence[Problem]]:
        reading = _Reading(document, value)
        policy = reading.policy()
        return (None if has_errors(reading.problems) else policy), reading.problems

    own = [document for document in documents if isinstance(document.value, DeliveryPolicyDocument)]
    first = declared_by_name(own[:1], DeliveryPolicyDocument, read)
    others = declared_by_name(own[1:], DeliveryPolicyDocument, read)
    more = [_one_too_many(document, own[0]) for document in own[1:]]
    return Declared(first.values, (*first.problems, *others.problems, *more))


def _one_too_many(document: Document, first: Document) -> Problem:
    known = first.position_of("metadata", "name")
    message = f"a second DeliveryPolicy: a workspace has one, and that is at {known.path}:{known.line}"
    return document.problem("metadata", "name", message=message, hint="put all into one document", rule=RULE)


class _Reading:
    def __init__(self, document: Document, value: DeliveryPolicyDocument) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._spec = value.spec
        self._name = value.metadata.name

    def policy(self) -> DeliveryPolicy:
        """What the document says; with errors among the problems it is not to be used."""
        spec = self._spec
        if not _NAME.fullmatch(self._name):
            hint = "lower-case letters, digits and `-`, at most 63"
            self._error("metadata", "name", message=f"`{self._name[:80]}` is not a name", hint=hint)
        environments, production = self._environments()
        priorities = {priority.upper() for priority in spec.attribution.priorities}
        return DeliveryPolicy(
            name=self._name,
            production=production,
            environments=environments,
            services=self._services(),
            teams=self._teams(),
            attribution_window=self._length(spec.attribution.window, "attribution", "window"),
            rollback_window=self._length(spec.attribution.rollback_window, "attribution", "rollbackWindow"),
            priorities=frozenset(priorities | ({""} if spec.attribution.counts_without_priority else set())),
            hotfix_labels=tuple(spec.hotfix.labels),
            hotfix_branches=tuple(spec.hotfix.branches),
            hotfix_titles=tuple(spec.hotfix.titles),
            time_zone=self._time_zone(),
            clusters=self._clusters(),
            effects=self._effects(),
        )

    def _environments(self) -> tuple[dict[str, str], tuple[str, ...]]:
        """Ours by every spelling in small letters, and which of ours are production."""
        written = self._spec.environments
        if written is None:
            return dict(_STANDARD.environments), _STANDARD.production
        found: dict[str, str] = {}
        for name in written:
            self._name_once(found, name.lower(), name, ("spec", "environments", name), on_key=True)
        for name, part in written.items():
            for number, other in enumerate(part.names if part else ()):
                self._alias(found, other.lower(), name, ("spec", "environments", name, "names", number))
        production = tuple(name for name, part in written.items() if _is_production(name, part))
        if not production:
            message = "no environment is production: reports would show nothing"
            hint = "say `isProduction: true` in one of them"
            self._error("spec", "environments", message=message, hint=hint, on_key=True)
        return found, production

    def _services(self) -> dict[str, str]:
        """Ours by every spelling."""
        found: dict[str, str] = {}
        for number, part in enumerate(self._spec.services):
            self._name_once(found, part.name, part.name, ("spec", "services", number, "name"))
        for number, part in enumerate(self._spec.services):
            for at, other in enumerate(part.also_known_as):
                self._alias(found, other, part.name, ("spec", "services", number, "alsoKnownAs", at))
        return found

    def _name_once(self, found: dict[str, str], spelling: str, name: str, path: Path, *, on_key: bool = False) -> None:
        if spelling in found:
            self._error(*path, message=f"`{name}` is there twice", on_key=on_key)
        found.setdefault(spelling, name)

    def _alias(self, found: dict[str, str], spelling: str, name: str, path: Path) -> None:
        owner = found.setdefault(spelling, name)
        if owner != name:
            what = "is a name of its own" if spelling in (owner, owner.lower()) else f"means `{owner}` already"
            self._error(*path, message=f"`{spelling}` {what}")

    def _teams(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for number, part in enumerate(self._spec.services):
            if part.team is not None:
                self._assign(found, part.name, part.team, ("spec", "services", number, "team"))
        aliases = {other: part.name for part in self._spec.services for other in part.also_known_as}
        for team, services in self._spec.teams.items():
            for number, service in enumerate(services):
                path: Path = ("spec", "teams", team, number)
                if service in aliases:
                    hint = f"write `{aliases[service]}`"
                    self._error(*path, message=f"`{service}` is another name of `{aliases[service]}`", hint=hint)
                self._assign(found, service, team, path)
        return found

    def _assign(self, found: dict[str, str], service: str, team: str, path: Path) -> None:
        owner = found.setdefault(service, team)
        if owner != team:
            hint = "a service has one team; its deliveries would count for both"
            self._error(*path, message=f"`{service}` is of `{owner}` already", hint=hint)

    def _time_zone(self) -> str:
        name = self._spec.time_zone
        self._known(name, zone_names(), "a time zone", "an IANA name such as Europe/Berlin", ("spec", "timeZone"))
        return name

    def _clusters(self) -> str:
        name = self._spec.clusters
        known = (*editions(), NO_CLUSTERS)
        self._known(name, known, "an edition that we have", f"one of {', '.join(known)}", ("spec", "clusters"))
        return "" if name == NO_CLUSTERS else name

    def _known(self, name: str, known: Collection[str], what: str, hint: str, path: Path) -> None:
        if name not in known:
            meant = did_you_mean(name, known)
            hint = f"did you mean `{meant}`?" if meant else hint
            self._error(*path, message=f"`{name[:80]}` is not {what}", hint=hint)

    def _effects(self) -> EffectTerms:
        written = self._spec.effects
        day, hour = timedelta(days=1), timedelta(hours=1)
        window = self._length(written.window, "effects", "window", least=10 * _MINUTE, most=day)
        settle = self._length(written.settle, "effects", "settle", least=timedelta(0), most=hour)
        return EffectTerms(window, settle, written.confidence)

    def _length(self, text: str, *at: str, least: timedelta = _MINUTE, most: timedelta = _LONGEST) -> timedelta:
        found = length_of(text)
        if found is None:
            self._error("spec", *at, message=f"`{text}` is not a length", hint="such as 30m, 4h or 1d")
            return least
        if not least <= found <= most:
            self._error("spec", *at, message=f"must be between {duration(least)} and {duration(most)}, is {text}")
        return found

    def _error(self, *path: str | int, message: str, hint: str = "", on_key: bool = False) -> None:
        if isinstance(path[-1], int) and not self._document.has(*path):
            path = path[:-1]  # one value stands for a list of one
        self.problems.append(
            self._document.problem(*path, message=message, hint=hint, rule=RULE, on_key=on_key, severity=Severity.ERROR)
        )


def _is_production(name: str, part: EnvironmentPart | None) -> bool:
    said = part.is_production if part is not None else None
    return name.lower() == PRODUCTION if said is None else said
