"""Steps at real servers and with real programs: what is sent, run and refused."""

import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from alerts.runbooks.adapters.command import CommandSteps
from alerts.runbooks.adapters.flag import FlagSteps
from alerts.runbooks.adapters.http import HTTPSteps
from alerts.runbooks.commands import commands_of
from alerts.runbooks.model import RunbookStep, StepKind
from alerts.runbooks.ports import AfterCrash
from controlplane.ports import Permanent, Transient

SECRETS = {"FLYBALL_RUNBOOK_TOKEN": "s3cret-token"}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.server.requests.append((self.path, dict(self.headers), self.rfile.read(length)))  # type: ignore[attr-defined]
        if self.path == "/slow":
            self.server.hold.wait(20)  # type: ignore[attr-defined]
        self.send_response(503 if self.path == "/broken" else 302 if self.path == "/moved" else 202)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(b"you sent s3cret-token")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadingHTTPServer]:
    from threading import Event

    made = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    made.requests, made.hold = [], Event()  # type: ignore[attr-defined]
    Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    made.hold.set()  # type: ignore[attr-defined]
    made.shutdown()
    made.server_close()


def http_step(server: ThreadingHTTPServer, path: str, **settings: str) -> RunbookStep:
    url = f"http://127.0.0.1:{server.server_port}{path}"
    return RunbookStep("call", StepKind.HTTP, {"method": "POST", "url": url, **settings}, timedelta(seconds=5))


def test_a_request_carries_its_body_its_headers_and_a_key_and_its_answer_shows_no_secret(
    server: ThreadingHTTPServer,
) -> None:
    steps = HTTPSteps(lambda names: {name: SECRETS[name] for name in names if name in SECRETS})
    step = http_step(
        server, "/scale?key=hidden", body='{"replicas": 3}', expect="202",
        **{"headersFrom.Authorization": "FLYBALL_RUNBOOK_TOKEN"},
    )  # fmt: skip
    assert steps.check(step) == f"POST http://127.0.0.1:{server.server_port}/scale with 15 bytes, which must answer 202"
    done = steps.perform(step, "r1:1")
    assert done.text.endswith("/scale answered 202")
    assert done.output == "you sent ***"
    path, headers, body = server.requests[-1]  # type: ignore[attr-defined]
    assert (path, body) == ("/scale?key=hidden", b'{"replicas": 3}')
    assert headers["Authorization"] == "s3cret-token"
    assert headers["Idempotency-Key"] == "r1:1"
    assert headers["Content-Type"] == "application/json"


def test_an_answer_that_was_not_expected_fails_and_redirects_are_not_followed(server: ThreadingHTTPServer) -> None:
    steps = HTTPSteps(lambda names: {})
    with pytest.raises(Permanent, match="answered 503, and 2xx was expected: you sent"):
        steps.perform(http_step(server, "/broken"), "k")
    with pytest.raises(Permanent, match="answered 302"):
        steps.perform(http_step(server, "/moved"), "k")
    assert steps.perform(http_step(server, "/broken", expect="2xx,503"), "k").text.endswith("503")
    slow = replace(http_step(server, "/slow"), timeout=timedelta(seconds=0.2))
    with pytest.raises(Transient, match=r"did not answer within 0\.2 s"):
        steps.perform(slow, "k")


def test_a_request_that_cannot_be_sent_is_refused_before_anything_is_done(server: ThreadingHTTPServer) -> None:
    steps = HTTPSteps(lambda names: {})
    step = http_step(server, "/x", **{"headersFrom.Authorization": "FLYBALL_RUNBOOK_TOKEN"})
    with pytest.raises(Permanent, match="FLYBALL_RUNBOOK_TOKEN is not set"):
        steps.check(step)
    with pytest.raises(Permanent, match="does not begin with http"):
        steps.check(replace(step, settings={"url": "file:///etc/passwd"}))


def test_only_methods_that_may_be_repeated_are_sent_again_after_a_crash(server: ThreadingHTTPServer) -> None:
    steps = HTTPSteps(lambda names: {})
    assert steps.after_crash(http_step(server, "/x"), "")[0] is AfterCrash.UNCLEAR
    assert steps.after_crash(http_step(server, "/x", method="PUT"), "")[0] is AfterCrash.AGAIN


# --- flags ------------------------------------------------------------------------------------------------------------
class Board:
    def __init__(self) -> None:
        self.flags = {("platform", "reads-from-cache"): "false"}

    def read(self, store: str, flag: str) -> str:
        return self.flags[store, flag]

    def write(self, store: str, flag: str, value: str) -> None:
        self.flags[store, flag] = value


def test_a_flag_is_set_and_after_a_crash_its_value_says_what_was_done() -> None:
    board = Board()
    steps = FlagSteps(board)
    step = RunbookStep("cache", StepKind.FLAG, {"store": "platform", "flag": "reads-from-cache", "value": "true"})
    assert steps.check(step) == "set reads-from-cache in platform from false to true"
    assert steps.look(step) == "false"
    assert steps.after_crash(step, "false")[0] is AfterCrash.AGAIN
    assert steps.perform(step, "k").text == "reads-from-cache in platform was false and is true, read back"
    assert steps.perform(step, "k").text == "reads-from-cache in platform was true already"
    assert steps.check(step) == "leave reads-from-cache in platform at true"
    assert steps.after_crash(step, "false")[0] is AfterCrash.DONE
    board.flags["platform", "reads-from-cache"] = "partly"
    assert steps.after_crash(step, "false")[0] is AfterCrash.UNCLEAR


