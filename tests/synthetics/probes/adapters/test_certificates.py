"""Certificates and TLS contexts, as all probers use them."""

import asyncio
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from synthetics.probes.adapters.certificates import (
    certificate_samples,
    earliest_end,
    read_certificate,
    unverified_chain,
    verified_chain,
)
from synthetics.probes.adapters.failures import ProbeFailed
from synthetics.probes.adapters.tls_contexts import CertificateRefused, client_context
from synthetics.probes.modules import TLSOptions
from tests.synthetics.probes.web_servers import answering, authority, response, server_context, trust_file


def test_a_refused_chain_comes_with_the_refusal_through_asyncios_streams_too() -> None:
    async def scene() -> None:
        async with answering(response(), server_context("localhost", expired=True)) as server:
            with pytest.raises(CertificateRefused) as refused:
                await asyncio.open_connection(
                    "127.0.0.1", server.port, ssl=client_context(TLSOptions()), server_hostname="localhost"
                )
        end = earliest_end(refused.value.chain)
        assert end == datetime(2020, 1, 1, tzinfo=UTC)
        assert refused.value.verify_message

    asyncio.run(scene())


def test_the_earliest_end_of_the_chain_that_is_shown_and_of_the_one_that_is_believed(tmp_path: Path) -> None:
    options = TLSOptions(ca_file=trust_file(tmp_path))

    async def scene() -> None:
        async with answering(response(), server_context("localhost")) as server:
            _, writer = await asyncio.open_connection(
                "127.0.0.1", server.port, ssl=client_context(options), server_hostname="localhost"
            )
            connection = writer.get_extra_info("ssl_object")
            shown, believed = unverified_chain(connection), verified_chain(connection)
            writer.close()
        assert len(believed) == len(shown) + 1  # and the root
        samples = {one.name: one for one in certificate_samples(shown, believed, "TLSv1.3")}
        assert set(samples) == {
            "probe_ssl_earliest_cert_expiry",
            "probe_ssl_last_chain_expiry_timestamp_seconds",
            "probe_ssl_last_chain_info",
            "probe_tls_version_info",
        }
        assert dict(samples["probe_ssl_last_chain_info"].labels)["issuer"].startswith("OU=Testing CA")

    asyncio.run(scene())


def test_what_is_no_certificate_tells_nothing() -> None:
    assert read_certificate(b"nonsense") is None
    assert earliest_end([b"nonsense"]) is None
    assert certificate_samples((b"nonsense",), (), None) == ()
    assert certificate_samples((), (), "SSLv9") == tuple(certificate_samples((), (), "SSLv9"))


def test_a_context_is_made_once_and_again_when_a_file_changes(tmp_path: Path) -> None:
    options = TLSOptions(ca_file=trust_file(tmp_path))
    first = client_context(options)
    assert client_context(options) is first
    assert client_context(options, ("h2",)) is not first
    assert client_context(TLSOptions(verify=False)).verify_mode is ssl.CERT_NONE
    path = Path(options.ca_file)
    path.write_bytes(authority().cert_pem.bytes() + b"\n")
    assert client_context(options) is not first
    path.unlink()
    with pytest.raises(ProbeFailed) as failed:
        client_context(options)
    assert failed.value.is_fault


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    leaf = authority().issue_cert("me")
    key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"pw")
    )
    (tmp_path / "key.pem").write_bytes(locked)
    (tmp_path / "cert.pem").write_bytes(leaf.cert_chain_pems[0].bytes())
    options = TLSOptions(certificate_file=str(tmp_path / "cert.pem"), key_file=str(tmp_path / "key.pem"))
    with pytest.raises(ProbeFailed) as failed:
        client_context(options)
    assert failed.value.is_fault
