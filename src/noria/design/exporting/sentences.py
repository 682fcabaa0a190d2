"""Every line that the report of an export to plain BPMN can hold, in English and Chinese (中文).

`{attribute}` is what the model says in Noria's words, `{value}` its value; the others are named by who reports.
"""

from __future__ import annotations

from typing import NamedTuple

from noria.design.findings import Severity


class Sentence(NamedTuple):
    """How grave it is, and its sentence in both languages.

    An info is said in the standard's words, or has no effect on what the model means; a warning is lost to other tools.
    """

    severity: Severity
    en: str
    zh: str


def _kept(en: str, zh: str) -> Sentence:
    return Sentence("info", en, zh)


def _lost(en: str, zh: str) -> Sentence:
    return Sentence("warning", en, zh)


SENTENCES: dict[str, Sentence] = {
    "export.language": _kept(
        "The file says now that its expressions are FEEL; otherwise other tools would take them for XPath.",
        "文件现已写明表达式语言为 FEEL；否则其他工具会按 XPath 理解。",
    ),
    "export.performer": _kept(
        "{attribute} is the task's human performer now: {value}",
        "{attribute} 已改写为任务的执行人（humanPerformer）：{value}",
    ),
    "export.owners": _kept(
        "{attribute} is a potential owner of the task now: {value}",
        "{attribute} 已改写为任务的潜在所有者（potentialOwner）：{value}",
    ),
    "export.context": _lost(
        "Who it is, is computed of {names}, which only Noria has: {value}",
        "由谁办理取决于只有 Noria 才有的 {names}：{value}",
    ),
    "export.superseded": _lost(
        "The {role} written before was not what counts here, and was replaced by {attribute}.",
        "原有的 {role} 在 Noria 中不起作用，已由 {attribute} 取代。",
    ),
    "export.instances": _lost(
        "The approval ({mode}) became one instance of the task for each of {value}; what each decides, and that a "
        "refusal ends it, other tools do not know.",
        "审批（{mode}）已改写为多实例任务，每人一个实例：{value}；各人的意见以及“一人驳回即结束”其他工具无法知道。",
    ),
    "export.first_decides": _lost(
        "The approval ({mode}) became one instance of the task for each of {value}, and the first that completes ends "
        "the others; what is decided, other tools do not know.",
        "审批（{mode}）已改写为多实例任务，每人一个实例：{value}，先完成者结束其余实例；意见内容其他工具无法知道。",
    ),
    "export.no_rule": _lost(
        "The rule of the approval ({mode}) has no standard word: it became one plain task, offered to {value}.",
        "审批规则（{mode}）没有标准写法，已改写为一个普通任务，候选人为 {value}。",
    ),
    "export.single": _lost(
        "The approval became a plain task; whether it was approved or refused, other tools do not know.",
        "审批已改写为普通任务；是同意还是驳回，其他工具无法知道。",
    ),
    "export.operation": _kept(
        "{attribute} is an operation now that the task invokes: {value}",
        "{attribute} 已改写为任务调用的操作（operation）：{value}",
    ),
    "export.collection": _kept(
        "{attribute} is the loop's data input now: {value}",
        "{attribute} 已改写为循环的数据输入：{value}",
    ),
    "export.results": _kept(
        "{attribute} is the loop's data output now: {value}",
        "{attribute} 已改写为循环的数据输出：{value}",
    ),
    "export.count": _lost(
        "{attribute} is computed: the loop has as many instances now, but they no longer find their items.",
        "{attribute} 是计算得到的：循环的实例数不变，但各实例取不到自己的元素。",
    ),
    "export.lane": _kept("{attribute} is the lane's name now: {value}", "{attribute} 已改写为泳道名称：{value}"),
    "export.described": _lost(
        "{attribute} has no standard word: it stands in the documentation and does nothing any more. It said {value}",
        "{attribute} 没有标准写法：已写入说明文字，不再起作用。原值为 {value}",
    ),
    "export.technical": _kept(
        "{attribute} only says how the work is carried out: it stands in the documentation. It said {value}",
        "{attribute} 只影响执行方式：已写入说明文字。原值为 {value}",
    ),
    "export.computed": _lost(
        "{attribute} is computed here, where the standard has a constant: it stands in the documentation. It said "
        "{value}",
        "{attribute} 在这里是计算得到的，而标准只允许常量：已写入说明文字。原值为 {value}",
    ),
    "export.foreign": _lost(
        "{attribute} is another tool's ({namespace}); it was left out.",
        "{attribute} 属于其他工具（{namespace}），已去掉。",
    ),
    "export.drawing": _kept(
        "The drawing holds {count} notes of another tool ({namespace}), such as colours; they were left out.",
        "图形中有 {count} 处其他工具（{namespace}）的标注（如颜色），已去掉。",
    ),
}
