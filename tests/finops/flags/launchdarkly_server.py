"""A server that follows LaunchDarkly's documentation as far as flags go; the real one cannot be run here.

https://launchdarkly.com/docs/api/feature-flags, …/audit-log, and /sdk/latest-all, which server-side SDKs poll.
"""

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.finops.flags.serving import Reply, Request

TOKEN, SDK_KEY = "api-token-of-flyball", "sdk-key-of-tests"
PROJECT, ENVIRONMENT = "shop", "production"
SEMANTIC = "application/json; domain-model=launchdarkly.semanticpatch"
START = 1_780_000_000_000


@dataclass
class LaunchDarklyServer:
    """Flags by key, as `GET /api/v2/flags` gives them; the audit log, newest first."""

    flags: dict[str, dict[str, Any]] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    clock: int = START

    def create(self, key: str, values: list[Any], default: Any, off: Any = None) -> None:
        """On, and serving the default to everybody."""
        variations = [{"_id": f"{key}-{n}", "value": value} for n, value in enumerate(values)]
        config = {
            "on": True, "version": 1, "lastModified": self._now(), "archived": False, "rules": [], "targets": [],
            "contextTargets": [], "prerequisites": [], "fallthrough": {"variation": values.index(default)},
            "offVariation": None if off is None else values.index(off),
        }  # fmt: skip
        self.flags[key] = {
            "key": key, "kind": "multivariate", "creationDate": START, "archived": False, "variations": variations,
            "environments": {ENVIRONMENT: config},
        }  # fmt: skip

    def change(self, key: str, instructions: list[dict[str, Any]], by: str, comment: str = "") -> None:
        """What a semantic patch does; a person's in the browser too."""
        with self.lock:
            config = self.flags[key]["environments"][ENVIRONMENT]
            for instruction in instructions:
                self._apply(self.flags[key], config, instruction)
            config["version"] += 1
            config["lastModified"] = self._now()
            entry = {"_id": f"entry-{len(self.log)}", "date": config["lastModified"], "comment": comment, "flag": key}
            who = {"token": {"name": by}} if by == "flyball" else {"member": {"email": by}}
            self.log.insert(0, {**entry, **who})

    def __call__(self, request: Request) -> Reply:
        parts = urlsplit(request.target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/sdk/latest-all":
            return self._sdk(request)
        if request.headers.get("authorization") != TOKEN:
            return _json(401, {"code": "unauthorized", "message": "invalid access token"})
        with self.lock:
            return self._api(request, parts.path, query)

    def _api(self, request: Request, path: str, query: dict[str, str]) -> Reply:
        if path == "/api/v2/auditlog":
            return self._audit_log(query)
        if path.startswith(f"/api/v2/flag-statuses/{PROJECT}/{ENVIRONMENT}/"):
            return _json(200, {"name": "active", "lastRequested": "2026-05-01T12:00:00Z", "default": False})
        key = path.removeprefix(f"/api/v2/flags/{PROJECT}/")
        if key not in self.flags:
            return _json(404, {"code": "not_found", "message": "Unknown flag key"})
        if request.method == "GET":
            return _json(200, self.flags[key])
        if request.headers.get("content-type") != SEMANTIC:
            return _json(400, {"code": "invalid_request", "message": "patch is no JSON patch"})
        body = json.loads(request.body)
        assert body["environmentKey"] == ENVIRONMENT
        try:
            self.change(key, body["instructions"], "flyball", body.get("comment", ""))
        except StopIteration:
            return _json(400, {"code": "invalid_request", "message": "unknown variation"})
        return _json(200, self.flags[key])

    def _audit_log(self, query: dict[str, str]) -> Reply:
        assert query["spec"].startswith(f"proj/{PROJECT}:env/{ENVIRONMENT}:flag/")
        key = query["spec"].rpartition("/")[2]
        found = [entry for entry in self.log if entry["flag"] == key and entry["date"] > int(query.get("after", 0))]
        return _json(200, {"items": found[: int(query.get("limit", 10))]})

    def _sdk(self, request: Request) -> Reply:
        if request.headers.get("authorization") != SDK_KEY:
            return Reply(401)
        with self.lock:
            flags = {
                key: {
                    **flag["environments"][ENVIRONMENT],
                    "key": key,
                    "variations": [v["value"] for v in flag["variations"]],
                }
                for key, flag in self.flags.items()
                if not flag["archived"]
            }
        return _json(200, {"flags": flags, "segments": {}})

    def _apply(self, flag: dict[str, Any], config: dict[str, Any], instruction: dict[str, Any]) -> None:
        kind = instruction["kind"]
        if kind in ("turnFlagOn", "turnFlagOff"):
            config["on"] = kind == "turnFlagOn"
            return
        index = next(n for n, each in enumerate(flag["variations"]) if each["_id"] == instruction["variationId"])
        if kind == "updateOffVariation":
            config["offVariation"] = index
        elif kind == "updateFallthroughVariationOrRollout":
            config["fallthrough"] = {"variation": index}
        else:
            raise AssertionError(kind)

    def _now(self) -> int:
        self.clock += 1
        return self.clock


def _json(status: int, body: Any) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
