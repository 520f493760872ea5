"""IntelGraph's pages, as people see them: sign in, ask the graph, write into it, walk it. They need no scripts."""

from collections.abc import Iterable, Sequence
from html import escape
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from flyball.demo.platform.app_graph import KINDS, Entity
from flyball.demo.platform.app_http import SESSION, AppRequest, AppResponse, see_other
from flyball.demo.platform.app_reduced import TEXTS, refused_page
from flyball.demo.platform.app_state import AppState, Neighbour

MAX_NAME: Final = 120
MAX_HOPS: Final = 3
STYLE: Final = b"""
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color: #1c2329; }
input, select, button { font: inherit; padding: .25rem .5rem; } label { display: block; margin: .5rem 0; }
nav a { margin-right: 1rem; } .error { color: #b3320f; }
.reduced { border-left: .25rem solid #1f6feb; background: #eef4ff; padding: .5rem 1rem; margin: 1rem 0; }
"""


class AppPages:
    """The pages below `/`. Whatever users wrote is escaped."""

    def __init__(self, state: AppState) -> None:
        self._state = state

    def answer(self, request: AppRequest) -> AppResponse:
        """The page for a request; most want a session and send people without one to sign in."""
        match request.method, request.path.strip("/").split("/"):
            case "GET", [""]:
                return see_other("/graph" if self._state.user_of(request.session) else "/sign-in")
            case "GET", ["sign-in"]:
                return _page("Sign in", _sign_in_form())
            case "POST", ["sign-in"]:
                return self._sign_in(request)
            case "GET", ["app.css"]:
                return AppResponse(HTTPStatus.OK, STYLE, "text/css; charset=utf-8")
            case "GET" | "POST", ["sign-up"]:
                return _sign_up(request)
        user = self._state.user_of(request.session)
        return see_other("/sign-in") if user is None else self._inside(request, user)

    def _inside(self, request: AppRequest, user: str) -> AppResponse:
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["graph"]:
                return self._graph(request, user)
            case "GET", ["entities", "new"]:
                return _page("New entity", _entity_form())
            case "POST", ["entities"] | ["entities", "new"]:
                return self._write(request)
            case "GET", ["entities", entity_id]:
                return self._entity(entity_id, request)
            case "GET", ["entities", entity_id, "neighbours"]:
                return self._neighbours(entity_id, request)
            case "POST", ["sign-out"]:
                self._state.sign_out(request.session)
                return see_other("/sign-in", ("Set-Cookie", f"{SESSION}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"))
            case _:
                return _page("Not found", "<p>There is nothing here.</p>", HTTPStatus.NOT_FOUND)

    def _sign_in(self, request: AppRequest) -> AppResponse:
        form = request.form
        token = self._state.sign_in(form.get("user", ""), form.get("password", ""))
        if token is None:
            said = '<p class="error" role="alert">This user and password do not go together.</p>'
            return _page("Sign in", said + _sign_in_form(), HTTPStatus.UNAUTHORIZED)
        return see_other("/graph", ("Set-Cookie", f"{SESSION}={token}; Path=/; HttpOnly; SameSite=Lax"))

    def _graph(self, request: AppRequest, user: str) -> AppResponse:
        query = request.query.get("query", "")
        found = self._state.search(query) if query else []
        body = (
            f"<p>Signed in as {escape(user)}.</p>"
            '<form method="get" action="/graph"><label>Query <input name="query" type="search" '
            f'value="{escape(query)}"></label> <button>Search</button></form>'
            f'<ul data-testid="results">{_items(found)}</ul>'
            + ("<p>Nothing was found.</p>" if query and not found else "")
            + '<form method="post" action="/sign-out"><button>Sign out</button></form>'
        )
        return _page("Graph", body)

    def _write(self, request: AppRequest) -> AppResponse:
        name, kind = request.form.get("name", "").strip(), request.form.get("kind", "")
        if wrong := entity_problem(name, kind):
            said = f'<p class="error" role="alert">{escape(wrong)}</p>'
            return _page("New entity", said + _entity_form(name), HTTPStatus.UNPROCESSABLE_ENTITY)
        return see_other(f"/entities/{self._state.add(name, kind).id}")

    def _entity(self, entity_id: str, request: AppRequest) -> AppResponse:
        entity = self._state.entity(entity_id)
        if entity is None:
            return _page("Not found", "<p>There is no such entity.</p>", HTTPStatus.NOT_FOUND)
        path = f"/entities/{quote(entity.id, safe='')}/neighbours"
        farthest = min(MAX_HOPS, request.reduced.graph_depth_limit)
        links = "".join(f'<li><a href="{path}?hops={hops}">{hops} hops</a></li>' for hops in range(1, farthest + 1))
        return _page(entity.name, f"<p>Kind: {escape(entity.kind)}</p><h2>Neighbours</h2><ul>{links}</ul>")

    def _neighbours(self, entity_id: str, request: AppRequest) -> AppResponse:
        entity = self._state.entity(entity_id)
        if entity is None:
            return _page("Not found", "<p>There is no such entity.</p>", HTTPStatus.NOT_FOUND)
        hops, limit = hops_of(request.query.get("hops", "1")), request.reduced.graph_depth_limit
        if hops > limit:
            return _too_far(entity, hops, limit)
        found = self._state.neighbours(entity_id, hops)
        return _page(f"Neighbours of {entity.name}", f'<ul data-testid="neighbours">{_hops(found)}</ul>')


