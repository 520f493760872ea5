"""What people send to change something: who they are, that they mean it, and within bounds.

A form must bring the token of its page (against forgery by other sites) and come from our own pages; programs with a
bearer token send JSON instead, which no foreign form can.
"""

import hmac
import json
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request

from controlplane.model.follow_up import Role
from flyball.web.access import Principal
from flyball.web.bodies import BodyRefused, read_body
from flyball.web.guards import principal_of

CSRF_FIELD: Final = "csrf"
MAX_FORM_BYTES: Final = 64 * 1024
_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
_OWN_SITES: Final = ("same-origin", "none")


async def sent_by(request: Request, role: Role) -> tuple[Principal, dict[str, str]]:
    """Who sent it and its fields. Raises HTTPException: 403 when they may not, 4xx for what cannot be read."""
    principal = principal_of(request)
    if not principal.may(role):
        raise HTTPException(403, f"{principal.name} is a {principal.role.value}; this needs a {role.value}")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in (_FORM, _JSON):
        raise HTTPException(415, f"send {_JSON} or {_FORM}")
    try:
        body = await read_body(request, MAX_FORM_BYTES)
    except BodyRefused as refused:
        raise HTTPException(refused.code, refused.message) from None
    fields = _from_json(body) if media_type == _JSON else _from_form(body)
    if principal.csrf and not _is_meant(request, principal, fields, is_form=media_type == _FORM):
        raise HTTPException(403, "this form is not from a page of ours, or from before a restart: load the page again")
    fields.pop(CSRF_FIELD, None)
    return principal, fields


def _is_meant(request: Request, principal: Principal, fields: dict[str, str], *, is_form: bool) -> bool:
    """Whether the person at the browser sent it: a page of ours had the token, and the browser says it was ours."""
    if request.headers.get("sec-fetch-site", "same-origin") not in _OWN_SITES:
        return False
    origin = request.headers.get("origin", "")
    if origin and urlsplit(origin).netloc != request.headers.get("host", ""):
        return False
    given = fields.get(CSRF_FIELD, "") if is_form else request.headers.get("x-csrf-token", "")
    return hmac.compare_digest(given.encode(), principal.csrf.encode())


def _from_form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50))
    except ValueError:
        raise HTTPException(400, "this form cannot be read") from None


def _from_json(body: bytes) -> dict[str, str]:
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise HTTPException(400, "this is no JSON") from None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise HTTPException(400, "send an object whose values are texts")
    return found
