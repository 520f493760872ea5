"""Where settings come from, and what is wrong with them."""

from datetime import timedelta
from pathlib import Path

import pytest

from controlplane.problems import Problem
from controlplane.store import migrate
from flyball.secret import Secret, masked
from flyball.settings import ListenAddress, Settings, load_settings

HEAD = "apiVersion: flyball.dev/v1\nkind: Workspace\nmetadata: {name: test}\n"


def loaded(
    folder: Path, spec: str = "", environ: dict[str, str] | None = None, **command_line: str
) -> Settings | list[Problem]:
    """Settings from a flyball.yaml with this `spec`."""
    (folder / "flyball.yaml").write_text(HEAD + (f"spec:\n{spec}" if spec else ""))
    return load_settings(folder, environ or {}, command_line=command_line)


def good(folder: Path, spec: str = "", environ: dict[str, str] | None = None, **command_line: str) -> Settings:
    found = loaded(folder, spec, environ, **command_line)
    assert isinstance(found, Settings), found
    return found


def problem(folder: Path, spec: str = "", environ: dict[str, str] | None = None) -> Problem:
    found = loaded(folder, spec, environ)
    assert isinstance(found, list), "the settings loaded"
    assert len(found) == 1, found
    return found[0]


def test_without_a_file_and_an_environment_there_are_defaults(tmp_path: Path) -> None:
    found = load_settings(tmp_path, {})
    assert isinstance(found, Settings)
    assert found.prometheus_url == "http://127.0.0.1:9090"
    assert found.listen == ListenAddress("127.0.0.1", 8321)
    assert found.rules_directory == tmp_path / ".flyball/rules"
    assert found.database_url.reveal() == f"sqlite:///{tmp_path}/.flyball/flyball.db"
    assert (found.webhook_token, found.console_token, found.otlp_endpoint) == (None, None, "")
    assert found.shared_above == 1000


def test_the_file_comes_before_defaults_the_environment_before_it_and_the_command_line_first(tmp_path: Path) -> None:
    spec = "  console: {listen: '127.0.0.1:1001'}\n  prometheus: {url: 'http://file:9090'}\n  slo: {sharedAbove: 7}\n"
    environ = {"FLYBALL_LISTEN": "127.0.0.1:1002", "FLYBALL_PROMETHEUS_URL": "http://environment:9090/prefix/"}
    assert good(tmp_path, spec).listen.port == 1001
    found = good(tmp_path, spec, environ)
    assert (found.listen.port, found.prometheus_url, found.shared_above) == (1002, "http://environment:9090/prefix", 7)
    found = load_settings(tmp_path, environ, command_line={"console.listen": "[::1]:1003"})
    assert isinstance(found, Settings)
    assert (found.listen, str(found.listen)) == (ListenAddress("::1", 1003), "[::1]:1003")


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    spec = "  prometheus: {rulesDirectory: generated}\n  store: {url: 'sqlite:///state/f.db', leaseSeconds: 20}\n"
    found = good(tmp_path, spec)
    assert found.rules_directory == tmp_path / "generated"
    assert found.database_url.reveal() == f"sqlite:///{tmp_path}/state/f.db"
    assert found.lease_ttl == timedelta(seconds=20)
    absolute = good(tmp_path, "  prometheus: {rulesDirectory: /etc/rules}\n  store: {url: 'sqlite:////var/f.db'}\n")
    assert absolute.rules_directory == Path("/etc/rules")
    assert absolute.database_url.reveal() == "sqlite:////var/f.db"


@pytest.mark.parametrize("name", ["100 % ours", "a%41b", "what? #1", "käse @home"])
def test_the_database_stands_in_the_workspace_whatever_its_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    url = good(folder).database_url.reveal()
    migrate(url)
    assert (folder / ".flyball/flyball.db").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_every_password_of_the_database_is_known_as_a_secret(tmp_path: Path) -> None:
    url = "postgresql://flyball:ge%40heim@db/flyball?sslpassword=second&sslmode=require"
    known = {secret.reveal() for secret in good(tmp_path, environ={"FLYBALL_DATABASE_URL": url}).secrets()}
    assert known == {"ge%40heim", "ge@heim", "second"}


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    found = good(tmp_path, environ={"FLYBALL_LISTEN": "", "FLYBALL_WEBHOOK_TOKEN": ""})
    assert (found.listen.port, found.webhook_token) == (8321, None)


