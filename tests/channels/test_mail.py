"""E-mail: the letter as a mail server takes it, with TLS in both ways."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from noria.adapters.channels.mail import Mail
from noria.operate.channels import Recipient, UndeliveredError
from tests.channels.receivers import LOOPBACK, Letter, PostOffice, certificate_for, channel, message, post_office


def mail(office: PostOffice, security: str = "none", host: str = "127.0.0.1", **given: str) -> Mail:
    settings = {"host": host, "port": str(office.port), "security": security, "sender": "noria@example.com"}
    secrets = {"password": given.pop("password")} if "password" in given else {}
    return Mail(channel("email", settings={**settings, **given}, secrets=secrets), LOOPBACK)


def read(letter: Letter) -> EmailMessage:
    found = email.message_from_bytes(letter.content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


async def test_a_letter_goes_to_one_person_in_text_and_html() -> None:
    async with post_office() as office:
        await mail(office).send(message(), 0)
    (letter,) = office.letters
    assert (letter.sender, letter.to) == ("noria@example.com", ["wang@example.com"])
    found = read(letter)
    assert found["subject"] == "即将超时：深沟球轴承"
    assert found["from"] == "Noria <noria@example.com>"
    assert found["message-id"] == "<3-17-0-room@example.com>"
    assert found["auto-submitted"] == "auto-generated"
    text = found.get_body(("plain",)).get_content()
    assert text.startswith("“主管审批”的办理时限已用去 80%。")
    assert "https://noria.example/tasks/77-5" in text
    assert '<a href="https://noria.example/tasks/77-5">打开查看</a>' in found.get_body(("html",)).get_content()


async def test_what_people_wrote_is_neither_a_header_nor_html() -> None:
    hostile = "标题\r\nBcc: all@example.com\r\n\r\n<script>alert(1)</script>"
    async with post_office() as office:
        await mail(office).send(message(subject=hostile, body=hostile), 0)
    found = read(office.letters[0])
    assert found["bcc"] is None
    assert office.letters[0].to == ["wang@example.com"]
    assert "<script>" not in found.get_body(("html",)).get_content()


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_it_is_encrypted_signed_in_and_the_certificate_is_checked(
    security: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, file = certificate_for("localhost", tmp_path)
    async with post_office(context, security, "geheim") as office:
        to = mail(office, security, "localhost", username="noria", password="geheim")  # noqa: S106 - of nothing
        with pytest.raises(UndeliveredError, match="certificate verify failed"):
            await to.send(message(), 0)
        assert office.letters == []
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        await to.send(message(), 0)
        with pytest.raises(UndeliveredError, match=r"certificate verify failed.*127\.0\.0\.1|IP address mismatch"):
            await mail(office, security, "127.0.0.1").send(message(), 0)
    (letter,) = office.letters
    assert (letter.encrypted, letter.user) == (True, "noria")


async def test_a_wrong_password_is_final_and_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, file = certificate_for("localhost", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    async with post_office(context, "starttls", "right") as office:
        with pytest.raises(UndeliveredError) as failed:
            await mail(office, "starttls", "localhost", username="noria", password="guessed").send(message(), 0)  # noqa: S106
    assert failed.value.final
    assert "guessed" not in failed.value.message


@pytest.mark.parametrize(("answer", "final"), [("550 no such user", True), ("450 try later", False)])
async def test_a_refused_recipient_is_final_when_the_server_says_so(answer: str, final: bool) -> None:
    async with post_office() as office:
        office.refused["wang@example.com"] = answer
        with pytest.raises(UndeliveredError, match=answer[4:]) as failed:
            await mail(office).send(message(), 0)
    assert failed.value.final is final


@pytest.mark.parametrize("address", ["", "not an address", "a@b@c", "x@example.com\r\nRCPT TO:<y@example.com>"])
async def test_what_is_no_address_never_reaches_the_server(address: str) -> None:
    async with post_office() as office:
        with pytest.raises(UndeliveredError) as failed:
            await mail(office).send(message(people=(Recipient("x", "X", address),)), 0)
    assert failed.value.final
    assert office.letters == []


async def test_a_mail_server_in_a_private_network_needs_the_operators_word() -> None:
    async with post_office() as office:
        settings = {"host": "127.0.0.1", "port": str(office.port), "security": "none", "sender": "noria@example.com"}
        with pytest.raises(UndeliveredError, match=r"NORIA_ALLOW_HOSTS=127\.0\.0\.1"):
            await Mail(channel("email", settings=settings), frozenset()).send(message(), 0)