# --- commands ---------------------------------------------------------------------------------------------------------
LIST = """\
apiVersion: flyball.dev/v1
kind: CommandList
spec:
  commands:
    - {name: say, run: [/bin/echo, scaled], args: ["[a-z]+", "[0-9]{1,2}"]}
    - {name: fail, run: [/bin/ls], args: [.*]}
    - {name: wait, run: [/bin/sleep, "30"], repeatable: true, timeout: 1m}
    - {name: show, run: [/usr/bin/printenv], environment: [FLYBALL_RUNBOOK_TOKEN]}
    - {name: mine, run: [PROGRAM], args: []}
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    made = tmp_path / "program"
    made.write_text("#!/bin/sh\necho $0 ran\n")
    made.chmod(0o755)
    return made


@pytest.fixture
def commands(tmp_path: Path, program: Path) -> CommandSteps:
    path = tmp_path / "commands.yaml"
    path.write_text(LIST.replace("PROGRAM", str(program)))
    path.chmod(0o644)
    return CommandSteps(path, lambda names: {name: SECRETS[name] for name in names})


def command_step(run: str, *args: str, seconds: float = 30) -> RunbookStep:
    given = {f"args.{number}": text for number, text in enumerate(args)}
    return RunbookStep("run", StepKind.COMMAND, {"run": run, **given}, timedelta(seconds=seconds))


def test_a_command_on_the_list_runs_with_the_arguments_that_it_takes(commands: CommandSteps) -> None:
    step = command_step("say", "gateway", "12")
    assert commands.check(step) == "run /bin/echo scaled gateway 12, for 30 s at most"
    done = commands.perform(step, "r1:2")
    assert (done.text, done.output) == ("/bin/echo scaled gateway 12 ended well", "scaled gateway 12")


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (command_step("reboot"), "is not on the list of commands: it has fail, mine, say, show, wait"),
        (command_step("say", "gateway"), "takes 2 arguments, not 1"),
        (command_step("say", "gateway; rm -rf /", "1"), "argument 1 of say, `gateway; rm -rf /`, does not match"),
        (command_step("say", "gateway", "12\n13"), "argument 2 of say"),
        (command_step("fail", "--hide=x"), "begins with `-`"),
    ],
)
def test_a_command_that_is_not_on_the_list_as_it_stands_is_not_run(
    commands: CommandSteps, step: RunbookStep, why: str
) -> None:
    for ask in (commands.check, lambda one: commands.perform(one, "k")):
        with pytest.raises(Permanent) as raised:
            ask(step)
        assert why in str(raised.value)


def test_no_shell_ever_sees_an_argument(commands: CommandSteps, tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="ended with status"):
        commands.perform(command_step("fail", f"$(touch {tmp_path}/made); touch {tmp_path}/made"), "k")
    assert not (tmp_path / "made").exists()


def test_a_failed_command_says_what_it_printed_and_one_that_is_too_slow_is_killed(commands: CommandSteps) -> None:
    with pytest.raises(Permanent, match=r"/bin/ls /no/such ended with status 2: .*No such file"):
        commands.perform(command_step("fail", "/no/such"), "k")
    with pytest.raises(Transient, match=r"did not end within 0\.1 s and was killed"):
        commands.perform(command_step("wait", seconds=0.1), "k")


def test_a_command_gets_only_the_variables_that_the_list_names_and_prints_no_secret(commands: CommandSteps) -> None:
    printed = dict(line.split("=", 1) for line in commands.perform(command_step("show"), "r1:1").output.splitlines())
    assert printed == {
        "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/", "FLYBALL_RUN": "r1:1",
        "FLYBALL_RUNBOOK_TOKEN": "***",
    }  # fmt: skip


def test_programs_and_lists_that_others_may_write_are_not_trusted(
    commands: CommandSteps, program: Path, tmp_path: Path
) -> None:
    step = command_step("mine")
    assert commands.perform(step, "k").output == f"{program} ran"
    program.chmod(0o775)
    with pytest.raises(Permanent, match=f"{program} can be changed by others"):
        commands.check(step)
    program.chmod(0o644)
    with pytest.raises(Permanent, match="is not a program"):
        commands.check(step)
    program.chmod(0o755)
    (tmp_path / "commands.yaml").chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IWOTH)
    with pytest.raises(Permanent, match="the list of commands can be changed by others"):
        commands.check(step)
    with pytest.raises(Permanent, match="no list of commands is set"):
        CommandSteps(None, lambda names: {}).check(step)


def test_after_a_crash_only_what_the_list_calls_repeatable_runs_again(commands: CommandSteps) -> None:
    assert commands.after_crash(command_step("wait"), "")[0] is AfterCrash.AGAIN
    assert commands.after_crash(command_step("say", "a", "1"), "")[0] is AfterCrash.UNCLEAR


def test_every_mistake_in_a_list_is_told_with_its_place() -> None:
    text = """\
apiVersion: flyball.dev/v1
kind: CommandList
spec:
  commands:
    - {name: Say, run: [echo, x]}
    - {name: shell, run: [/bin/bash, -c], timeout: 1h}
    - {name: ok, run: [/bin/true], args: ["[a-"], environment: [FLYBALL_DATABASE_URL]}
    - {name: fine, run: [/bin/true]}
    - {name: fine, run: [/bin/true]}
"""
    commands, problems = commands_of("commands.yaml", text.encode())
    assert list(commands) == ["fine"]
    assert [(problem.line, problem.message.partition(":")[0]) for problem in problems] == [
        (5, "`Say` is not a name"), (5, "the program's path is not absolute"),
        (6, "bash runs whatever its arguments say"), (6, "`1h` is no length that a command may take"),
        (7, "not a regular expression (RE2)"), (7, "FLYBALL_DATABASE_URL is Flyball's own"),
        (9, "the command `fine` is there twice"),
    ]  # fmt: skip
