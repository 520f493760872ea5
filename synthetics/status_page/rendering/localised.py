"""A snapshot in one language: names of components and groups, and the sentences on what a status is made from."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from controlplane.model.public_status import (
    AffectedComponent,
    PublicComponent,
    PublicGroup,
    PublicIncident,
    PublicSnapshot,
    PublicUpdate,
)
from synthetics.status_page.rendering.catalogue import Catalogue

SECTION: Final = "basis."
_PLACEHOLDER: Final = re.compile(r"\\\{(\w+)\\\}")  # as `re.escape` leaves it


def localised(snapshot: PublicSnapshot, catalogue: Catalogue) -> PublicSnapshot:
    """What has no name in the language keeps the one it has."""
    components = tuple(_component(each, catalogue) for each in snapshot.components)
    groups = tuple(_group(each, catalogue.language) for each in snapshot.groups)
    known = {each.id: each.name for each in components}
    return replace(
        snapshot,
        components=components,
        groups=groups,
        incidents=tuple(_incident(each, known) for each in snapshot.incidents),
        maintenances=tuple(_incident(each, known) for each in snapshot.maintenances),
    )


def sentence(text: str, catalogue: Catalogue) -> str:
    """A sentence out of the fixed set, by its English; any other is shown as it is."""
    found = catalogue.texts.get(SECTION + text)
    if isinstance(found, str):
        return found
    for english, told in _patterns(catalogue):
        if match := english.fullmatch(text):
            return told.format(**match.groupdict())
    return text


def _patterns(catalogue: Catalogue) -> Iterator[tuple[re.Pattern[str], str]]:
    for key, told in catalogue.texts.items():
        if key.startswith(SECTION) and "{" in key and isinstance(told, str):
            yield re.compile(_PLACEHOLDER.sub(r"(?P<\1>.+)", re.escape(key.removeprefix(SECTION)))), told


def _component(each: PublicComponent, catalogue: Catalogue) -> PublicComponent:
    name = dict(each.names).get(catalogue.language, each.name)
    return replace(each, name=name, basis=tuple(sentence(text, catalogue) for text in each.basis))


def _group(each: PublicGroup, language: str) -> PublicGroup:
    return replace(each, name=dict(each.names).get(language, each.name))


def _incident(each: PublicIncident, known: dict[str, str]) -> PublicIncident:
    return replace(each, updates=tuple(_update(it, known) for it in each.updates))


def _update(each: PublicUpdate, known: dict[str, str]) -> PublicUpdate:
    return replace(each, affected=tuple(_affected(it, known) for it in each.affected)) if each.affected else each


def _affected(each: AffectedComponent, known: dict[str, str]) -> AffectedComponent:
    return replace(each, name=known.get(each.id, each.name))