def test_a_secret_comes_from_a_file_without_its_last_line_break(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("geheim\r\n")
    for path in ("token", str(tmp_path / "token")):
        assert good(tmp_path, environ={"FLYBALL_WEBHOOK_TOKEN_FILE": path}).webhook_token == Secret("geheim")


def test_a_variable_and_its_file_together_are_a_problem(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("geheim")
    environ = {"FLYBALL_CONSOLE_TOKEN": "other", "FLYBALL_CONSOLE_TOKEN_FILE": "token"}
    found = problem(tmp_path, environ=environ)
    assert (found.path, found.field) == ("environment", "FLYBALL_CONSOLE_TOKEN")
    assert "FLYBALL_CONSOLE_TOKEN_FILE" in found.message
    assert "geheim" not in str(found)


@pytest.mark.parametrize("content", [None, b"", b"\n", b"two\nlines", b"\xff\xfe", b"x" * 100_000, b"nul\x00"])
def test_a_secret_file_that_does_not_hold_one_line_is_a_problem(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    found = problem(tmp_path, environ={"FLYBALL_WEBHOOK_TOKEN_FILE": "token"})
    assert found.field == "FLYBALL_WEBHOOK_TOKEN_FILE"
    assert found.message.startswith("token ")


def test_a_folder_as_a_secret_file_is_a_problem(tmp_path: Path) -> None:
    assert "cannot be read" in problem(tmp_path, environ={"FLYBALL_WEBHOOK_TOKEN_FILE": "."}).message


def test_secrets_never_show(tmp_path: Path) -> None:
    environ = {
        "FLYBALL_WEBHOOK_TOKEN": "hook-secret",
        "FLYBALL_CONSOLE_TOKEN": "console-secret",
        "FLYBALL_DATABASE_URL": "postgresql://u:database-secret@db/f",
        "FLYBALL_PROMETHEUS_URL": "http://user:metrics-secret@prom:9090",
    }
    found = good(tmp_path, environ=environ)
    for text in (repr(found), str(found), f"{found}", f"{found.webhook_token}"):
        assert "-secret" not in text
    assert found.prometheus_url == "http://prom:9090"
    assert found.prometheus_credentials == Secret("user:metrics-secret")
    shown = {secret.reveal() for secret in found.secrets()}
    assert {"hook-secret", "console-secret", "database-secret", "metrics-secret"} <= shown


@pytest.mark.parametrize(
    ("spec", "line", "field"),
    [
        ("  store: {url: 'postgresql://u:geheim@db/f'}\n", 5, "spec.store.url"),
        ("  store:\n    url: postgresql://db/f?password=geheim\n", 6, "spec.store.url"),
        ("  prometheus: {url: 'http://u:geheim@prom:9090'}\n", 5, "spec.prometheus.url"),
        ("  alertmanager: {url: 'http://u:geheim@am:9093'}\n", 5, "spec.alertmanager.url"),
    ],
)
def test_a_password_in_the_file_is_a_problem_at_its_place(tmp_path: Path, spec: str, line: int, field: str) -> None:
    found = problem(tmp_path, spec)
    assert (found.line, found.field) == (line, field)
    assert "geheim" not in repr(found)


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ("  console: {listen: '8321'}\n", "spec.console.listen"),
        ("  console: {listen: ':8321'}\n", "spec.console.listen"),
        ("  console: {listen: '127.0.0.1:99999'}\n", "spec.console.listen"),
        ("  prometheus: {url: 'prometheus:9090'}\n", "spec.prometheus.url"),
        ("  prometheus: {url: 'ftp://prometheus'}\n", "spec.prometheus.url"),
        ("  prometheus: {url: 'http://prometheus:port'}\n", "spec.prometheus.url"),
        ("  prometheus: {url: 'http://prometheus/?x=1'}\n", "spec.prometheus.url"),
        ("  store: {url: 'mysql://db/f'}\n", "spec.store.url"),
        ("  store: {url: 'sqlite://'}\n", "spec.store.url"),
        ("  store: {url: 'sqlite:///:memory:'}\n", "spec.store.url"),
        ("  store: {leaseSeconds: 1}\n", "spec.store.leaseSeconds"),
        ("  slo: {runbookUrl: 'https://x/{team}'}\n", "spec.slo.runbookUrl"),
        ("  slo: {runbookUrl: 'x/{slo}'}\n", "spec.slo.runbookUrl"),
        ("  slo: {sharedAbove: -1}\n", "spec.slo.sharedAbove"),
        ("  tracing: {endpoint: 'collector:4318'}\n", "spec.tracing.endpoint"),
        ("  webhook: {token: geheim}\n", "spec.webhook"),
    ],
)
def test_a_value_that_makes_no_sense_is_a_problem_at_its_place(tmp_path: Path, spec: str, field: str) -> None:
    found = problem(tmp_path, spec)
    assert (found.field, found.line, Path(found.path).name) == (field, 5, "flyball.yaml")


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    spec = "  console: {listen: x}\n  prometheus: {url: x}\n"
    found = loaded(tmp_path, spec, {"FLYBALL_LEASE_SECONDS": "x", "FLYBALL_LOG_FORMAT": "xml"})
    assert isinstance(found, list)
    assert len(found) == 4


def test_a_misspelled_variable_is_a_warning(tmp_path: Path) -> None:
    found = good(tmp_path, environ={"FLYBALL_WEBHOK_TOKEN": "geheim"})
    assert [warning.field for warning in found.warnings] == ["FLYBALL_WEBHOK_TOKEN"]
    assert "geheim" not in repr(found.warnings)


def test_a_second_workspace_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "flyball.yaml").write_text(f"{HEAD}---\n{HEAD.replace('test', 'other')}")
    found = load_settings(tmp_path, {})
    assert isinstance(found, list)
    assert [(one.line, one.message.partition(";")[0]) for one in found] == [(5, "a second Workspace")]


