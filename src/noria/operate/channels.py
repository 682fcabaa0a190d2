"""Channels (通知渠道): what leads out of the house, what each needs, and which notices go by which."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import ClassVar, Literal, Protocol
from urllib.parse import urlsplit

import msgspec

from noria.kernel.errors import NoriaError, Rejected
from noria.kernel.numbers import whole_number
from noria.operate.notices import ABOUT_TASKS, KINDS, SHOWING, Members, Notice
from noria.operate.preferences import DEFAULT, IN_APP, Language, Preference, wants

ChannelKind = Literal["email", "webpush", "wecom", "dingtalk", "feishu", "webhook"]

PERSONAL = frozenset({"email", "webpush"})
"""Kinds that reach one person at a time; the others post once for all whom it concerns: into a room, to a program."""

_ID = re.compile(r"[a-z][a-z0-9_-]{0,39}")
MAIL_ADDRESS = re.compile(r"[^\s@<>\",;:]{1,64}@[^\s@<>\",;:]{1,255}")
SECRET_CHARS_MIN = 24
PUSH_SERVICES = ("fcm.googleapis.com", "push.services.mozilla.com", "notify.windows.com", "push.apple.com")
"""Hosts that browsers are reached through: Chrome's, Firefox's, Edge's and Safari's; each with what is below it."""
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


class Setting(msgspec.Struct, frozen=True):
    """One thing that a kind of channel must be told.

    Attributes:
        name: its key.
        secret: never shown again once it is stored.
        needed: whether it may be left out.
    """

    name: str
    secret: bool = False
    needed: bool = True


SETTINGS: dict[ChannelKind, tuple[Setting, ...]] = {
    "email": (
        Setting("host"),
        Setting("port"),
        Setting("security"),
        Setting("sender"),
        Setting("username", needed=False),
        Setting("password", secret=True, needed=False),
    ),
    # Its keys are made here, once, and given by nobody.
    "webpush": (
        Setting("contact"),
        Setting("hosts", needed=False),
        Setting("public_key"),
        Setting("private_key", secret=True),
    ),
    # Whoever has a robot's address may post: the address itself is the secret.
    "wecom": (Setting("url", secret=True),),
    "dingtalk": (Setting("url", secret=True), Setting("secret", secret=True, needed=False)),
    "feishu": (Setting("url", secret=True), Setting("secret", secret=True, needed=False)),
    "webhook": (Setting("url"), Setting("secret", secret=True)),
}
SECURITY = ("tls", "starttls", "none")


class ChannelRow(msgspec.Struct, frozen=True, kw_only=True):
    """A channel as it is set up.

    Attributes:
        tenant: whose.
        id: its key, never `preferences.IN_APP`.
        kind: what it is.
        name: what people call it.
        enabled: whether anything is sent.
        language: of what it posts into a room.
        kinds: kinds of notices that it sends; () for all.
        groups: roles or units whose members it concerns; () for everybody.
        settings: what it must be told, but for secrets.
        secrets: what nobody is shown.
    """

    tenant: int
    id: str
    kind: ChannelKind
    name: str
    enabled: bool = True
    language: Language = "zh-CN"
    kinds: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    settings: dict[str, str] = {}
    secrets: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def personal(self) -> bool:
        """Whether it reaches one person at a time."""
        return self.kind in PERSONAL

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts that devices may be reached through; a name stands for what is below it too."""
        given = self.settings.get("hosts", "").replace(",", " ").lower().split()
        return tuple(given) or PUSH_SERVICES

    def concerns(self, groups: Collection[str]) -> bool:
        """Whether it concerns somebody in these groups."""
        return not self.groups or any(group in groups for group in self.groups)

    def __repr__(self) -> str:
        return f"ChannelRow({self.tenant}, {self.id!r}, {self.kind!r})"  # no secrets, wherever this may be written