def _too_far(entity: Entity, hops: int, limit: int) -> AppResponse:
    path = f"/entities/{quote(entity.id, safe='')}/neighbours?hops={limit}"
    limited = escape(TEXTS["graph-depth-limit"].format(limit=limit))
    said = (
        f'<p role="status">{limited} {hops} are switched off on purpose, and will be back. '
        f'<a href="{path}">Walk {limit} hops</a> instead; that works as always.</p>'
    )
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return refused_page(_page(f"Neighbours of {entity.name}", said, status), "graph_depth_limit")


def _sign_up(request: AppRequest) -> AppResponse:
    if request.reduced.new_tenants_blocked:
        said = (
            f'<p role="status">{escape(TEXTS["new-tenants-blocked"])} Workspaces that exist work. '
            "Please come again in a few minutes.</p>"
        )
        return refused_page(_page("Sign up", said, HTTPStatus.SERVICE_UNAVAILABLE), "new_tenants_blocked")
    name = request.form.get("name", "").strip()[:MAX_NAME]
    if request.method == "POST" and name:
        return _page("Sign up", f"<p>The workspace {escape(name)} is requested.</p>", HTTPStatus.ACCEPTED)
    form = (
        '<form method="post" action="/sign-up"><label>Workspace <input name="name" required></label>'
        "<button>Create</button></form>"
    )
    return _page("Sign up", form)


def entity_problem(name: str, kind: str) -> str:
    """Why an entity cannot be written; empty when it can."""
    if not 0 < len(name) <= MAX_NAME:
        return f"A name has 1 to {MAX_NAME} characters."
    return "" if kind in KINDS else f"A kind is one of {', '.join(KINDS)}."


def hops_of(text: str) -> int:
    """How far to walk, within bounds."""
    return min(max(int(text), 1), MAX_HOPS) if text.isascii() and text.isdecimal() and len(text) < MAX_HOPS else 1


def _items(found: Sequence[Entity]) -> str:
    return "".join(f"<li>{_link(it)} <small>{escape(it.kind)}</small></li>" for it in found)


def _hops(found: Iterable[Neighbour]) -> str:
    return "".join(f'<li data-hop="{it.hop}">{_link(it.entity)}</li>' for it in found)


def _link(entity: Entity) -> str:
    return f'<a href="/entities/{quote(entity.id, safe="")}">{escape(entity.name)}</a>'


def _sign_in_form() -> str:
    return (
        '<form method="post" action="/sign-in"><label>User <input name="user" autocomplete="username" required></label>'
        '<label>Password <input name="password" type="password" autocomplete="current-password" required></label>'
        "<button>Sign in</button></form>"
    )


def _entity_form(name: str = "") -> str:
    kinds = "".join(f"<option>{kind}</option>" for kind in KINDS)
    return (
        f'<form method="post" action="/entities/new"><label>Name <input name="name" value="{escape(name)}" required>'
        f'</label><label>Kind <select name="kind">{kinds}</select></label><button>Create</button></form>'
    )


def _page(title: str, body: str, status: HTTPStatus = HTTPStatus.OK) -> AppResponse:
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)} · IntelGraph</title><link rel="stylesheet" href="/app.css"></head>'
        '<body><nav aria-label="Main"><a href="/graph">Graph</a><a href="/entities/new">New entity</a></nav>'
        f"<main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    return AppResponse(status, text.encode())
