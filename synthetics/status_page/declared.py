"""StatusPage documents as pages, and everything that is wrong with them."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from string import Formatter
from typing import Final
from urllib.parse import urlsplit

from controlplane.calendar.zones import zone, zone_names
from controlplane.model.public_status import ComponentStatus
from controlplane.problems import Problem
from controlplane.specfile import Declared, Document, declared_by_name, did_you_mean
from synthetics.status_page import declared_times as times
from synthetics.status_page.languages import LANGUAGES
from synthetics.status_page.model import (
    Automatic,
    Component,
    Group,
    IncidentPolicy,
    Mailing,
    Sources,
    StatusPage,
    SubscriberPolicy,
    Templates,
    TierText,
    Weights,
)
from synthetics.status_page.reporting import Report
from synthetics.status_page.spec import ComponentPart, IncidentsPart, StatusPageDocument, SubscribersPart, TierPart

PLACEHOLDERS: Final = ("components", "impact", "since", "next")
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_MAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_KEPT: Final = timedelta(days=92)  # 90 days of bars, and the two that a change of zone may take


def declared(
    documents: Sequence[Document],
    *,
    slos: Collection[str] | None = None,
    probes: Collection[str] | None = None,
    journeys: Collection[str] | None = None,
    languages: Collection[str] = LANGUAGES,
    may_be_declared: Callable[[str], bool] = lambda _: False,
) -> Declared[StatusPage]:
    """The pages that these documents declare, by name. One with a mistake is left out; its problems are told.

    `slos`, `probes`, `journeys` are the names that there are; None: not known, so references are not looked at.
    `may_be_declared` tells whether a document that could not be read may carry a name. `languages`: catalogues.
    """
    known = {"slos": slos, "probes": probes, "journeys": journeys}

    def read(document: Document, value: StatusPageDocument) -> tuple[StatusPage | None, Sequence[Problem]]:
        reading = _Reading(document, value, known, languages, may_be_declared)
        page = reading.page()
        return page, reading.report.problems

    return declared_by_name(documents, StatusPageDocument, read)


class _Reading:
    def __init__(
        self,
        document: Document,
        value: StatusPageDocument,
        known: Mapping[str, Collection[str] | None],
        languages: Collection[str],
        may_be_declared: Callable[[str], bool],
    ) -> None:
        self.report: Final = Report(document)
        self._document = document
        self._value = value
        self._known = known
        self._languages = languages
        self._may_be_declared = may_be_declared
        self._ids = [part.id for part in value.spec.components]

    def page(self) -> StatusPage | None:
        """What the document says; None when an error was found."""
        about, spec, report = self._value.metadata, self._value.spec, self.report
        self._check_name(about.name)
        self._check_address("url", url=spec.url)
        self._check_address("supportUrl", url=spec.support_url, may_be_empty=True)
        self._check_languages()
        zone_name = self._zone()
        groups = self._groups()
        of_zone = zone(zone_name)
        maintenances = times.maintenances(report, spec.maintenances, of_zone, self._ids)
        corrections = times.corrections(report, spec.corrections, of_zone, self._ids)
        page = StatusPage(
            name=about.name,
            title=spec.title,
            url=spec.url.rstrip("/"),
            time_zone=zone_name,
            components=self._components(groups),
            source=self._document.position_of("metadata", "name"),
            languages=tuple(spec.languages),
            description=spec.description,
            support_url=spec.support_url,
            groups=groups,
            regions=tuple(sorted(spec.regions.items())),
            page_alert=_status(spec.slos.page),
            ticket_alert=_status(spec.slos.ticket),
            incidents=self._policy(spec.incidents),
            maintenances=maintenances,
            corrections=corrections,
            tiers=self._tiers(spec.tiers),
            subscribers=self._subscribers(spec.subscribers),
            retention=times.length(report, spec.retention, ("spec", "retention"), _KEPT, 3660 * _DAY),
        )
        return None if report.has_errors else page

    def _check_name(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            hint = "lower-case letters, digits and `-`, at most 63"
            self.report.error("metadata", "name", message=f"`{name[:80]}` is not a name", hint=hint)

    def _check_address(self, *path: str, url: str, may_be_empty: bool = False) -> None:
        if not url and may_be_empty:
            return
        try:
            parts = urlsplit(url)
            is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
        except ValueError:
            is_web = False
        if not is_web or not url.isprintable() or " " in url:
            self.report.error("spec", *path, message="not a web address", hint="such as https://status.example.com")

    def _check_languages(self) -> None:
        written = self._value.spec.languages
        for number, language in enumerate(written):
            if language not in self._languages:
                hint = f"known are {', '.join(sorted(self._languages))}"
                message = f"there is no catalogue of texts in `{language}`"
                self.report.error("spec", "languages", number, message=message, hint=hint)
            elif language in written[:number]:
                self.report.error("spec", "languages", number, message=f"`{language}` is there twice")
        for number, component in enumerate(self._value.spec.components):
            self._check_words(component.names, "components", number)
        for number, group in enumerate(self._value.spec.groups):
            self._check_words(group.names, "groups", number)

    def _check_words(self, words: Mapping[str, str], kind: str, number: int) -> None:
        for language in words:
            if language not in self._value.spec.languages:
                message, hint = f"the page has no `{language}`", "add it to spec.languages"
                self.report.error("spec", kind, number, "names", language, message=message, hint=hint)

    def _zone(self) -> str:
        name = self._value.spec.time_zone
        if name in zone_names():
            return name
        meant = did_you_mean(name, zone_names())
        hint = f"did you mean `{meant}`?" if meant else "an IANA name, such as Europe/Berlin"
        self.report.error("spec", "timeZone", message=f"`{name}` is not a time zone", hint=hint)
        return "UTC"

    def _groups(self) -> tuple[Group, ...]:
        """Groups with all their components: those that they list, then those that name the group."""
        spec = self._value.spec
        listed: dict[str, str] = {}
        found: list[Group] = []
        for number, part in enumerate(spec.groups):
            path = ("spec", "groups", number)
            if part.id in (other.id for other in found) or part.id in self._ids:
                self.report.error(*path, "id", message=f"`{part.id}` is there twice: ids of groups and components")
            times.unknown_ids(self.report, part.components, self._ids, (*path, "components"))
            for place, id_ in enumerate(part.components):
                if id_ in listed:
                    self.report.error(*path, "components", place, message=f"`{id_}` is in group `{listed[id_]}`")
                listed.setdefault(id_, part.id)
            named = [each.id for each in spec.components if each.group == part.id and each.id not in part.components]
            components = (*part.components, *named)
            if not components:
                self.report.warning(*path, message="has no components: it is not shown", on_key=True)
            found.append(Group(part.id, part.name, part.description, components, tuple(sorted(part.names.items()))))
        self._check_groups(listed, {group.id for group in found})
        return tuple(found)

    def _check_groups(self, listed: Mapping[str, str], groups: Collection[str]) -> None:
        for number, part in enumerate(self._value.spec.components):
            if part.group is None:
                continue
            path = ("spec", "components", number, "group")
            if part.group not in groups:
                self.report.error(*path, message=f"no group has the id `{part.group}`")
            elif listed.get(part.id, part.group) != part.group:
                self.report.error(*path, message=f"group `{listed[part.id]}` lists it already")

    def _components(self, groups: Sequence[Group]) -> tuple[Component, ...]:
        group_of = {id_: group.id for group in groups for id_ in group.components}
        found: list[Component] = []
        for number, part in enumerate(self._value.spec.components):
            if part.id in (other.id for other in found):
                self.report.error("spec", "components", number, "id", message=f"`{part.id}` is there twice")
            found.append(
                Component(
                    id=part.id,
                    name=part.name,
                    description=part.description,
                    group=group_of.get(part.id),
                    sources=self._sources(part, number),
                    only_show_if_degraded=part.only_show_if_degraded,
                    shows_uptime=part.uptime.show,
                    weights=self._weights(part, number),
                    names=tuple(sorted(part.names.items())),
                )
            )
        return tuple(found)

    def _sources(self, part: ComponentPart, number: int) -> Sources:
        path = ("spec", "components", number, "from")
        written = {"slos": part.sources.slos, "probes": part.sources.probes, "journeys": part.sources.journeys}
        for kind, listed in written.items():
            known = self._known[kind]
            for place, name in enumerate(listed):
                if known is not None and name not in known and not self._may_be_declared(name):
                    meant = did_you_mean(name, known)
                    hint = f"did you mean `{meant}`?" if meant else ""
                    message = f"no {kind[:-1] if kind != 'slos' else 'SLO'} is named `{name}`"
                    self.report.error(*path, kind, place, message=message, hint=hint)
                elif name in listed[:place]:
                    self.report.error(*path, kind, place, message=f"`{name}` is there twice")
        if not any(written.values()):
            message, hint = "nothing is measured of it: its status is what people say", "name slos, probes or journeys"
            self.report.warning("spec", "components", number, "id", message=message, hint=hint)
        return Sources(tuple(part.sources.slos), tuple(part.sources.probes), tuple(part.sources.journeys))

    def _weights(self, part: ComponentPart, number: int) -> Weights:
        weights = part.uptime.weights
        if not weights.degraded_performance <= weights.partial_outage <= weights.major_outage:
            message = "what is worse must not count less"
            self.report.error("spec", "components", number, "uptime", "weights", message=message)
        return Weights(weights.degraded_performance, weights.partial_outage, weights.major_outage)

    def _policy(self, part: IncidentsPart) -> IncidentPolicy:
        path, report = ("spec", "incidents"), self.report
        automatic = Automatic(part.automatic)
        needs_approval = part.approval == "required"
        if automatic is Automatic.PUBLISH and needs_approval:
            hint = "automatic: draft waits for people; approval: none lets updates go out by themselves"
            report.error(*path, "automatic", message="nothing is published while approval is required", hint=hint)
        for field, text in part.templates.model_dump(exclude_none=True).items():
            self._check_template(field, text)
        templates = part.templates
        return IncidentPolicy(
            automatic,
            needs_approval,
            times.length(report, part.update_every, (*path, "updateEvery"), 5 * _MINUTE, _HOUR),
            times.length(report, part.merge_within, (*path, "mergeWithin"), timedelta(0), _DAY),
            times.length(report, part.wait, (*path, "wait"), timedelta(0), _HOUR),
            times.length(report, part.calm_for, (*path, "calmFor"), _MINUTE, _DAY),
            Templates(
                templates.name or "",
                templates.investigating or "",
                templates.update or "",
                templates.monitoring or "",
                templates.resolved or "",
            ),
        )

    def _check_template(self, field: str, text: str) -> None:
        path = ("spec", "incidents", "templates", field)
        hint = f"known are {', '.join('{' + name + '}' for name in PLACEHOLDERS)}"
        try:
            found = [(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(text)]
        except ValueError:
            self.report.error(*path, message="a brace does not close", hint="write {{ and }} for braces")
            return
        for name, spec, conversion in found:
            if name is not None and (name not in PLACEHOLDERS or spec or conversion):
                self.report.error(*path, message=f"`{{{name}}}` stands for nothing", hint=hint)

    def _tiers(self, parts: Sequence[TierPart]) -> tuple[TierText, ...]:
        for number, part in enumerate(parts):
            path = ("spec", "tiers", number)
            times.unknown_ids(self.report, part.components, self._ids, (*path, "components"))
            for other in parts[:number]:
                own, theirs = set(part.components or self._ids), set(other.components or self._ids)
                if other.tier == part.tier and own & theirs:
                    message = f"tier {part.tier} says two things of `{min(own & theirs)}`"
                    self.report.error(*path, "tier", message=message)
        return tuple(TierText(part.tier, part.text, tuple(part.components)) for part in parts)

    def _subscribers(self, part: SubscribersPart) -> SubscriberPolicy:
        path = ("spec", "subscribers")
        if part.subscribe_url:
            self._check_address("subscribers", "subscribeUrl", url=part.subscribe_url)
        mailing = None
        if part.email is not None:
            mailing = Mailing(part.email.sender, part.email.reply_to or "")
            for field, address in (("from", mailing.sender), ("replyTo", mailing.reply_to)):
                if address and not _MAIL.fullmatch(address):
                    hint = "such as status@example.com"
                    self.report.error(*path, "email", field, message="not an e-mail address", hint=hint)
        policy = SubscriberPolicy(part.webhook, mailing, (part.subscribe_url or "").rstrip("/"))
        if policy.any_way and not policy.subscribe_url:
            message = "the page shows no form: nobody outside can subscribe"
            hint = "subscribeUrl: where the public reaches the control plane"
            self.report.warning(*path, message=message, hint=hint, on_key=True)
        return policy


def _status(word: str) -> ComponentStatus | None:
    return None if word == "none" else ComponentStatus(word)
