"""Postmortems in the console: the same file as `flyball incidents postmortem` writes, made when somebody asks."""

from datetime import timedelta
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from alerts.postmortems.gathering import gathered
from alerts.postmortems.markdown import as_markdown
from alerts.postmortems.model import Postmortem
from flyball import postmortem_page
from flyball.postmortem_charts import Drawn, drawn
from flyball.web.pages import HEADERS
from flyball.web.remembered import Remembered
from flyball.web.state import ConsoleState

_FRESH: Final = timedelta(seconds=10)
_MARKDOWN: Final = "text/markdown; charset=utf-8"


def postmortem_routes(state: ConsoleState, console_url: str = "") -> list[BaseRoute]:
    """`/incidents/{incident}/postmortem` and `/incidents/{incident}/postmortem.md`.

    `console_url` is where people reach the console, for links in files that they take away; empty: there are none.
    """
    own = _PostmortemPages(state, console_url)
    return [
        Route("/incidents/{incident}/postmortem", own.page),
        Route("/incidents/{incident}/postmortem.md", own.markdown),
    ]


class _PostmortemPages:
    """Plain functions, so Starlette runs them in threads and a slow Prometheus blocks nobody."""

    def __init__(self, state: ConsoleState, console_url: str) -> None:
        self._state = state
        self._console_url = console_url
        self._known: Remembered[Postmortem | None] = Remembered(state.clock, fresh_for=_FRESH)
        self._drawn: Remembered[Drawn] = Remembered(state.clock, fresh_for=_FRESH)

    def page(self, request: Request) -> Response:
        """With charts, as far as Prometheus answers."""
        it = self._of(request)
        charts = self._drawn.get(it.incident.id, lambda at: drawn(it, self._state.metrics))
        shown = charts.value or Drawn(note=f"There are no charts: {charts.failure}")
        headers = {**HEADERS, "Content-Security-Policy": postmortem_page.policy()}
        return HTMLResponse(postmortem_page.as_html(it, shown), headers=headers)

    def markdown(self, request: Request) -> Response:
        """To be copied to where postmortems are written."""
        it = self._of(request)
        name = f"{it.incident.name.lower()}.md"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
        return PlainTextResponse(as_markdown(it), media_type=_MARKDOWN, headers=headers)

    def _of(self, request: Request) -> Postmortem:
        asked = request.path_params["incident"]

        def read(at: object) -> Postmortem | None:
            with self._state.store.transaction(read_only=True) as transaction:
                return gathered(transaction, asked, self._state.clock.now(), console_url=self._console_url)

        seen = self._known.get(asked, read)
        if seen.value is None and seen.failure:
            raise HTTPException(503, f"The database does not answer: {seen.failure}")
        if seen.value is None:
            raise HTTPException(404, f"There is no incident “{asked}”.")
        return seen.value
