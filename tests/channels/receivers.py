"""What stands at the other end of a channel: servers on loopback that keep every byte they are sent."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import msgspec
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from noria.operate.channels import ChannelRow, Delivery, Message, Recipient
from tests.databases import need

LOOPBACK = frozenset({"127.0.0.1", "localhost"})


class Request(msgspec.Struct):
    """A request as it came: its first line, headers (small letters) and body."""

    line: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """An HTTP server that answers everything alike.

    Attributes:
        requests: what has come.
        answers: bodies to answer with; the last one stays.
        status: of the answers.
        url: where it is.
    """

    def __init__(self, answer: object = None) -> None:
        self.requests: list[Request] = []
        self.answer = msgspec.json.encode(answer if answer is not None else {})
        self.status = "200 OK"
        self.extra = ""
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *rest = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(Request(line, headers, body))
        lines = f"HTTP/1.1 {self.status}\r\nContent-Length: {len(self.answer)}\r\nConnection: close\r\n{self.extra}\r\n"
        writer.write(lines.encode() + self.answer)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def receiving(answer: object = None) -> AsyncIterator[Receiver]:
    receiver = Receiver(answer)
    server = await asyncio.start_server(receiver.handle, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield receiver


class Letter(msgspec.Struct):
    """A letter as the mail server took it."""

    sender: str
    to: list[str]
    content: bytes
    encrypted: bool
    user: str


class PostOffice:
    """A mail server's handler: keeps letters, refuses whom it is told to refuse."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.refused: dict[str, str] = {}
        self.port = 0

    async def handle_RCPT(  # noqa: N802 - the library's own name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        encrypted = session.ssl is not None or server.transport.get_extra_info("sslcontext") is not None
        user = session.auth_data.login.decode() if isinstance(session.auth_data, LoginPassword) else ""
        self.letters.append(Letter(envelope.mail_from or "", envelope.rcpt_tos, envelope.content, encrypted, user))
        return "250 OK"


@asynccontextmanager
async def post_office(
    certificate: SSLContext | None = None, security: str = "none", password: str = ""
) -> AsyncIterator[PostOffice]:
    """A mail server on loopback, with STARTTLS or TLS from the first byte, and a password if one is given."""
    office = PostOffice()

    def authenticate(*given: object) -> AuthResult:
        data = given[-1]
        assert isinstance(data, LoginPassword)
        return AuthResult(success=data.password == password.encode(), handled=False, auth_data=data)

    def protocol() -> SMTP:
        options = {"tls_context": certificate, "require_starttls": True} if security == "starttls" else {}
        if password:
            # With TLS from the first byte the library does not see that there is TLS.
            options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": security != "tls"}
        return SMTP(office, hostname="mail.test", **options)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=certificate if security == "tls" else None)
    office.port = server.sockets[0].getsockname()[1]
    async with server:
        yield office


def certificate_for(name: str, folder: Path) -> tuple[SSLContext, Path]:
    """A new certificate for a name on loopback: the server's context, and the file to be trusted."""
    need("" if shutil.which("openssl") else "openssl is not installed")
    key, file = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(file), "-days", "2", "-subj", f"/CN={name}"]
    subprocess.run([*command, "-addext", f"subjectAltName=DNS:{name}"], check=True, capture_output=True)
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return context, file


def channel(kind: str, **given: object) -> ChannelRow:
    """A channel as it is set up."""
    values: dict[str, object] = {"tenant": 1, "id": kind, "kind": kind, "name": kind}
    return ChannelRow(**{**values, **given})  # type: ignore[arg-type]


def message(**given: object) -> Message:
    """A reminder to 王强."""
    values: dict[str, object] = {
        "id": "3-17-0-room",
        "kind": "reminder",
        "language": "zh-CN",
        "subject": "即将超时：深沟球轴承",
        "body": "“主管审批”的办理时限已用去 80%。",
        "link": "https://noria.example/tasks/77-5",
        "people": (Recipient("wang", "王强", "wang@example.com"),),
        "at": 1_790_000_000_000,
        "iid": 77,
        "tok": 5,
        "params": {"title": "深沟球轴承", "share": 0.8},
        "source": "https://noria.example",
    }
    return Message(**{**values, **given})  # type: ignore[arg-type]


async def no_link(_letter: Delivery, _now_ms: int) -> str:
    """The link of a letter that sets a password, where there are none."""
    return ""
