"""The HTML of a page in one language: what each file shows, given to the templates."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from controlplane.model.public_status import ComponentStatus, PublicComponent, PublicIncident, PublicSnapshot
from synthetics.status_page.languages import LANGUAGES
from synthetics.status_page.rendering import bars, names, standing, uptime_account
from synthetics.status_page.rendering.catalogue import Catalogue, plain
from synthetics.status_page.rendering.localised import localised
from synthetics.status_page.rendering.stylesheet import style_sheet
from synthetics.status_page.rendering.update_text import as_html, web_link
from synthetics.status_page.rendering.voice import Voice, utc, voice_of

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_DAYS_TOLD: Final = 10  # days with trouble that the index names below a bar; the component's own page has them all
_MOST_SPANS: Final = 200
_SIX_PLACES: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class OtherLanguage:
    """The same page in a language of the page, this one among them."""

    language: str
    name: str
    href: str
    url: str
    is_this: bool


class Pages:
    """Every HTML file of one language; `folder` is empty for the first language, `de/` for another."""

    def __init__(self, snapshot: PublicSnapshot, catalogue: Catalogue, folder: str, folders: Mapping[str, str]) -> None:
        self._snapshot = localised(snapshot, catalogue)
        self.voice = voice_of(catalogue, snapshot)
        self.folder = folder
        self._folders = folders
        self._marked = {status: _marked(self.voice, status) for status in ComponentStatus}
        self._happenings = standing.happenings(self._snapshot)

    def index(self) -> tuple[str, bytes]:
        """The page that everybody reads."""
        snapshot = self._snapshot
        found = {
            "head": standing.headline(snapshot),
            "troubled": [each.name for each in standing.troubled(snapshot.components)],
            "open": [each for each in snapshot.incidents if not standing.is_over(each)],
            "planned": standing.planned(snapshot),
            "reduced": [each for each in snapshot.components if each.reduced],
            "sections": standing.sections(snapshot),
            "lately": standing.by_day(standing.lately(snapshot), self.voice.zone),
            "past_days": standing.PAST_DAYS,
            "days_told": _DAYS_TOLD,
            "subscribe": subscribe_url(snapshot),
        }
        return self._file(names.INDEX, "index.html", found)

    def leaves(self) -> Iterator[tuple[str, bytes]]:
        """All others."""
        months = standing.by_month(self._happenings, self.voice.zone)
        yield self._file(names.HISTORY, "history.html", {"months": months})
        for month, incidents in months.items():
            yield self._file(names.month_page(month), "month.html", {"month": month, "incidents": incidents})
        for incident in self._happenings:
            yield self._file(names.incident_page(incident.id), "incident.html", {"incident": incident})
        for component in self._snapshot.components:
            if component.uptime is not None:
                yield self._file(names.uptime_page(component.id), "uptime.html", self._uptime(component))

    def _uptime(self, component: PublicComponent) -> Mapping[str, object]:
        uptime = component.uptime
        assert uptime is not None
        return {
            "component": component,
            "uptime": uptime,
            "account": uptime_account.account(uptime),
            "left_out": uptime_account.left_out(uptime.spans),
            "trouble": uptime_account.trouble(uptime.spans),
            "happened": uptime_account.Happened(
                self._happenings, component.id, self._snapshot.at, self.voice.zone
            ),
            "most": _MOST_SPANS,
        }  # fmt: skip

    def _file(self, path: str, template: str, values: Mapping[str, object]) -> tuple[str, bytes]:
        own = self.folder + path
        page = self._snapshot.page
        common: dict[str, object] = {
            "snapshot": self._snapshot,
            "voice": self.voice,
            "page_title": self.voice.text("page.title", name=page.name),
            "path": path,
            "to": lambda target: names.relative(own, self.folder + target),
            "shared": partial(names.relative, own),
            "style": style_sheet(),
            "policy": policy(self._snapshot),
            "support": web_link(page.support_url),
            "canonical": names.absolute(page.url, own),
            "others": [*self._others(own, path)],
            "names_of": self._names_of,
            "marked": self._marked,
            "bar_label": partial(bar_label, self.voice),
        }
        text = environment().get_template(template).render({**common, **values})
        return own, text.encode()

    def _others(self, own: str, path: str) -> Iterator[OtherLanguage]:
        for language, folder in self._folders.items():
            yield OtherLanguage(
                language=language,
                name=LANGUAGES.get(language, language),
                href=names.relative(own, folder + path),
                url=names.absolute(self._snapshot.page.url, folder + path),
                is_this=folder == self.folder,
            )

    def _names_of(self, incident: PublicIncident) -> list[str]:
        known = {each.id: each.name for each in self._snapshot.groups}
        known |= {each.id: each.name for each in self._snapshot.components}
        return [known[id_] for id_ in incident.component_ids if id_ in known]


def subscribe_url(snapshot: PublicSnapshot) -> str:
    """Where the form posts to, or empty."""
    page = snapshot.page
    url = web_link(page.subscribe_url) if page.takes_subscribers else ""
    return "" if url.startswith("mailto:") else url


def policy(snapshot: PublicSnapshot) -> str:
    """What browsers hold the page to, wherever it lies: our style sheet, our pictures, and the form's address."""
    parts = urlsplit(subscribe_url(snapshot))
    form = f"{parts.scheme}://{parts.netloc}" if parts.netloc else "'none'"
    return f"default-src 'none'; style-src 'self'; img-src 'self'; form-action {form}; base-uri 'none'"


def bar_label(voice: Voice, component: PublicComponent, drawn: bars.Bar) -> str:
    """What a bar says to who cannot see it."""
    uptime = component.uptime
    assert uptime is not None
    told = [voice.counted("components.bar", len(uptime.days), percent=voice.percent(uptime.ratio))]
    if drawn.troubled:
        told.append(voice.counted("components.bar_trouble", len(drawn.troubled)))
    if drawn.unmeasured:
        told.append(voice.counted("components.bar_unmeasured", drawn.unmeasured))
    return " ".join(told)


def _marked(voice: Voice, status: ComponentStatus) -> "Markup":
    """A status in words with its shape; it stands on a page a hundred times, so it is made once."""
    mark = environment().get_template("parts.html").make_module({"voice": voice}).mark  # type: ignore[attr-defined]
    from markupsafe import Markup

    return Markup('<span class="status {}">{}{}</span>').format(status.value, mark(status.value), voice.status(status))


def _six(ratio: Decimal) -> Decimal:
    return plain(ratio.quantize(_SIX_PLACES, rounding=ROUND_FLOOR))


@cache
def environment() -> "Environment":
    """Templates with our filters; everything is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=PackageLoader("synthetics.status_page.rendering"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "utc": utc,
        "file_stem": names.file_stem,
        "incident_page": names.incident_page,
        "uptime_page": names.uptime_page,
        "uptime_data": names.uptime_data,
        "month_page": _month_page,
        "markdown": lambda body: Markup(as_html(body)),  # noqa: S704 -- sanitised there
        "bar": bars.bar,
        "plain": plain,
        "six": _six,
        "is_over": standing.is_over,
        "is_called_off": standing.is_called_off,
    }
    made.filters |= filters
    return made


def _month_page(month: date) -> str:
    return names.month_page(month)