class Recipient(msgspec.Struct, frozen=True):
    """Somebody whom a message is for; `handle` is what the channel calls them, "" when that is not known."""

    id: str
    name: str
    email: str = ""
    handle: str = ""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel sends.

    Attributes:
        id: stays the same however often it is sent; receivers leave out repetitions by it.
        kind: of notices, or "digest" or "test".
        language: of its sentences.
        subject, body: sentences.
        link: page that it leads to; opening it decides nothing.
        items: subject and link of each notice of a digest.
        people: whom it is for.
        at: instant of what happened, ms.
        iid: the instance, 0 for none.
        tok: the task, 0 for none.
        params: what the sentences name.
        source: address of this Noria.
    """

    id: str
    kind: str
    language: Language
    subject: str
    body: str
    link: str
    items: tuple[tuple[str, str], ...] = ()
    people: tuple[Recipient, ...] = ()
    at: int = 0
    iid: int = 0
    tok: int = 0
    params: dict[str, object] = {}
    source: str = ""


class UndeliveredError(NoriaError):
    """A channel did not take a message.

    Args:
        message: why, without any secret.
        final: trying again would not help.
        retry_after_ms: how long the other side asks to wait, 0 when it does not say.
        alone: it says nothing of whether the channel reaches others.
    """

    code: ClassVar[str] = "channel.undelivered"

    def __init__(self, message: str, *, final: bool = False, retry_after_ms: int = 0, alone: bool = False) -> None:
        super().__init__(message)
        self.final = final
        self.retry_after_ms = retry_after_ms
        self.alone = alone


class NoDeviceError(UndeliveredError):
    """Somebody has no device any more that a message could go to: there is nothing to be tried again."""

    code: ClassVar[str] = "channel.no_device"

    def __init__(self) -> None:
        super().__init__("No device is registered for notices any more.", final=True, alone=True)


class NotInstalledError(UndeliveredError):
    """A channel needs a package that is not installed; when it is, what waits is sent."""

    code: ClassVar[str] = "channel.not_installed"


class Channel(Protocol):
    """One way out of the house."""

    async def send(self, message: Message, now_ms: int) -> None:
        """Hand a message over; it may have been handed over before.

        Raises:
            UndeliveredError: the other side did not take it.
        """
        ...


MakeChannel = Callable[[ChannelRow], Channel]


class Delivery(msgspec.Struct, kw_only=True):
    """A message on its way by one channel.

    Attributes:
        shard, seq, n: the notice that it comes from, the first of several.
        channel: id of the channel.
        tenant: whose.
        person: who is told, "" in a room.
        people: ids of all whom it concerns.
        at, kind, iid, tok, params: as of the notice.
        state: "waiting", "sent", "dead" (given up) or "dropped" (nothing to say any more).
        due: not before this instant, ms.
        attempts: how often it was tried.
        error: why the last try failed, or why it was dropped.
        sent: when, 0 for not yet.
        message: id of the message that took it, "" before.
    """

    shard: int
    seq: int
    n: int
    channel: str
    tenant: int
    person: str
    people: tuple[str, ...]
    at: int
    kind: str
    iid: int
    tok: int
    params: dict[str, object]
    state: str = "waiting"
    due: int = 0
    attempts: int = 0
    error: str = ""
    sent: int = 0
    message: str = ""

    @property
    def id(self) -> str:
        """What receivers leave out repetitions by."""
        return f"{self.shard}-{self.seq}-{self.n}-{self.channel}"


def in_app(notices: Iterable[Notice], preferences: Mapping[str, Preference]) -> list[tuple[Notice, int]]:
    """Those that are kept, each with when it counts as read, 0 for not yet.

    What lets a person see a request is kept also where the person does not want it behind the bell; it is read then.
    """
    kept = []
    for one in notices:
        wanted = wants(preferences.get(one.person, DEFAULT), one.kind, IN_APP)
        if wanted or one.kind in SHOWING:
            kept.append((one, 0 if wanted else one.at))
    return kept


def deliveries_of(
    notices: Sequence[Notice],
    channels: Iterable[ChannelRow],
    preferences: Mapping[str, Preference],
    members: Members,
    with_devices: Collection[str] = (),
) -> list[Delivery]:
    """What leaves the house for some notices of one tenant: to each person who wants it, and once into each room.

    A program at the other end of a webhook has no preferences: it is told of all that its channel concerns.

    Args:
        notices: of one tenant.
        channels: its channels.
        preferences: of the people who are told.
        members: who is in which group.
        with_devices: those of them who have a device that is reached by Web Push.
    """
    found: dict[tuple[object, ...], Delivery] = {}
    people = members.organisation.people
    for channel in channels:
        if not channel.enabled:
            continue
        concerned = set(members.of(channel.groups)) if channel.groups else None
        for notice in notices:
            if channel.kinds and notice.kind not in channel.kinds:
                continue
            if concerned is not None and notice.person not in concerned:
                continue
            chosen = preferences.get(notice.person, DEFAULT)
            if channel.kind != "webhook" and not wants(chosen, notice.kind, channel.id):
                continue
            person_of = people[notice.person]
            if not person_of.active or (channel.kind == "email" and not person_of.email):
                continue
            if channel.kind == "webpush" and notice.person not in with_devices:
                continue
            person = notice.person if channel.personal else ""
            key = (channel.id, person, notice.shard, notice.seq, notice.kind, notice.tok)
            if key in found:
                found[key].people = (*found[key].people, notice.person)
                continue
            found[key] = Delivery(
                shard=notice.shard,
                seq=notice.seq,
                n=notice.n,
                channel=channel.id,
                tenant=notice.tenant,
                person=person,
                people=(notice.person,),
                at=notice.at,
                kind=notice.kind,
                iid=notice.iid,
                tok=notice.tok,
                params=notice.params,
                due=notice.at,
            )
    return list(found.values())


def link_to(base: str, kind: str, iid: int, tok: int) -> str:
    """The page that a notice leads to: the task while it is the matter, else the instance."""
    if not iid:
        return f"{base}/tasks"
    return f"{base}/tasks/{iid}-{tok}" if tok and kind in ABOUT_TASKS else f"{base}/instances/{iid}"


def check_address(address: str, plain_hosts: frozenset[str]) -> str:
    """What is wrong with an address of the outside, "" when nothing is.

    Args:
        address: as somebody wrote it.
        plain_hosts: hosts that the operator of the machine allows; only they may be spoken to without TLS.
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"This is no address: {error}."
    if parts.scheme not in ("https", "http") or not host:
        return "An address begins with https:// and names a host."
    if parts.username is not None or parts.fragment:
        return "An address holds neither user names nor a fragment (#)."
    if parts.scheme == "http" and host not in plain_hosts:
        return f"Without TLS nothing is sent to {host}; use https, or have the operator allow the host."
    return ""


