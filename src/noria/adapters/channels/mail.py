"""E-mail by SMTP, with the standard library's client in threads of its own (docs/decisions/0023)."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from noria.adapters.channels.outside import TIMEOUT_S, RefusedAddressError, addresses_of
from noria.kernel.instants import InstantMs, to_datetime
from noria.operate.channels import MAIL_ADDRESS, ChannelRow, Message, UndeliveredError
from noria.operate.sentences import closing

_THREADS = 4


class _Client(smtplib.SMTP):
    """Connects to the very address that was checked, with TLS from the first byte where that is set."""

    def __init__(self, allowed: frozenset[str], context: ssl.SSLContext | None) -> None:
        self._allowed = allowed
        self._context = context
        super().__init__(timeout=TIMEOUT_S)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        failure: OSError | None = None
        for address in addresses_of(host, port, self._allowed):
            try:
                plain = socket.create_connection((address, port), timeout)
            except OSError as error:
                failure = error
                continue
            return self._context.wrap_socket(plain, server_hostname=host) if self._context is not None else plain
        raise failure or OSError(f"{host} has no address")

    def named(self, host: str) -> None:
        """Tell by which name the certificate is checked after STARTTLS."""
        self._host = host


def mail_of(message: Message, sender: str, to: str, domain: str) -> EmailMessage:
    """The letter: text and HTML, with an id that stays the same however often it is sent."""
    letter = EmailMessage(SMTP)
    letter["Subject"] = " ".join(message.subject.split())
    letter["From"] = Address("Noria", addr_spec=sender)
    letter["To"] = Address(addr_spec=to)
    letter["Date"] = format_datetime(to_datetime(InstantMs(message.at)))
    letter["Message-ID"] = f"<{message.id}@{domain}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter["Content-Language"] = message.language
    lines = [message.body, ""]
    rich = [f"<p>{escape(message.body)}</p>"]
    if message.items:
        lines += [f"- {subject}\n  {link}" for subject, link in message.items]
        items = (f'<li><a href="{escape(link)}">{escape(subject)}</a></li>' for subject, link in message.items)
        rich.append(f"<ul>{''.join(items)}</ul>")
    opening, why = closing(message.kind, message.language)
    lines += ["", f"{opening}: {message.link}", "", why]
    rich.append(f'<p><a href="{escape(message.link)}">{escape(opening)}</a></p><p><small>{escape(why)}</small></p>')
    letter.set_content("\n".join(lines))
    letter.add_alternative(f'<html lang="{message.language}"><body>{"".join(rich)}</body></html>', subtype="html")
    return letter


class Mail:
    """`Channel`: one letter to each person."""

    _threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="noria-mail")

    def __init__(self, row: ChannelRow, allowed: frozenset[str]) -> None:
        self._settings = row.settings
        self._password = row.secrets.get("password", "")
        self._allowed = allowed

    async def send(self, message: Message, _now_ms: int) -> None:
        """Hand the letter to the mail server.

        Raises:
            UndeliveredError: the server did not take it; a refusal for ever (5xx) is final.
        """
        await asyncio.get_running_loop().run_in_executor(self._threads, self._send, message)

    def _send(self, message: Message) -> None:
        sender = self._settings["sender"]
        to = next((person.email for person in message.people), "")
        if not MAIL_ADDRESS.fullmatch(to):
            raise UndeliveredError(f"{to!r} is no e-mail address.", final=True)
        letter = mail_of(message, sender, to, sender.rpartition("@")[2])
        try:
            self._hand_over(letter, sender, to)
        except RefusedAddressError as error:
            raise UndeliveredError(str(error), final=True) from None
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise UndeliveredError(f"The mail server refused {to}: {_said(code, text)}.", final=code >= 500) from None
        except smtplib.SMTPResponseException as error:
            said = _said(error.smtp_code, error.smtp_error)
            raise UndeliveredError(f"The mail server refused: {said}.", final=error.smtp_code >= 500) from None
        except (smtplib.SMTPException, OSError) as error:
            raise UndeliveredError(f"The mail server cannot be used: {str(error)[:200]}.") from None

    def _hand_over(self, letter: EmailMessage, sender: str, to: str) -> None:
        host, port = self._settings["host"], int(self._settings["port"])
        security = self._settings["security"]
        context = ssl.create_default_context() if security != "none" else None
        with _Client(self._allowed, context if security == "tls" else None) as client:
            client.named(host)
            code, text = client.connect(host, port)
            if code != 220:
                raise smtplib.SMTPConnectError(code, text)
            if security == "starttls":
                client.starttls(context=context)
            if self._settings.get("username"):
                client.login(self._settings["username"], self._password)
            client.send_message(letter, sender, [to])


def _said(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())[:200]}"
