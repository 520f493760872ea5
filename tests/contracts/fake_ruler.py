"""A server that follows the documented ruler API of Mimir and Cortex: paths, status codes, YAML bodies, tenants."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import yaml

from flyball.demo.servers import LOOPBACK

Namespaces = dict[str, dict[str, dict[str, Any]]]


@dataclass
class FakeRuler:
    """Its rules by tenant, namespace and group; `failures` are answered first, one to each request for a change."""

    url: str = ""
    prefix: str = "/prometheus/config/v1/rules"
    token: str = ""
    tenants: dict[str, Namespaces] = field(default_factory=dict)
    failures: list[tuple[int, str]] = field(default_factory=list)
    refuse_containing: str = ""
    changes: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)

    def groups(self, namespace: str = "flyball", tenant: str = "anonymous") -> list[str]:
        return sorted(self.tenants.get(tenant, {}).get(namespace, {}))

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, str]:
        if self.token and headers.get("Authorization") != f"Bearer {self.token}":
            return 401, "no valid token"
        if not path.startswith(self.prefix):
            return 404, "404 page not found"
        parts = [unquote(part) for part in path.removeprefix(self.prefix).split("/") if part]
        namespaces = self.tenants.setdefault(headers.get("X-Scope-OrgID") or "anonymous", {})
        if method != "GET" and self.failures:
            return self.failures.pop(0)
        if method == "GET":
            return self._listed(namespaces, parts)
        if method == "POST":
            return self._stored(namespaces, parts, body)
        self.changes.append(f"DELETE {parts[-1]}")
        return self._deleted(namespaces, parts)

    def _listed(self, namespaces: Namespaces, parts: list[str]) -> tuple[int, str]:
        found = {name: list(groups.values()) for name, groups in namespaces.items() if not parts or name == parts[0]}
        if not any(found.values()):
            return 404, "no rule groups found"
        return 200, yaml.safe_dump(found)

    def _stored(self, namespaces: Namespaces, parts: list[str], body: bytes) -> tuple[int, str]:
        if len(parts) != 1:
            return 404, "404 page not found"
        try:
            group = yaml.safe_load(body)
            name, rules = group["name"], group["rules"]
        except (yaml.YAMLError, TypeError, KeyError):
            return 400, "unable to decode rule group"
        if not rules or any("expr" not in rule for rule in rules):
            return 400, "invalid rules config: rule group has no rules"
        if self.refuse_containing and self.refuse_containing in body.decode():
            return 400, "group invalid: could not parse expression"
        self.changes.append(f"POST {name}")
        group["interval"] = {"1m": "1m0s", "5m": "5m0s"}.get(group["interval"], group["interval"])  # as Go prints it
        namespaces.setdefault(parts[0], {})[name] = group
        return 202, json.dumps({"status": "success", "data": None})

    def _deleted(self, namespaces: Namespaces, parts: list[str]) -> tuple[int, str]:
        groups = namespaces.get(parts[0], {})
        if len(parts) != 2 or parts[1] not in groups:
            return 404, "group does not exist"
        del groups[parts[1]]
        return 202, json.dumps({"status": "success", "data": None})


@contextmanager
def fake_ruler(**given: Any) -> Iterator[FakeRuler]:
    """It runs, on a free loopback port, until the end of the block."""
    ruler = FakeRuler(**given)

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, text = ruler.answer(self.command, self.path, self.headers, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815 -- the names that http.server calls

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    ruler.url = f"http://{LOOPBACK}:{server.server_port}{ruler.prefix.removesuffix('/config/v1/rules').removesuffix('/api/v1/rules')}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield ruler
    finally:
        server.shutdown()
        server.server_close()