def check_channel(row: ChannelRow, plain_hosts: frozenset[str]) -> Rejected | None:
    """What is wrong with a channel, None when nothing is."""

    def refuse(field: str, message: str) -> Rejected:
        return Rejected("channel.invalid", message, {"fields": {field: "channel.invalid"}})

    if not _ID.fullmatch(row.id) or row.id == IN_APP:
        return refuse("id", "A channel's id has up to 40 small letters, digits, - and _, and begins with a letter.")
    if not row.name.strip():
        return refuse("name", "A channel needs a name.")
    unknown = next((kind for kind in row.kinds if kind not in KINDS), None)
    if unknown is not None:
        return refuse("kinds", f"There is no kind of notices {unknown!r}.")
    known = {setting.name for setting in SETTINGS[row.kind]}
    given = {**row.settings, **row.secrets}
    stray = next((name for name in given if name not in known), None)
    if stray is not None:
        return refuse(stray, f"A channel of kind {row.kind} has no setting {stray!r}.")
    for setting in SETTINGS[row.kind]:
        value = given.get(setting.name, "")
        if setting.needed and not value.strip():
            return refuse(setting.name, f"A channel of kind {row.kind} needs {setting.name!r}.")
        if any(ord(char) < 32 for char in value):
            return refuse(setting.name, f"{setting.name!r} is one line of text.")
    if row.kind == "email":
        return _check_mail(row.settings, row.secrets, refuse)
    if row.kind == "webpush":
        return _check_push(row, plain_hosts, refuse)
    problem = check_address(given["url"], plain_hosts)
    if problem:
        return refuse("url", problem)
    if row.kind == "webhook" and len(given["secret"]) < SECRET_CHARS_MIN:
        return refuse("secret", f"The secret of a webhook has at least {SECRET_CHARS_MIN} characters.")
    return None


def _check_mail(
    settings: Mapping[str, str], secrets: Mapping[str, str], refuse: Callable[[str, str], Rejected]
) -> Rejected | None:
    if not whole_number(settings["port"], 65_535):
        return refuse("port", "A port is a number from 1 to 65535.")
    if settings["security"] not in SECURITY:
        return refuse("security", f"security is one of {', '.join(SECURITY)}.")
    if settings["security"] == "none" and secrets.get("password"):
        return refuse("security", "A password is never sent without TLS; choose tls or starttls.")
    if not MAIL_ADDRESS.fullmatch(settings["sender"]):
        return refuse("sender", "The sender is an e-mail address.")
    if bool(settings.get("username")) != bool(secrets.get("password")):
        return refuse("password", "User name and password go together.")
    return None


def _check_push(
    row: ChannelRow, plain_hosts: frozenset[str], refuse: Callable[[str, str], Rejected]
) -> Rejected | None:
    scheme, _, rest = row.settings["contact"].partition(":")
    is_mail = scheme == "mailto" and MAIL_ADDRESS.fullmatch(rest)
    if not is_mail and (scheme != "https" or check_address(row.settings["contact"], plain_hosts)):
        return refuse("contact", "The contact is mailto: and an e-mail address, or an https:// address (RFC 8292).")
    stray = next((host for host in row.hosts if not _HOST.fullmatch(host)), None)
    if stray is not None:
        return refuse("hosts", f"{stray!r} is no host name; hosts are names with blanks or commas between them.")
    return None
