"""The pages about anomalies and their JSON twins, as routes for a Starlette application."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from controlplane.model.anomaly import Episode, Feedback, Verdict
from controlplane.model.follow_up import Role
from controlplane.ports import Permanent, Transient
from flyball.web import anomaly_api, api, pages
from flyball.web import anomaly_words as words
from flyball.web.anomaly_charts import band_chart
from flyball.web.anomaly_gathering import AnomalyGathering, Kept, KeptOfSeries, Seen
from flyball.web.anomaly_marks import happenings
from flyball.web.anomaly_rows import (
    LONGEST_SEARCH,
    DetectorRow,
    Paged,
    SeriesRow,
    detector_rows,
    found_series,
    paged,
    series_query,
    series_rows,
)
from flyball.web.anomaly_series import Labels, labels_in, series_name, series_text, title_of
from flyball.web.forms import sent_by
from flyball.web.guards import principal_of
from flyball.web.remembered import Reading

if TYPE_CHECKING:
    from alerts.anomaly.explaining.model import Explained
    from alerts.anomaly.model import AnomalyDetector
    from flyball.web.anomaly_state import AnomaliesState
    from flyball.web.gathering import Gathering
    from flyball.web.state import ConsoleState

OPEN_SHOWN: Final = 50
RECENT_SHOWN: Final = 30
_API: Final = "/api/v1/anomalies"
_DAY: Final = timedelta(days=1)
RANGES: Final = {"1h": _DAY / 24, "6h": _DAY / 4, "24h": _DAY, "7d": 7 * _DAY, "30d": 30 * _DAY, "90d": 90 * _DAY}
_LONGEST_QUICK: Final = timedelta(hours=1)  # steps of at most that are looked at by the day


def anomaly_routes(state: ConsoleState, anomalies: AnomaliesState, gathering: Gathering) -> list[BaseRoute]:
    """`/anomalies`, `/anomalies/{detector}`, `/anomalies/{detector}/series?series=…`, feedback, and JSON twins."""
    own = _AnomalyPages(AnomalyGathering(state, anomalies, gathering))
    return [
        Route("/anomalies", own.index),
        Route("/anomalies/", own.to_index),
        Route("/anomalies/{detector}", own.detector),
        Route("/anomalies/{detector}/series", own.series),
        Route("/anomalies/{detector}/episodes/{episode}", own.say, methods=["POST"]),
        Route("/anomalies/{detector}/feedback/{feedback}", own.take_back, methods=["POST"]),
        Route(_API, own.api_index),
        Route(f"{_API}/{{detector}}", own.api_detector),
        Route(f"{_API}/{{detector}}/series", own.api_series),
        Route(f"{_API}/{{detector}}/episodes/{{episode}}", own.api_say, methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class _Listing:
    """A detector with one page of its series."""

    row: DetectorRow
    series: Paged[SeriesRow]
    kept: Reading[Kept]
    failure: str


@dataclass(frozen=True, slots=True)
class _Subject:
    """One series, and what is known of it."""

    detector: AnomalyDetector
    labels: Labels
    length: timedelta
    chosen: str
    seen: Reading[Seen]
    kept: Reading[KeptOfSeries]
    explained: Reading[Explained | None]


class _AnomalyPages:
    """The endpoints. Those that only read are plain functions, so that Starlette runs them in threads."""

    def __init__(self, gathering: AnomalyGathering) -> None:
        self._gathering = gathering

    def index(self, request: Request) -> Response:
        kept, rows, listing, failure = self._index(request)
        opened = kept.value.open if kept.value else ()
        detectors = {each.name: each for each in self._gathering.detectors()}
        return pages.render(
            request,
            "anomalies.html",
            {
                "scene": self._gathering.scene(),
                "kept": kept,
                "failure": failure,
                "listing": listing,
                "summary": words.summary(len(rows), len(opened), sum(row.is_unreliable for row in rows)),
                "opened": _worst_first(opened)[:OPEN_SHOWN],
                "open_count": len(opened),
                "ended": [each for each in (kept.value.recent if kept.value else ()) if each.ended_at][:RECENT_SHOWN],
                "detectors": detectors,
                **_WORDS,
            },
        )

    def to_index(self, request: Request) -> Response:
        return RedirectResponse(request.scope.get("root_path", "") + "/anomalies", status_code=308)

    def detector(self, request: Request) -> Response:
        listing = self._listing(request)
        kept = listing.kept.value or Kept()
        return pages.render(
            request,
            "anomaly_detector.html",
            {
                "scene": self._gathering.scene(),
                "row": listing.row,
                "it": listing.row.detector,
                "listing": listing.series,
                "kept": listing.kept,
                "failure": listing.failure,
                "opened": _worst_first(kept.open)[:OPEN_SHOWN],
                "open_count": len(kept.open),
                "ended": [each for each in kept.recent if each.ended_at][:RECENT_SHOWN],
                "detectors": {listing.row.detector.name: listing.row.detector},
                "unit": words.unit_of(listing.row.detector),
                **_WORDS,
            },
        )

    def series(self, request: Request) -> Response:
        scene, subject = self._gathering.scene(), self._subject(request)
        seen, kept = subject.seen.value, subject.kept.value or KeptOfSeries()
        unit, principal = words.unit_of(subject.detector), principal_of(request)
        start, end = scene.now - subject.length, scene.now
        chart = band_chart(seen.course, happenings(kept, scene.now), start=start, end=end, unit=unit) if seen else None
        return pages.render(
            request,
            "anomaly_series.html",
            {
                "scene": scene,
                "it": subject.detector,
                "name": series_name(subject.labels),
                "text": series_text(subject.labels),
                "labels": subject.labels,
                "subject": subject,
                "seen": seen,
                "kept": kept,
                "chart": chart,
                "facts": subject.explained.value.facts if subject.explained.value else None,
                "earlier": _earlier(subject),
                "ranges": _ranges(subject.detector),
                "unit": unit,
                "principal": principal,
                "may_act": principal.may(Role.RESPONDER),
                **_WORDS,
            },
        )

    def api_index(self, request: Request) -> Response:
        kept, _, listing, failure = self._index(request)
        told = {
            "detectors": [anomaly_api.detector(row) for row in listing.rows],
            "open": None if kept.value is None else [anomaly_api.episode(each) for each in kept.value.open],
        }
        return api.answer({**told, **_paging(listing), "failure": failure or kept.failure or None})

    def api_detector(self, request: Request) -> Response:
        found = self._listing(request)
        kept = found.kept.value
        told = {
            **anomaly_api.detector(found.row),
            "listed": [anomaly_api.series(row) for row in found.series.rows],
            "anomalies": None if kept is None else [anomaly_api.episode(each) for each in kept.recent],
        }
        return api.answer({**told, **_paging(found.series), "failure": found.failure or found.kept.failure or None})

    def api_series(self, request: Request) -> Response:
        it = self._subject(request)
        seen, kept = it.seen.value, it.kept.value
        told = {
            "detector": it.detector.name,
            "series": series_text(it.labels),
            "labels": dict(it.labels),
            "figures": anomaly_api.figures(seen.figures) if seen else None,
            "baseline": (seen.baseline or None) if seen else None,
            "course": anomaly_api.course(seen.course) if seen else None,
            "explanation": anomaly_api.explained(it.explained.value),
            "anomalies": None if kept is None else [anomaly_api.episode(each) for each in kept.episodes],
            "feedback": None if kept is None else [anomaly_api.feedback(each) for each in kept.said],
        }
        return api.answer({**told, "failure": it.seen.failure or it.kept.failure or None})

    async def say(self, request: Request) -> Response:
        """The form of a page: done, then back to its series."""
        episode, _ = await self._said(request)
        root = request.scope.get("root_path", "")
        where = f"{root}/anomalies/{pages.path_part(episode.detector)}/series?{series_query(episode.series)}"
        return RedirectResponse(f"{where}#anomalies-title", status_code=303)

    async def api_say(self, request: Request) -> Response:
        """The same for programs."""
        _, said = await self._said(request)
        return api.answer(anomaly_api.feedback(said))

    async def take_back(self, request: Request) -> Response:
        """What was said is taken back; then back to the series."""
        principal, fields = await sent_by(request, Role.RESPONDER)
        detector, identity = request.path_params["detector"], request.path_params["feedback"]
        try:
            done = await asyncio.to_thread(
                self._gathering.withdraw, identity, detector=detector, actor=principal.name
            )  # fmt: skip
        except (Transient, Permanent) as error:
            raise HTTPException(503, f"The database does not answer: {error}") from error
        if not done:
            raise HTTPException(404, "Nothing of that name was said, or it was taken back already.")
        root, text = request.scope.get("root_path", ""), fields.get("series", "")
        where = f"/series?{series_query(text)}#anomalies-title" if labels_in(text) is not None else ""
        return RedirectResponse(f"{root}/anomalies/{pages.path_part(detector)}{where}", status_code=303)

    async def _said(self, request: Request) -> tuple[Episode, Feedback]:
        principal, fields = await sent_by(request, Role.RESPONDER)
        verdict, is_learnt = _verdict(fields)
        try:
            done = await asyncio.to_thread(
                self._gathering.say,
                request.path_params["detector"],
                request.path_params["episode"],
                verdict,
                actor=principal.name,
                note=fields.get("note", "").strip(),
                is_learnt=is_learnt,
            )
        except (Transient, Permanent) as error:
            raise HTTPException(503, f"The database does not answer: {error}") from error
        if done is None:
            raise HTTPException(404, "There is no such anomaly; it may have been forgotten.")
        return done

    def _index(self, request: Request) -> tuple[Reading[Kept], list[DetectorRow], Paged[DetectorRow], str]:
        health, kept = self._gathering.health(), self._gathering.kept()
        opened = kept.value.open if kept.value else ()
        rows = detector_rows(self._gathering.detectors(), health.value or {}, opened, self._gathering.now())
        text = _search(request)
        found = [row for row in rows if text.lower() in f"{row.detector.name} {row.detector.display_name}".lower()]
        return kept, rows, paged(found, request.query_params.get("page", "1"), text, len(rows)), health.failure

    def _listing(self, request: Request) -> _Listing:
        detector = self._named(request)
        health, kept = self._gathering.health(), self._gathering.kept(detector.name)
        listed = self._gathering.listed(detector.name)
        opened = kept.value.open if kept.value else ()
        text = _search(request)
        found = paged(
            found_series(listed.value or (), text, opened),
            request.query_params.get("page", "1"),
            text,
            len(listed.value or ()),
        )
        figures = self._gathering.figures(detector.name, list(found.rows))
        rows = series_rows(found.rows, figures.value or {}, opened, detector.severity)
        (row,) = detector_rows([detector], health.value or {}, opened, self._gathering.now())
        shown = Paged(tuple(rows), found.total, found.known, found.page, found.pages, found.text)
        return _Listing(row, shown, kept, listed.failure or health.failure or figures.failure)

    def _subject(self, request: Request) -> _Subject:
        detector = self._named(request)
        labels = labels_in(request.query_params.get("series", ""))
        if labels is None:
            raise HTTPException(404, 'Say which series: ?series={service="checkout"}')
        ranges = _ranges(detector)
        chosen = request.query_params.get("range", "")
        if chosen not in ranges:
            chosen = self._usual_range(detector, labels, ranges)
        seen = self._gathering.seen(detector, labels, ranges[chosen])
        kept = self._gathering.kept_of(detector.name, labels, max(ranges.values()))
        at = _moment(seen, kept)
        explained = self._gathering.explained(detector, labels, at) if at else Reading(None, None)
        return _Subject(detector, labels, ranges[chosen], chosen, seen, kept, explained)

    def _usual_range(self, detector: AnomalyDetector, labels: Labels, ranges: Mapping[str, timedelta]) -> str:
        """A day (of daily ones a quarter); the shortest one that holds all of it while less than that is known."""
        usual = "24h" if "24h" in ranges else "90d"
        seen = self._gathering.seen(detector, labels, ranges[usual]).value
        if seen is None or not seen.course.at:
            return usual
        known = self._gathering.now() - seen.course.at[0]
        return next(name for name, length in ranges.items() if known <= length or name == usual)

    def _named(self, request: Request) -> AnomalyDetector:
        name = request.path_params["detector"]
        for each in self._gathering.detectors():
            if each.name == name:
                return each
        raise HTTPException(404, f"There is no detector named “{name}” in the files that are applied.")


_WORDS: Final = {"words": words, "series_name": series_name, "series_query": series_query, "title_of": title_of}


def _search(request: Request) -> str:
    return request.query_params.get("q", "").strip()[:LONGEST_SEARCH]


def _worst_first(episodes: tuple[Episode, ...]) -> list[Episode]:
    return sorted(episodes, key=lambda each: (-(each.score or 0), each.started_at))


def _paging(listing: Paged[DetectorRow] | Paged[SeriesRow]) -> dict[str, api.JSON]:
    return {"total": listing.total, "page": listing.page, "pages": listing.pages}


def _ranges(detector: AnomalyDetector) -> dict[str, timedelta]:
    """What a reader may choose."""
    names = ("1h", "6h", "24h", "7d", "30d") if detector.step <= _LONGEST_QUICK else ("7d", "30d", "90d")
    return {name: RANGES[name] for name in names}


def _moment(seen: Reading[Seen], kept: Reading[KeptOfSeries]) -> datetime | None:
    """What is explained: the worst step of what is open, else the newest one."""
    for each in kept.value.episodes if kept.value else ():
        if each.ended_at is None and each.kind != "gap":
            return each.worst_at
    at = seen.value.course.at if seen.value else ()
    return at[-1] if at else None


def _earlier(subject: _Subject) -> list[tuple[datetime, float | None, bool]]:
    """The same time of earlier days: of the step that is explained, else of now."""
    if subject.explained.value is not None:
        return [(each.at, each.value, each.is_weekly) for each in subject.explained.value.earlier]
    found = subject.seen.value.earlier if subject.seen.value else ()
    return [(each.at, each.value, each.is_weekly) for each in found if each.value is not None]


def _verdict(fields: dict[str, str]) -> tuple[Verdict, bool | None]:
    given, fit = fields.get("verdict", ""), fields.get("fit", "")
    if given not in {each.value for each in Verdict} or fit not in ("", "keep", "mask"):
        raise HTTPException(422, "Say `verdict`: expected or real; and `fit`, if at all: keep or mask.")
    return Verdict(given), {"": None, "keep": True, "mask": False}[fit]
