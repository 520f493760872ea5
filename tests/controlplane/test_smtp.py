"""Mail to real servers: with TLS and without, and what becomes of each answer."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage

import pytest
import trustme

from controlplane.adapters.smtp import MailAccount, Smtp, mail_account
from controlplane.ports import Permanent, Transient
from controlplane.sending_ports import RecipientsRefused
from flyball.demo.servers import free_port
from tests.outside.smtp import Post, dripping_mail_server, mail_server


def a_mail() -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "flyball@example.com", "all@example.com", "Grüße"
    mail.set_content("Hello")
    return mail


@dataclass
class Office:
    """A server with STARTTLS, how its certificate is trusted, and what it got."""

    post: Post
    at: str
    trust: ssl.SSLContext

    def smtp(self, password: str = "p%40ss", tls: ssl.SSLContext | None = None) -> Smtp:
        return Smtp(mail_account(f"smtp://flyball:{password}@{self.at}"), tls=tls or self.trust)


@pytest.fixture(scope="module")
def running() -> Iterator[Office]:
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)
    with mail_server(server, with_login=True) as (post, at):
        yield Office(post, at, client)


@pytest.fixture
def office(running: Office) -> Office:
    """As new."""
    running.post.__init__()  # type: ignore[misc]
    return running


def test_a_mail_goes_over_tls_to_those_that_are_named_and_to_nobody_else(office: Office) -> None:
    office.smtp().send(a_mail(), ["ann@example.com"])
    (mail,) = office.post.got
    assert (mail.over_tls, mail.recipients) == (True, ["ann@example.com"])
    assert mail.message["Subject"] == "Grüße"


@pytest.mark.parametrize(
    ("of_recipient", "of_message", "error"),
    [
        ("450 busy", "250 OK", Transient),
        ("250 OK", "451 later", Transient),
        ("250 OK", "554 spam", Permanent),
        ("550 nobody here", "250 OK", RecipientsRefused),
    ],
)
def test_what_the_server_says_decides_what_becomes_of_it(
    office: Office, of_recipient: str, of_message: str, error: type[Exception]
) -> None:
    office.post.of_recipient, office.post.of_message = of_recipient, of_message
    with pytest.raises(error) as told:
        office.smtp().send(a_mail(), ["ann@example.com"])
    assert type(told.value) is error


def test_one_that_is_put_off_or_left_out_leaves_it_undone(office: Office) -> None:
    office.post.of_recipients = {"ann@example.com": "550 nobody", "ben@example.com": "450 busy"}
    with pytest.raises(Transient):
        office.smtp().send(a_mail(), ["ann@example.com", "ben@example.com"])
    office.post.of_recipients = {"ann@example.com": "550 nobody"}
    with pytest.raises(Transient, match="some of 2"):
        office.smtp().send(a_mail(), ["ann@example.com", "ben@example.com"])


def test_a_server_that_hangs_up_is_tried_again(office: Office) -> None:
    office.post.hangs_up = True
    with pytest.raises(Transient, match="Disconnected"):
        office.smtp().send(a_mail(), ["ann@example.com"])


def test_a_wrong_password_is_ours_to_mend_and_is_not_told(office: Office) -> None:
    with pytest.raises(Transient) as told:
        office.smtp("s3cret").send(a_mail(), ["ann@example.com"])
    assert "s3cret" not in str(told.value)


def test_a_server_that_does_not_prove_its_name_gets_nothing(office: Office) -> None:
    with pytest.raises(Transient, match="CertVerification"):
        office.smtp(tls=ssl.create_default_context()).send(a_mail(), ["ann@example.com"])
    assert office.post.got == []


def test_nothing_is_sent_in_the_clear_but_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server() as (post, at):
        smtp = Smtp(mail_account(f"smtp://{at}"))
        smtp.send(a_mail(), ["ann@example.com"])
        monkeypatch.setattr(MailAccount, "is_loopback", False)
        with pytest.raises(Transient, match="offers no TLS"):
            smtp.send(a_mail(), ["ann@example.com"])
    assert len(post.got) == 1


@pytest.mark.parametrize("beginning", [b"", b"220 hello\r\n"])
def test_a_server_that_drips_is_cut_off(beginning: bytes) -> None:
    with (
        dripping_mail_server(beginning) as at,
        pytest.raises(Transient, match="it took too long"),
    ):
        Smtp(mail_account(f"smtp://{at}"), deadline_seconds=0.2).send(a_mail(), ["ann@example.com"])


def test_a_server_that_is_not_there_is_tried_again() -> None:
    with pytest.raises(Transient, match="Refused"):
        Smtp(mail_account(f"smtp://127.0.0.1:{free_port()}")).send(a_mail(), ["ann@example.com"])


@pytest.mark.parametrize("url", ["http://x", "smtp://", "smtp://user:s3cret@host:port", "smtps:host"])
def test_a_bad_url_is_told_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="mail server's URL") as told:
        mail_account(url)
    assert "s3cret" not in str(told.value)


def test_a_servers_password_is_not_shown() -> None:
    account = mail_account("smtps://ann:p%40ss@mail.example")
    assert (account.port, account.is_implicit, account.password) == (465, True, "p@ss")
    assert "p@ss" not in repr(account)
