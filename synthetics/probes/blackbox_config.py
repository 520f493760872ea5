"""blackbox_exporter's configuration as ProbeModule documents, and what of it is not carried over."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import yaml

from controlplane.conventions import API_VERSION
from synthetics.probes.lengths import parse_length, shown_length
from synthetics.probes.secrets import holds_secret

_MOST_BYTES: Final = 1024 * 1024
Tree = dict[str, object]
_PART: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,3})?(?:ms|s|m|h)")
_DURATION: Final = re.compile(rf"(?:{_PART.pattern}){{2,4}}")
_FAMILIES: Final = {"ip4": "ip4", "ip6": "ip6"}


class NotAConfiguration(ValueError):
    """The text is no configuration of blackbox_exporter; the message says why."""


@dataclass(slots=True)
class _Module:
    """One module on its way: what is left of the old, what there is of the new, and what was lost."""

    name: str
    lost: list[str] = field(default_factory=list)
    assertions: list[Tree] = field(default_factory=list)
    is_unusable: bool = False

    def lose(self, what: str, why: str = "there is nothing like it") -> None:
        """Tell of something that is not carried over."""
        self.lost.append(f"{self.name}: {what} is not carried over: {why}")


def converted(content: bytes) -> tuple[str, list[str]]:
    """ProbeModule documents as YAML, in the order of the file, and a line for each thing that was lost.

    Raises NotAConfiguration.
    """
    if len(content) > _MOST_BYTES:
        raise NotAConfiguration(f"larger than {_MOST_BYTES:,} bytes")
    try:
        read = yaml.safe_load(content)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise NotAConfiguration(f"not YAML: {' '.join(str(error).split())[:300]}") from None
    modules = read.get("modules") if isinstance(read, dict) else None
    if not isinstance(modules, dict):
        raise NotAConfiguration("there is no `modules:` in it")
    documents, lost = [], []
    for name, written in modules.items():
        module = _Module(str(name))
        document = _document(module, dict(written) if isinstance(written, dict) else {})
        lost += module.lost
        if document is not None:
            documents.append(document)
    if not documents:
        return "", lost
    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, explicit_start=True, width=110), lost


def _document(module: _Module, written: Tree) -> Tree | None:
    prober = str(written.pop("prober", ""))
    reader = _PROBERS.get(prober)
    if reader is None:
        module.lose(f"prober `{prober}`")
        return None
    key, read = reader
    part = read(module, _taken(written, prober))
    spec: Tree = {}
    timeout = written.pop("timeout", None)
    if timeout:
        spec["timeout"] = _length(str(timeout))
    if key == "tcp" and part.pop("_is_handshake", False):
        key, part = "tls", {**_tree(part.get("tls")), **({"ipFamily": part["ipFamily"]} if "ipFamily" in part else {})}
    spec[key] = part
    if module.assertions:
        spec["assertions"] = module.assertions
    for other in written:
        if other not in _PROBERS:
            module.lose(other)
    if module.is_unusable:
        return None
    return {"apiVersion": API_VERSION, "kind": "ProbeModule", "metadata": {"name": module.name}, "spec": spec}


def _http(module: _Module, written: Tree) -> Tree:
    part = _common(module, written)
    _copy(written, part, {"method": "method", "body": "body", "follow_redirects": "followRedirects"})
    _copy(written, part, {"fail_if_ssl": "failIfTls", "fail_if_not_ssl": "failIfNotTls", "enable_http2": "http2"})
    if written.pop("no_follow_redirects", False):
        part["followRedirects"] = False
    headers = _headers(module, written)
    headers.update(_authorization(module, written))
    if headers:
        part["headers"] = headers
    limit = written.pop("body_size_limit", None)
    if limit is not None:
        _size(module, part, limit)
    tls = _tls(module, written.pop("tls_config", None))
    if tls:
        part["tls"] = tls
    _http_assertions(module, written)
    _lose_rest(module, written)
    return part


def _http_assertions(module: _Module, written: Tree) -> None:
    statuses = _list(written.pop("valid_status_codes", None))
    if statuses:
        module.assertions.append({"status": [str(code) for code in statuses]})
    for pattern in _list(written.pop("fail_if_body_matches_regexp", None)):
        module.assertions.append({"body": {"notMatches": str(pattern)}})
    for pattern in _list(written.pop("fail_if_body_not_matches_regexp", None)):
        module.assertions.append({"body": {"matches": str(pattern)}})
    for key, form in (("fail_if_header_matches", "notMatches"), ("fail_if_header_not_matches", "matches")):
        for one in map(_tree, _list(written.pop(key, None))):
            said: Tree = {"name": str(one.get("header", "")), form: str(one.get("regexp", ""))}
            may_lack = bool(one.get("allow_missing", False))
            if form == "notMatches" and not may_lack:
                said["exists"] = True
            if form == "matches" and may_lack:
                module.lose(f"allow_missing of header {said['name']}", "a header that must match must be there")
            module.assertions.append({"header": said})


def _length(text: str) -> str:
    """Go writes `1m30s`; ours have one unit."""
    if parse_length(text) is not None or not _DURATION.fullmatch(text):
        return text
    parts = [parse_length(part) for part in _PART.findall(text)]
    return shown_length(sum((part for part in parts if part is not None), timedelta(0)))


def _headers(module: _Module, written: Tree) -> dict[str, str]:
    """As they are, but secrets: each gets a variable of its own."""
    headers = {str(name): str(value) for name, value in _tree(written.pop("headers", None)).items()}
    for name, value in headers.items():
        if holds_secret(name, value):
            variable = _variable(f"{module.name}_{name}")
            module.lose(f"the header {name}", f"set {variable} on the prober to its value")
            headers[name] = f"${{env:{variable}}}"
    return headers


def _variable(name: str) -> str:
    made = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name.upper())
    return f"_{made}" if made[:1].isdigit() else made


def _authorization(module: _Module, written: Tree) -> dict[str, str]:
    """Secrets do not stand in our files: what names the variable that the prober fills in."""
    variable = _variable(module.name)
    basic = _tree(written.pop("basic_auth", None))
    bearer = written.pop("bearer_token", None) or written.pop("bearer_token_file", None)
    other = _tree(written.pop("authorization", None))
    if basic:
        module.lose("basic_auth", f"set {variable}_BASIC on the prober to base64 of user:password")
        return {"Authorization": f"Basic ${{env:{variable}_BASIC}}"}
    if bearer or other:
        scheme = str(other.get("type", "Bearer"))
        module.lose("the bearer token", f"set {variable}_TOKEN on the prober to it")
        return {"Authorization": f"{scheme} ${{env:{variable}_TOKEN}}"}
    return {}


def _size(module: _Module, part: Tree, limit: object) -> None:
    text = str(limit).strip().upper()
    for unit, factor in (("GB", 1024**3), ("MB", 1024**2), ("KB", 1024), ("B", 1), ("", 1)):
        number = text.removesuffix(unit) if unit else text
        if text.endswith(unit) and number.isdigit():
            part["maxBodyBytes"] = int(number) * factor
            return
    module.lose(f"body_size_limit {limit}")


def _tcp(module: _Module, written: Tree) -> Tree:
    part = _common(module, written)
    steps = [_step(module, _tree(one)) for one in _list(written.pop("query_response", None))]
    if steps:
        part["steps"] = steps
    tls = _tls(module, written.pop("tls_config", None))
    begins_within, is_encrypted = any("startTls" in step for step in steps), written.pop("tls", False)
    if begins_within and is_encrypted:
        module.lose("tls beside starttls", "TLS begins with that step")
    if is_encrypted or (begins_within and tls):
        part["tls"] = tls
    if "tls" in part and not steps:
        part["_is_handshake"] = True
    _lose_rest(module, written)
    return part


def _step(module: _Module, written: Tree) -> Tree:
    step: Tree = {}
    for old, new in (("expect", "expect"), ("send", "send")):
        value = written.pop(old, None)
        if isinstance(value, bytes):
            module.lose(f"{old} with bytes", "conversations are text, so the module is left out")
            module.is_unusable = True
        elif value is not None:
            step[new] = str(value)
    if written.pop("starttls", False):
        step["startTls"] = True
    labels = {
        str(one.get("name", "")): str(one.get("value", "")) for one in map(_tree, _list(written.pop("labels", None)))
    }
    if labels:
        step["labels"] = labels
    _lose_rest(module, written)
    return step


def _dns(module: _Module, written: Tree) -> Tree:
    part = _common(module, written)
    part["queryName"] = str(written.pop("query_name", ""))
    part["queryType"] = str(written.pop("query_type", "ANY"))
    transport = str(written.pop("transport_protocol", "udp"))
    is_over_tls = bool(written.pop("dns_over_tls", False))
    if is_over_tls or transport != "udp":
        part["transport"] = "tls" if is_over_tls else transport
    _copy(written, part, {"recursion_desired": "recursion", "valid_rcodes": "validRcodes"})
    tls = _tls(module, written.pop("tls_config", None))
    if tls:
        part["tls"] = tls
    answers = _tree(written.pop("validate_answer_rrs", None))
    _copy(answers, part, {"fail_if_matches_regexp": "answerMustNotMatch"})
    _copy(answers, part, {"fail_if_none_matches_regexp": "answerMustMatch"})
    for key in answers:
        module.lose(f"validate_answer_rrs.{key}")
    _lose_rest(module, written)
    return part


def _icmp(module: _Module, written: Tree) -> Tree:
    part = _common(module, written)
    _copy(written, part, {"payload_size": "payloadBytes", "dont_fragment": "dontFragment", "ttl": "ttl"})
    _lose_rest(module, written)
    return part


def _grpc(module: _Module, written: Tree) -> Tree:
    part = _common(module, written)
    _copy(written, part, {"service": "service"})
    tls = _tls(module, written.pop("tls_config", None))
    if written.pop("tls", False):
        part["tls"] = tls
    _lose_rest(module, written)
    return part


def _websocket(module: _Module, written: Tree) -> Tree:
    part = _common(module, written)
    client = _tree(written.pop("http_config", None))
    headers = _headers(module, written)
    headers.update(_authorization(module, client))
    if headers:
        part["headers"] = headers
    steps = [_step(module, _tree(one)) for one in _list(written.pop("query_response", None))]
    if steps:
        part["steps"] = steps
    tls = _tls(module, client.pop("tls_config", None))
    if tls:
        part["tls"] = tls
    _lose_rest(module, client)
    _lose_rest(module, written)
    return part


_PROBERS: Final[dict[str, tuple[str, Callable[[_Module, Tree], Tree]]]] = {
    "http": ("http", _http),
    "tcp": ("tcp", _tcp),
    "dns": ("dns", _dns),
    "icmp": ("icmp", _icmp),
    "grpc": ("grpc", _grpc),
    "websocket": ("websocket", _websocket),
}


def _common(module: _Module, written: Tree) -> Tree:
    """Which addresses. blackbox_exporter prefers IPv6, and falls back unless it is told not to."""
    preferred = _FAMILIES.get(str(written.pop("preferred_ip_protocol", "")))
    falls_back = written.pop("ip_protocol_fallback", True)
    if preferred == "ip4" or (preferred and not falls_back):
        if falls_back:
            module.lose("the fallback from IPv4 to IPv6", "the module asks IPv4 alone")
        return {"ipFamily": preferred}
    return {}


def _tls(module: _Module, written: object) -> Tree:
    options = _tree(written)
    found: Tree = {}
    _copy(options, found, {"ca_file": "caFile", "cert_file": "certificateFile", "key_file": "keyFile"})
    _copy(options, found, {"server_name": "serverName"})
    if options.pop("insecure_skip_verify", False):
        found["verify"] = False
    for key in options:
        module.lose(f"tls_config.{key}")
    return found


def _copy(old: Tree, new: Tree, names: dict[str, str]) -> None:
    for before, after in names.items():
        value = old.pop(before, None)
        if value is not None:
            new[after] = [str(one) for one in value] if isinstance(value, list) else value


def _lose_rest(module: _Module, written: Tree) -> None:
    for key, value in written.items():
        if value not in (None, "", [], {}):
            module.lose(key)


def _taken(written: Tree, key: str) -> Tree:
    return dict(_tree(written.pop(key, None)))


def _tree(value: object) -> Tree:
    return dict(value) if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []
