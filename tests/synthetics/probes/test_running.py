"""Probes, run: results, secrets, faults."""

import asyncio
from datetime import timedelta

from controlplane.model.check import CheckKind, Outcome
from controlplane.model.source import SourcePosition
from synthetics.probes.assertions import ANY_2XX
from synthetics.probes.model import Probe
from synthetics.probes.modules import Assertion, AssertionKind, HTTPModule, ICMPModule, QueryStep, TCPModule
from synthetics.probes.protocols import NAMES, prober_of, protocol_of
from synthetics.probes.running import Place, ProbeRun, check_of, run_probe, variables_named
from tests.synthetics.probes.web_servers import NOW, Served, answering, response, serving


def place(**options: object) -> Place:
    return Place("eu", lambda size: bytes(range(1, size + 1)), **options)  # type: ignore[arg-type]


def a_probe(target: str, module: HTTPModule | ICMPModule | None = None, *assertions: Assertion) -> Probe:
    return Probe("it", target, module or HTTPModule(), SourcePosition("x", 1, 1), assertions)


def asked(answer: bytes, probe: Probe | None = None, **options: object) -> tuple[ProbeRun, Served]:
    async def scene() -> tuple[ProbeRun, Served]:
        async with answering(answer) as server:
            made = probe or a_probe(server.url())
            pins = {"shop:80": f"127.0.0.1:{server.port}"}
            return await run_probe(made, place(resolve=pins, **options), NOW), server

    return asyncio.run(scene())


def test_a_run_that_is_well_is_ok_and_its_trace_was_sent_along() -> None:
    run, server = asked(response(b"hi"))
    result = run.result
    assert (result.check, result.kind, result.region, result.started_at) == ("it", CheckKind.PROBE, "eu", NOW)
    assert (result.outcome, result.reason, result.detail) == (Outcome.OK, "", "")
    assert result.trace_id == "0102030405060708090a0b0c0d0e0f10"
    assert f"traceparent: 00-{result.trace_id}-0102030405060708-01" in server.requests[0]
    assert result.duration_seconds >= sum(timing.seconds for timing in result.timings)
    assert [one.holds for one in run.checked] == [True]
    names = {sample.name: sample.value for sample in result.samples}
    assert names["probe_failed_due_to_regex"] == 0


def test_an_http_answer_must_be_2xx_unless_something_else_is_said_of_its_status() -> None:
    failed, _ = asked(response(status="404 Not Found"))
    assert (failed.result.outcome, failed.result.reason) == (Outcome.FAILED, "status")
    assert failed.result.detail == "status is 2xx: it is not so, 404"
    wanted = Assertion(AssertionKind.STATUS, statuses=("404",))
    allowed, _ = asked(response(status="404 Not Found"), a_probe("http://shop/", None, wanted))
    assert allowed.result.outcome is Outcome.OK
    assert ANY_2XX not in [one.assertion for one in allowed.checked]


def test_a_failed_pattern_is_told_as_blackbox_exporter_does() -> None:
    wanted = Assertion(AssertionKind.BODY, matches="welcome")
    run, _ = asked(response(b"error"), a_probe("http://shop/", None, wanted))
    assert (run.result.reason, run.result.outcome) == ("body", Outcome.FAILED)
    assert ("probe_failed_due_to_regex", 1) in [(one.name, one.value) for one in run.result.samples]


def test_secrets_are_filled_in_and_never_told() -> None:
    secret = "s3cret-value"
    module = HTTPModule(headers=(("Authorization", "Bearer ${env:TOKEN}"),), body="x=${env:BODY}", method="POST")
    probe = a_probe(
        "http://shop/${env:PATH_KEY}?k=${env:TOKEN}", module, Assertion(AssertionKind.STATUS, statuses=("2xx",))
    )
    assert variables_named(probe) == {"TOKEN", "BODY", "PATH_KEY"}
    variables = {"TOKEN": secret, "BODY": "body-secret", "PATH_KEY": "path-secret"}
    echo = Assertion(AssertionKind.HEADER, name="x-echo", equals="other")
    probe = Probe("it", probe.target, module, probe.source, (echo,))
    run, server = asked(response(b"", X_Echo=f"you sent {secret}"), probe, variables=variables)
    assert f"GET /path-secret?k={secret}".replace("GET", "POST") in server.requests[0]
    assert server.bodies == [b"x=body-secret"]
    told = str((run.result, run.attempt.notes, run.attempt.detail, [(one.title, one.saw) for one in run.checked]))
    assert "you sent ***" in told
    for value in variables.values():
        assert value not in told


def test_a_secret_that_is_longer_than_what_is_shown_is_not_told_in_part() -> None:
    secret = "eyJhbGciOiJIUzI1NiJ9." + "x" * 200
    module = HTTPModule(headers=(("Authorization", "Bearer ${env:TOKEN}"),))
    probe = a_probe("http://shop/", module, Assertion(AssertionKind.HEADER, name="x-echo", equals="other"))
    run, _ = asked(response(b"", X_Echo=f"Bearer {secret}"), probe, variables={"TOKEN": secret})
    assert [one.saw for one in run.checked][-1] == "Bearer ***…"
    assert secret[:6] not in str((run.result, run.checked))


def test_what_a_target_says_again_is_not_told_in_labels() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"you said " + await reader.readline())
        await writer.drain()

    async def scene() -> ProbeRun:
        async with serving(echo) as server:
            steps = (QueryStep("", "${env:TOKEN}"), QueryStep("you said (.*)", labels=(("said", "$1"),)))
            probe = Probe("it", f"127.0.0.1:{server.port}", TCPModule(None, steps), SourcePosition("x", 1, 1))
            return await run_probe(probe, place(variables={"TOKEN": "s3cret-value"}), NOW)

    run = asyncio.run(scene())
    labels = [dict(one.labels) for one in run.result.samples if one.name == "probe_expect_info"]
    assert labels == [{"said": "***"}]


def test_a_variable_that_is_not_set_is_a_fault_of_the_prober() -> None:
    run, server = asked(response(), a_probe("http://shop/${env:NOT_SET}"))
    assert (run.result.outcome, run.result.reason) == (Outcome.FAULT, "variable")
    assert run.result.detail == "the environment variable NOT_SET is not set"
    assert server.connections == 0


def test_a_check_runs_its_probe_and_its_own_timeout_counts() -> None:
    async def scene() -> None:
        async with serving(lambda reader, writer: asyncio.Event().wait()) as server:  # type: ignore[arg-type, return-value]
            module, source = HTTPModule(), SourcePosition("x", 1, 1)
            probe = Probe(
                "it", server.url(), module, source, regions=("eu",), timeout=timedelta(milliseconds=100)
            )  # fmt: skip
            check = check_of(probe, place())
            assert (check.name, check.kind, check.every) == ("it", CheckKind.PROBE, timedelta(seconds=30))
            assert (check.timeout, check.regions, check.is_heavy) == (probe.timeout, frozenset({"eu"}), False)
            result = await check.run(NOW)
        assert (result.outcome, result.reason) == (Outcome.FAILED, "timeout")

    asyncio.run(scene())


def test_a_prober_that_breaks_is_a_fault_and_tells_no_more_than_its_kind() -> None:
    module = HTTPModule(method=None)  # type: ignore[arg-type]
    run, _ = asked(response(), a_probe("http://shop/", module))
    assert (run.result.outcome, run.result.reason) == (Outcome.FAULT, "internal")
    assert run.result.detail == "the prober itself failed: AttributeError"


def test_long_details_are_cut() -> None:
    wanted = [Assertion(AssertionKind.HEADER, name=f"x-{number}", exists=True) for number in range(40)]
    run, _ = asked(response(), a_probe("http://shop/", None, *wanted))
    assert len(run.result.detail) == 500
    assert run.result.detail.endswith("…")


def test_every_protocol_has_a_prober() -> None:
    assert protocol_of(HTTPModule()) == "http"
    for kind, name in NAMES.items():
        module = kind("a") if name == "dns" else kind()  # type: ignore[call-arg]
        assert callable(prober_of(module)), name