def test_reading_goes_through_the_port() -> None:
    def read_file(path: Path) -> bytes:
        if path == Path("ws/flyball.yaml"):
            return f"{HEAD}spec: {{console: {{listen: 'localhost:7'}}}}\n".encode()
        raise PermissionError(13, "Permission denied")

    found = load_settings(Path("ws"), {}, read_file=read_file)
    assert isinstance(found, Settings)
    assert found.listen.is_loopback
    broken = load_settings(Path("other"), {}, read_file=read_file)
    assert isinstance(broken, list)
    assert "Permission denied" in broken[0].message


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
     ("10.0.0.1", False), ("::", False), ("example.com", False), ("localhost.example.com", False)],
)  # fmt: skip
def test_loopback_is_known(host: str, expected: bool) -> None:
    assert ListenAddress(host, 1).is_loopback is expected


def test_a_report_of_the_file_shows_no_secrets() -> None:
    source = b"url: postgresql://u:geheim@db/f\n  apiToken: 'geheim'\nPASSWORD: geheim # why\nname: geheimnis\n"
    shown = masked(source)
    assert len(shown) == len(source)
    assert shown.count(b"geheim") == 1
    assert b"name: geheimnis" in shown


@pytest.mark.parametrize(
    "line",
    [
        "url: 'postgresql://a:GEHEIM@db/x?password=GEHEIM&sslpassword=GEHEIM'",
        "url: postgresql://db/x?sslmode=require&Password=GEHEIM",
        "console: {webhookToken: GEHEIM, listen: x}",
        "console: {'apikey' : \"GEHEIM\"}",
        "  - clientSecret: [GEHEIM, GEHEIM]",
    ],
)
def test_no_spelling_of_a_secret_is_shown(line: str) -> None:
    shown = masked(line.encode())
    assert b"GEHEIM" not in shown
    assert len(shown) == len(line)


def test_prober_tokens_are_several_lines_of_region_and_token(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(f"eu={'a' * 32}\nus={'b' * 32}\neu={'c' * 32}\n")
    settings = load_settings(tmp_path, {"FLYBALL_PROBER_TOKENS_FILE": "tokens"})
    assert isinstance(settings, Settings)
    assert [(region, token.reveal()[0]) for region, token in settings.checks.prober_tokens] == [
        ("eu", "a"), ("us", "b"), ("eu", "c"),
    ]  # fmt: skip
    assert "b" * 32 in {secret.reveal() for secret in settings.secrets()}


@pytest.mark.parametrize("text", ["eu", "eu=short", f"={'a' * 32}"])
def test_prober_tokens_of_another_shape_are_refused(tmp_path: Path, text: str) -> None:
    problems = load_settings(tmp_path, {"FLYBALL_PROBER_TOKENS": text})
    assert isinstance(problems, list)
    assert text not in str(problems) or text == "eu"


def test_the_password_of_the_mail_server_is_a_secret(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {"FLYBALL_SMTP_URL": "smtp://me:p%40ss@mail.example:587"})
    assert isinstance(settings, Settings)
    assert {"p%40ss", "p@ss"} <= {secret.reveal() for secret in settings.secrets()}


def test_secrets_of_flag_stores_are_no_misspelt_settings(tmp_path: Path) -> None:
    given = {"FLYBALL_UNLEASH_TOKEN": "*:*.secret", "FLYBALL_FLAG_WEBHOOK_SECRET_FILE": "/run/secrets/flags"}
    settings = load_settings(tmp_path, given)
    assert isinstance(settings, Settings)
    assert settings.warnings == ()
