"""What automatic updates say: what happened, what it means, when we speak next. In the page's first language."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from controlplane.calendar.zones import zone
from controlplane.model.public_status import ComponentStatus, IncidentStatus
from synthetics.status_page.components import ORDER
from synthetics.status_page.model import StatusPage, Templates

NEXT: Final = "{next}"  # stays in a draft until it is published: only then the promise is known


@dataclass(frozen=True, slots=True)
class _Voice:
    """The sentences of one language. `many` are those about several components."""

    conjunction: str
    names: tuple[str, str, str]  # of degraded, partial, major
    one: tuple[str, str, str]
    many: tuple[str, str, str]
    impacts: tuple[str, str, str]
    investigating: str
    update: str
    monitoring: str
    resolved: str
    nobody: str
    scheduled: str
    started: str
    completed: str
    cancelled: str


_ENGLISH: Final = _Voice(
    conjunction=" and ",
    names=("Degraded performance of {components}", "Partial outage of {components}", "Outage of {components}"),
    one=(
        "{components} is slower than usual, or fails for some of you.",
        "{components} does not work for some of you.",
        "{components} does not work at the moment.",
    ),
    many=(
        "{components} are slower than usual, or fail for some of you.",
        "{components} do not work for some of you.",
        "{components} do not work at the moment.",
    ),
    impacts=("degraded performance", "a partial outage", "an outage"),
    investigating="We noticed at {since}, and are looking for the cause. Next update by {next}.",
    update="We are still working on it: {sentence} It began at {since}. Next update by {next}.",
    monitoring="{components}: back to normal. We keep watching before we call it resolved. Next update by {next}.",
    resolved="This is resolved. It began at {since}; since {calm} everything has worked as it should.",
    nobody="Some of our services",
    scheduled="Planned work on {components}, from {start} to {end}.",
    started="The planned work on {components} has begun. It takes until {end}.",
    completed="The planned work on {components} is done.",
    cancelled="This planned work was called off: it does not take place.",
)
_GERMAN: Final = _Voice(
    conjunction=" und ",
    names=("Eingeschränkte Leistung: {components}", "Teilausfall: {components}", "Ausfall: {components}"),
    one=(
        "{components} ist langsamer als sonst oder gelingt bei einigen von Ihnen nicht.",
        "{components} funktioniert bei einigen von Ihnen nicht.",
        "{components} funktioniert zurzeit nicht.",
    ),
    many=(
        "{components} sind langsamer als sonst oder gelingen bei einigen von Ihnen nicht.",
        "{components} funktionieren bei einigen von Ihnen nicht.",
        "{components} funktionieren zurzeit nicht.",
    ),
    impacts=("eingeschränkte Leistung", "ein Teilausfall", "ein Ausfall"),
    investigating="Wir haben es um {since} bemerkt und suchen die Ursache. Nächste Meldung bis {next}.",
    update="Wir arbeiten weiter daran: {sentence} Es begann um {since}. Nächste Meldung bis {next}.",
    monitoring="{components}: wieder normal. Wir beobachten noch eine Weile. Nächste Meldung bis {next}.",
    resolved="Die Störung ist behoben. Sie begann um {since}; seit {calm} läuft alles, wie es soll.",
    nobody="Einige unserer Dienste",
    scheduled="Geplante Arbeiten an {components}, von {start} bis {end}.",
    started="Die geplanten Arbeiten an {components} haben begonnen. Sie dauern bis {end}.",
    completed="Die geplanten Arbeiten an {components} sind beendet.",
    cancelled="Diese geplanten Arbeiten wurden abgesagt: sie finden nicht statt.",
)
_VOICES: Final = {"en": _ENGLISH, "de": _GERMAN}


@dataclass(frozen=True, slots=True)
class Facts:
    """What an automatic update is about. `calm_since`: since when all is well."""

    components: Sequence[str]  # ids
    worst: ComponentStatus
    since: datetime
    calm_since: datetime | None = None


def title(page: StatusPage, facts: Facts) -> str:
    """The name of an automatic incident."""
    voice = _voice(page)
    template = page.incidents.templates.name or voice.names[_severity(facts.worst)]
    return template.format(**_values(page, facts))


def body(page: StatusPage, facts: Facts, status: IncidentStatus, *, is_first: bool) -> str:
    """The text of an automatic update; `{next}` still stands in it."""
    voice, templates = _voice(page), page.incidents.templates
    template = _template(templates, status, is_first=is_first)
    if template:
        return template.format(**_values(page, facts))
    values = _values(page, facts)
    match status:
        case IncidentStatus.MONITORING:
            return voice.monitoring.format(**values)
        case IncidentStatus.RESOLVED:
            return voice.resolved.format(**values)
    if is_first:
        return f"{values['sentence']} {voice.investigating.format(**values)}"
    return voice.update.format(**values)


def filled(page: StatusPage, text: str, promise: datetime | None) -> str:
    """The text with what was promised. What promises nothing loses the sentence that would."""
    if NEXT not in text:
        return text  # as somebody wrote it
    if promise is not None:
        return text.replace(NEXT, clock(page, promise))
    kept = [sentence for sentence in text.split(". ") if NEXT not in sentence]
    joined = ". ".join(kept)
    return joined if joined.endswith((".", "!", "?")) or not joined else f"{joined}."


def maintenance_body(
    page: StatusPage, ids: Sequence[str], status: IncidentStatus, start: datetime, end: datetime
) -> str:
    """What is said of planned work where its file says nothing."""
    voice = _voice(page)
    texts = {
        IncidentStatus.SCHEDULED: voice.scheduled,
        IncidentStatus.IN_PROGRESS: voice.started,
        IncidentStatus.COMPLETED: voice.completed,
    }
    values = {"components": listed(page, ids), "start": moment(page, start), "end": moment(page, end)}
    return texts[status].format(**values)


def cancelled(page: StatusPage) -> str:
    """What is said of planned work that does not take place."""
    return _voice(page).cancelled


def listed(page: StatusPage, ids: Sequence[str]) -> str:
    """Public names: `Sign-in, Exports and Ingest`."""
    names = [name_of(page, component.id) for component in page.components if component.id in ids]
    if not names:
        return _voice(page).nobody
    return _voice(page).conjunction.join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def name_of(page: StatusPage, id_: str) -> str:
    """The component's name in the page's first language; its id when the file names it no more."""
    component = page.component(id_)
    return dict(component.names).get(page.languages[0], component.name) if component else id_


def clock(page: StatusPage, at: datetime) -> str:
    """`14:05 CET`."""
    local = at.astimezone(zone(page.time_zone))
    return f"{local:%H:%M} {local.tzname()}"


def moment(page: StatusPage, at: datetime) -> str:
    """`2026-12-05 22:00 CET`."""
    return f"{at.astimezone(zone(page.time_zone)):%Y-%m-%d} {clock(page, at)}"


def _values(page: StatusPage, facts: Facts) -> dict[str, str]:
    voice, severity = _voice(page), _severity(facts.worst)
    components = listed(page, facts.components)
    sentences = voice.one if len(facts.components) == 1 else voice.many
    return {
        "components": components,
        "impact": voice.impacts[severity],
        "sentence": sentences[severity].format(components=components),
        "since": clock(page, facts.since),
        "calm": clock(page, facts.calm_since or facts.since),
        "next": NEXT,
    }


def _template(templates: Templates, status: IncidentStatus, *, is_first: bool) -> str:
    match status:
        case IncidentStatus.MONITORING:
            return templates.monitoring
        case IncidentStatus.RESOLVED:
            return templates.resolved
    return templates.investigating if is_first else templates.update


def _severity(worst: ComponentStatus) -> int:
    return max(ORDER.index(worst) - ORDER.index(ComponentStatus.DEGRADED), 0) if worst in ORDER else 0


def _voice(page: StatusPage) -> _Voice:
    return _VOICES.get(page.languages[0], _ENGLISH)
