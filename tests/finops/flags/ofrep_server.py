"""An OFREP server: flagd's own evaluator behind the paths and answers of the protocol's OpenAPI file, version 0.1."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import FlagNotFoundError
from openfeature.flag_evaluation import Reason

from tests.finops.flags.serving import Reply, Request

TOKEN = "bearer-token-of-tests"
_PATH = "/ofrep/v1/evaluate/flags/"


@dataclass
class OfrepServer:
    """Serves what stands in a flagd file, read for every question."""

    path: Path

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(401)
        if request.method != "POST" or not request.target.startswith(_PATH):
            return Reply(404)
        key = unquote(request.target.removeprefix(_PATH))
        context = json.loads(request.body).get("context", {})
        core = FlagdCore()
        core.set_flags(self.path.read_text())
        asked = EvaluationContext(context.get("targetingKey"), context)
        kind = next(iter(json.loads(self.path.read_text())["flags"].get(key, {}).get("variants", {"": ""}).values()))
        try:
            if isinstance(kind, bool):
                found: Any = core.resolve_boolean_value(key, False, asked)
            elif isinstance(kind, int):
                found = core.resolve_integer_value(key, 0, asked)
            else:
                found = core.resolve_string_value(key, "", asked)
        except FlagNotFoundError as error:
            return _json(404, {"key": key, "errorCode": "FLAG_NOT_FOUND", "errorDetails": str(error)})
        if found.reason == Reason.DISABLED:
            return _json(404, {"key": key, "errorCode": "FLAG_NOT_FOUND", "errorDetails": "it is disabled"})
        body = {"key": key, "reason": str(found.reason), "variant": found.variant or "", "metadata": {}}
        return _json(200, {**body, **({"value": found.value} if found.variant else {})})


def _json(status: int, body: Any) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
