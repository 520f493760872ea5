"""A small platform with the pages and answers that journeys walk, and pages that misbehave."""

import html
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

USER, PASSWORD = "ada", "correct horse/battery"
SESSION = "session-9f8e7d6c5b4a"


@dataclass
class Platform:
    """What it was asked, and how many looks at a workflow it takes until that is done."""

    url: str
    port: int
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    looks: int = 2
    state: str = "done"
    is_broken: bool = False
    entities: dict[str, str] = field(default_factory=dict)


class _Handler(BaseHTTPRequestHandler):
    platform: Platform
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.handle_any("GET")

    def do_POST(self) -> None:
        self.handle_any("POST")

    def do_DELETE(self) -> None:
        self.handle_any("DELETE")

    def handle_any(self, method: str) -> None:
        path = urlsplit(self.path).path
        self.platform.requests.append((f"{method} {path}", {name.lower(): v for name, v in self.headers.items()}))
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if path.startswith("/api/"):
            return self.api(method, path, body)
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        name = "page_" + (path.strip("/").replace("/", "_").replace("-", "_") or "root")
        if path.startswith("/entities/") and path != "/entities/new":
            return self.entity(path)
        return getattr(self, name, self.missing)(method, form)

    # --- pages

    def page_sign_in(self, method: str, form: dict[str, str]) -> None:
        if method == "GET":
            return self.page(
                "<form method=post><input name=user aria-label=User>"
                "<input name=password type=password aria-label=Password><button>Sign in</button></form>"
            )
        if (form.get("user"), form.get("password")) != (USER, PASSWORD):
            return self.page("<p role=alert>Wrong password</p>", 403)
        return self.to("/graph", ("set-cookie", f"session={SESSION}; Path=/; HttpOnly"))

    def page_graph(self, method: str, form: dict[str, str]) -> None:
        if f"session={SESSION}" not in self.headers.get("cookie", ""):
            return self.to("/sign-in")
        query = parse_qs(urlsplit(self.path).query).get("query", [""])[0]
        items = "" if self.platform.is_broken else f"<li>{html.escape(query)} one</li>" if query else ""
        return self.page(
            "<form><input name=query aria-label=Query><button>Search</button></form>"
            f'<ul data-testid="results">{items}</ul>'
        )

    def page_entities_new(self, method: str, form: dict[str, str]) -> None:
        if method == "GET":
            return self.page(
                "<form method=post><input name=name aria-label=Name><select name=kind aria-label=Kind>"
                "<option>person<option>company</select>"
                "<button>Create</button></form>"
            )
        identity = str(len(self.platform.entities) + 1)
        self.platform.entities[identity] = form["name"]
        return self.to(f"/entities/{identity}")

    def entity(self, path: str) -> None:
        if path.endswith("/neighbours"):
            return self.page('<ul><li data-hop="1">near</li><li data-hop="2">far</li></ul>')
        name = self.platform.entities.get(path.rpartition("/")[2], "?")
        return self.page(f"<h1>{html.escape(name)}</h1>")

    def page_hang(self, method: str, form: dict[str, str]) -> None:
        threading.Event().wait(30)

    def page_loop(self, method: str, form: dict[str, str]) -> None:
        self.page("<h1>loop</h1><button onclick='for (;;) {}'>Go</button>")

    def page_odd(self, method: str, form: dict[str, str]) -> None:
        self.page(
            "<a href=/file download>file</a><script>alert('hello'); window.open('/sign-in'); "
            "console.log('x'.repeat(1000))</script><h1>odd</h1>"
        )

    def page_file(self, method: str, form: dict[str, str]) -> None:
        self.answer(200, b"0" * 1_000_000, ("content-disposition", "attachment"))

    def page_endless(self, method: str, form: dict[str, str]) -> None:
        self.send_response(200)
        self.send_header("connection", "close")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"0" * 65536)
        except OSError:
            self.close_connection = True

    def page_redirects(self, method: str, form: dict[str, str]) -> None:
        self.to("/redirects")

    def missing(self, method: str, form: dict[str, str]) -> None:
        self.page("nothing here", 404)

    # --- JSON

    def api(self, method: str, path: str, body: bytes) -> None:
        asked = json.loads(body) if body else {}
        if path == "/api/sign-in":
            is_right = (asked.get("user"), asked.get("password")) == (USER, PASSWORD)
            return self.json(200, {"token": SESSION}) if is_right else self.json(401, {"error": "no"})
        if path == "/api/graphql":
            if self.headers.get("authorization") != f"Bearer {SESSION}":
                return self.json(401, {"error": "no"})
            return self.json(200, {"data": {"asked": asked, "entities": [{"id": 7, "name": "one"}]}})
        if path == "/api/workflows/hello-world":
            return self.json(202, {"id": "run-1"})
        if path == "/api/workflows/runs/run-1":
            self.platform.looks -= 1
            return self.json(200, {"state": self.platform.state if self.platform.looks < 0 else "running"})
        return self.json(404, {"error": "no such thing"})

    # --- answers

    def page(self, content: str, status: int = 200) -> None:
        text = f"<!doctype html><title>t</title><link rel=icon href='data:,'>{content}"
        self.answer(status, text.encode(), ("content-type", "text/html; charset=utf-8"))

    def to(self, where: str, *headers: tuple[str, str]) -> None:
        self.answer(303, b"", ("location", where), *headers)

    def json(self, status: int, value: object) -> None:
        self.answer(status, json.dumps(value).encode(), ("content-type", "application/json"))

    def answer(self, status: int, content: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (*headers, ("content-length", str(len(content)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients of these tests go away in the middle."""


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Platform]:
    """The platform on a free port, with a state of its own; with TLS when it has a context."""
    handler = type("Handler", (_Handler,), {})
    server = _Server(("127.0.0.1", 0), handler)
    port = server.server_address[1]
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    handler.platform = Platform(f"http://127.0.0.1:{port}", port)  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield handler.platform  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
