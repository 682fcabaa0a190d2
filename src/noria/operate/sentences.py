"""The sentences of messages that leave the house, in each language: the one place for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from noria.operate.preferences import Language
from noria.trust.password_links import LASTS_MS

TEXT_CHARS_MAX = 500
"""Of what people wrote, in one message; the page has all of it."""


class Sentence(NamedTuple):
    """A line to be recognised by, and what happened."""

    subject: str
    body: str


_SENTENCES: dict[str, dict[Language, Sentence]] = {
    "task": {
        "zh-CN": Sentence("新待办：{title}", "“{element}”等您办理。"),
        "en": Sentence("New task: {title}", "“{element}” waits for you."),
    },
    "offered": {
        "zh-CN": Sentence("待认领：{title}", "“{element}”可由您认领。"),
        "en": Sentence("To be claimed: {title}", "“{element}” may be claimed by you."),
    },
    "assigned": {
        "zh-CN": Sentence("转办给您：{title}", "{by}把“{element}”转给您办理。{text}"),
        "en": Sentence("Handed over to you: {title}", "{by} handed “{element}” over to you. {text}"),
    },
    "reminder": {
        "zh-CN": Sentence("即将超时：{title}", "“{element}”的办理时限已用去 {percent}%。"),
        "en": Sentence("Due soon: {title}", "{percent}% of the time for “{element}” is gone."),
    },
    "overdue": {
        "zh-CN": Sentence("已超时：{title}", "“{element}”已超过办理时限。"),
        "en": Sentence("Overdue: {title}", "The time for “{element}” is over."),
    },
    "urged": {
        "zh-CN": Sentence("催办：{title}", "{by}请您尽快办理。{text}"),
        "en": Sentence("Urged: {title}", "{by} asks you to hurry. {text}"),
    },
    "returned": {
        "zh-CN": Sentence("已退回：{title}", "{by}退回到“{element}”，原因：{reason}"),
        "en": Sentence("Returned: {title}", "{by} returned it to “{element}”. Reason: {reason}"),
    },
    "mentioned": {
        "zh-CN": Sentence("有人@您：{title}", "{by}：{text}"),
        "en": Sentence("You were mentioned: {title}", "{by}: {text}"),
    },
    "handed_back": {
        "zh-CN": Sentence("已交回：{title}", "{by}办完您委派的事项并交回。{text}"),
        "en": Sentence("Given back: {title}", "{by} has done what you delegated, and gives it back. {text}"),
    },
    "taken_back": {
        "zh-CN": Sentence("取回完成：{title}", "其后已办事项均已撤销，“{element}”又待您办理。"),
        "en": Sentence("Taken back: {title}", "What followed has been undone; “{element}” waits for you again."),
    },
    "copied": {
        "zh-CN": Sentence("抄送：{title}", "{by}抄送给您。{text}"),
        "en": Sentence("Copy: {title}", "{by} sends you a copy. {text}"),
    },
    "consulted": {
        "zh-CN": Sentence("征询意见：{title}", "{by}征询您的意见：{text}"),
        "en": Sentence("Your opinion: {title}", "{by} asks for your opinion: {text}"),
    },
    "answered": {
        "zh-CN": Sentence("征询已回复：{title}", "{by}回复：{text}"),
        "en": Sentence("Answered: {title}", "{by} answers: {text}"),
    },
    "nobody": {
        "zh-CN": Sentence("找不到审批人：{title}", "“{element}”找不到审批人，现由您处理。"),
        "en": Sentence("Nobody found: {title}", "Nobody was found for “{element}”; it has come to you."),
    },
    "refused": {
        "zh-CN": Sentence("未通过：{title}", "{by}在“{element}”驳回了您的申请。"),
        "en": Sentence("Refused: {title}", "{by} refused your request at “{element}”."),
    },
    "completed": {
        "zh-CN": Sentence("已办结：{title}", "您的申请已办结。"),
        "en": Sentence("Completed: {title}", "Your request is completed."),
    },
    "terminated": {
        "zh-CN": Sentence("已终止：{title}", "您的申请已被终止，原因：{reason}"),
        "en": Sentence("Terminated: {title}", "Your request was terminated. Reason: {reason}"),
    },
    "withdrawn": {
        "zh-CN": Sentence("已撤回：{title}", "{by}撤回了申请，无需再办理。{text}"),
        "en": Sentence("Withdrawn: {title}", "{by} withdrew the request; nothing is to be done. {text}"),
    },
    "invitation": {
        "zh-CN": Sentence(
            "请设置您的 Noria 密码", "您的用户名是 {username}。请在 {hours} 小时内打开链接设置密码；链接只能使用一次。"
        ),
        "en": Sentence(
            "Set your password for Noria",
            "Your user name is {username}. Open the link within {hours} hours and set your password; it works once.",
        ),
    },
    "forgotten": {
        "zh-CN": Sentence(
            "重设您的 Noria 密码",
            "有人为用户名 {username} 申请重设密码。若是您本人，请在 {hours} 小时内打开链接设置；若不是，请忽略此邮件。",
        ),
        "en": Sentence(
            "Set a new password for Noria",
            "Somebody asked for a new password for the user name {username}. If it was you, open the link within "
            "{hours} hour and set one. If not, do nothing.",
        ),
    },
    "digest": {
        "zh-CN": Sentence("{count} 条通知", "以下通知合并发送："),
        "en": Sentence("{count} notices", "These notices are sent together:"),
    },
    "test": {
        "zh-CN": Sentence("Noria 测试消息", "{by}发送的测试消息。收到它，说明此渠道可用。"),
        "en": Sentence(
            "Test message of Noria", "A test message sent by {by}. Who receives it knows that the channel works."
        ),
    },
}

OPEN: dict[Language, str] = {"zh-CN": "打开查看", "en": "Open"}
WHY: dict[Language, str] = {
    "zh-CN": "此邮件由 Noria 发送。打开链接不会办理任何事项；可在“通知设置”中更改。",
    "en": "Sent by Noria. Opening the link decides nothing; change what you are told in “Notice settings”.",
}

_SET: dict[Language, tuple[str, str]] = {
    "zh-CN": ("设置密码", "此邮件由 Noria 发送。请勿转发：持有链接的人可以设置您的密码。"),
    "en": ("Set the password", "Sent by Noria. Do not pass it on: whoever has the link can set your password."),
}


def closing(kind: str, language: Language) -> tuple[str, str]:
    """What the link of a letter is called, and why it was sent."""
    return _SET[language] if kind in LASTS_MS else (OPEN[language], WHY[language])


def sentence(kind: str, language: Language, params: Mapping[str, object]) -> Sentence:
    """What a message of a kind says.

    Args:
        kind: of `notices.KINDS`, or of a letter with a link, or "digest" or "test".
        language: which.
        params: what the sentence names; texts are cut.
    """
    words = {
        "title": "",
        "element": "",
        "by": "",
        "text": "",
        "reason": "",
        "percent": "",
        "count": "",
        "username": "",
        "hours": "",
    }
    for name, value in params.items():
        if name == "share" and isinstance(value, int | float):
            words["percent"] = f"{value * 100:.0f}"
        elif isinstance(value, str | int):
            words[name] = str(value)[:TEXT_CHARS_MAX]
    found = _SENTENCES[kind][language]
    return Sentence(found.subject.format_map(words).strip(), found.body.format_map(words).strip())
