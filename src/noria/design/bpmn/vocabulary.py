"""The words of Noria's namespace: each attribute and element with what it says, its type and its default.

The reader takes from here what an attribute may say, the reference page what it means, and modellers the same as an
extension package of moddle (`moddle`), the format in which bpmn-js and bpmn-moddle learn of a namespace.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from noria.design.bpmn.names import ATTRIBUTES, EVERY_NODE, NORIA


class Attribute(msgspec.Struct, frozen=True):
    """An attribute in Noria's namespace.

    Attributes:
        meaning: for who models.
        type: of its constant; FEEL is a "String".
        default: what counts where it is not given; None where nothing does, or where it is computed.
        one_of: the words that it may be; () for any text.
    """

    meaning: str
    type: Literal["String", "Boolean", "Integer"] = "String"
    default: str | bool | int | None = None
    one_of: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The texts that it may be; () for any."""
        return ("true", "false") if self.type == "Boolean" else self.one_of


VOCABULARY: dict[str, Attribute] = {
    "activities": Attribute(
        "FEEL for the ids of the activities that begin by themselves; without it all without incoming flow."
    ),
    "amount": Attribute("FEEL for the amount that substitutes are limited by; without it the variable `amount`."),
    "assignee": Attribute("FEEL or constant: id of the one person who gets the task."),
    "binding": Attribute(
        "`latest` (default), `deployment` or `version`: which version of the called process runs.",
        default="latest",
        one_of=("latest", "deployment", "version"),
    ),
    "bulkApproval": Attribute(
        "`true`: the task may be agreed to together with others, without being opened 批量审批; one that needs a "
        "field or a signature is left out.",
        "Boolean",
        default=False,
    ),
    "businessKey": Attribute("FEEL for the business key of the called instance; without it that of the caller."),
    "calendar": Attribute(
        "Id of the working calendar in which the limit counts, or `unit` for that of the responsible "
        "unit; without it clock time counts."
    ),
    "candidateGroups": Attribute(
        "Roles or units whose members may claim the task: a comma list, or FEEL that gives a list."
    ),
    "candidateUsers": Attribute("Person ids who may claim the task: a comma list, or FEEL that gives a list."),
    "codeVariable": Attribute("Variable that receives the caught code."),
    "collection": Attribute("FEEL for the list whose items the instances get, one each."),
    "approval": Attribute(
        "The task is an approval: `allOf` 会签, `anyOf` 或签, `inTurn` 依次审批, `vote` 票签.",
        one_of=("allOf", "anyOf", "inTurn", "vote"),
    ),
    "approvers": Attribute(
        "Who decides: person ids separated by commas, or FEEL that gives one, a list, or contexts with `person`, for a "
        "vote `weight` and `veto`; without it the assignee."
    ),
    "passShare": Attribute("Of a vote: the share of the weights that approves it, 0..1; a number or FEEL."),
    "passCount": Attribute("Of a vote: the sum of weights that approves it; a number or FEEL."),
    "refusal": Attribute(
        "`atOnce` (default): one refusal ends an `allOf`; `afterAll`: only when everybody has decided.",
        default="atOnce",
        one_of=("atOnce", "afterAll"),
    ),
    "whenRefused": Attribute(
        "`end` (default): a refused request ends as refused 驳回; `goOn`: the task is left, and the model "
        'says what follows by its `resultVariable`, "approved" or "refused".',
        default="end",
        one_of=("end", "goOn"),
    ),
    "whenStarter": Attribute(
        "An approver who started the request 审批人=发起人: `ask` (default), `skip` as approving, or the "
        "`manager` is asked; not in a round after a return.",
        default="ask",
        one_of=("ask", "skip", "manager"),
    ),
    "repeats": Attribute(
        "An approver who has approved the request before 自动去重: `ask` (default), `skip` as approving, "
        "`skipConsecutive` where that was the decision before; not in a round after a return.",
        default="ask",
        one_of=("ask", "skip", "skipConsecutive"),
    ),
    "whenNobody": Attribute(
        "Nobody is found 审批人为空: the task goes to the process `owner` (default), an `administrator` or a "
        "`person`; an approval may also be done with `approve` or `refuse`.",
        default="owner",
        one_of=("owner", "administrator", "person", "approve", "refuse"),
    ),
    "nobodyTo": Attribute("FEEL: that person."),
    "whenUncaught": Attribute(
        "Nothing catches the error that is thrown here, or that the called process has ended with: an `incident` "
        "(default) waits for somebody, or with `goOn` it counts as a plain end.",
        default="incident",
        one_of=("incident", "goOn"),
    ),
    "whenOverdue": Attribute(
        "Besides reminding, when the limit has passed 超时动作: `approve`, `refuse`, `transfer`, `escalate`,"
        " which throws the escalation `overdue`; `remind` (default) for nothing.",
        default="remind",
        one_of=("remind", "approve", "refuse", "transfer", "escalate"),
    ),
    "overdueTo": Attribute("FEEL: whom it is transferred to then."),
    "remindEvery": Attribute("ISO 8601 duration between further reminders behind the limit."),
    "remindTimes": Attribute("How many of them, up to 100.", "Integer"),
    "copyTo": Attribute("FEEL or a comma list: who is let know when the task is done 抄送."),
    "completedByStart": Attribute(
        "`true`: the start form counts as this task's submission in the first round.", "Boolean", False
    ),
    "correlation": Attribute(
        "FEEL for the correlation key of the message; without it the business key. Of a thrown signal: the business "
        "key of what it starts; without it that has none."
    ),
    "decision": Attribute("Id of a DMN decision of the same deployment, or of one that is deployed already."),
    "dueIn": Attribute("ISO 8601 duration (or FEEL that gives one) until the task is overdue."),
    "hiddenFields": Attribute(
        "Variables of the form that this step neither shows nor takes, a comma list. Who has no other "
        "step that shows them, and is not their starter, sees them nowhere."
    ),
    "writableFields": Attribute(
        "Variables of the form that may be written at this step, a comma list (empty: none); all others "
        "are read-only. Without it all may."
    ),
    "everyChange": Attribute(
        "`true`: each change of a watched variable while the condition holds is an occurrence, and without "
        "`noria:variables` all that the event sees are watched. Without it the condition must fail in between.",
        "Boolean",
        False,
    ),
    "form": Attribute("Name of a form of the same deployment, or of one that is deployed already."),
    "group": Attribute(
        "Role or unit of the candidates of user tasks in it that name nobody; without it the lane's name."
    ),
    "item": Attribute("Variable in which an instance finds its item."),
    "jobPriority": Attribute(
        "A whole number from 0 to 1,000,000 or FEEL that gives one; without it that of the process, or "
        "0. Of the jobs, timers and save points that are due, those of higher priority go first."
    ),
    "message": Attribute("Message of a thrown error, FEEL or constant; without it the event's name."),
    "messageVariable": Attribute("Variable that receives the caught error's message."),
    "on": Attribute(
        "`create`, `update` or both (default): which change of a variable has the condition looked at. "
        "With an empty condition and `noria:variables` the change itself is the event."
    ),
    "outputCollection": Attribute(
        "Variable that receives the list of the instances' results, in the order of the instances."
    ),
    "outputItem": Attribute("FEEL for an instance's result, evaluated when it completes."),
    "passOn": Attribute(
        "`true`: what the element brings goes outwards beside its outputs, except what its inputs name, and each goes "
        "to the nearest scope that has such a variable, or else to the process. `outputs`: likewise, but an element "
        "that has outputs gives away nothing but these; beside its inputs a worker sees what the element sees, and "
        "boundary events see the inputs, too; in a loop, what `outputItem` names is each instance's own, "
        "the completion condition sees the variables of the instance that has completed, and instances that it ends "
        "count as null in `outputCollection`. "
        "Without it an element that has outputs gives away nothing but these, to the scope around it.",
        default="false",
        one_of=("true", "false", "outputs"),
    ),
    "priority": Attribute("FEEL or constant from 0 to 100; without it 50."),
    "propagateIn": Attribute(
        "`false`: the caller's variables do not become the called instance's, but for what its inputs name, and with "
        '`passOn="outputs"` what a loop gives each instance.',
        "Boolean",
        True,
    ),
    "propagateOut": Attribute("`false`: the called instance's variables do not come back.", "Boolean", True),
    "remindAt": Attribute(
        "Shares of the limit at which people are reminded; without it `0.8,1.0` when there is a limit."
    ),
    "resultVariable": Attribute("Variable that receives the result."),
    "retries": Attribute(
        "How often a job is tried, from 1 to 100; without it 3. Then an incident is raised.", "Integer", 3
    ),
    "retryWait": Attribute("Waits before the further tries, ISO 8601, comma list; without it `PT10S,PT1M,PT5M`."),
    "saveAfter": Attribute(
        "`true`: a save point behind the element; what follows is a step of its own. On a loop's "
        "characteristics: behind each of its instances.",
        "Boolean",
        False,
    ),
    "saveBefore": Attribute(
        "`true`: a save point before the element. On a loop's characteristics: before each of its instances.",
        "Boolean",
        False,
    ),
    "separateFrom": Attribute(
        "Ids of user tasks, or a start event, whose doers may not do this task: a comma list (four "
        "eyes). Tested for whoever does it and for whom it is done."
    ),
    "serial": Attribute("Pattern of the business key drawn at start, such as `CG-{year}-{number:06d}`."),
    "starterGroups": Attribute("Roles or units that may start the process; without it every employee."),
    "summary": Attribute("Variables shown on a task's card, a comma list."),
    "terminateLoop": Attribute(
        "`true`: the end event ends all instances of the loop around it and not only its own.", "Boolean", False
    ),
    "terminateAll": Attribute(
        "`true`: the end event ends the whole instance and not only its sub-process.", "Boolean", False
    ),
    "title": Attribute(
        "FEEL for the line that names an instance in lists. On a user task: for its name, computed when "
        "it opens; without it, or when it gives neither a text nor a number, the name of its element."
    ),
    "topic": Attribute("FEEL or constant: workers fetch the job by it."),
    "variables": Attribute(
        "Variables whose change has the condition looked at, a comma list; without it those it names. "
        "Without a condition every change of one of them is an occurrence."
    ),
    "version": Attribute('Which version with `binding="version"`.', "Integer"),
    "withinInstance": Attribute(
        "`true`: a signal that an instance throws reaches only that instance, its callers and those they have called.",
        "Boolean",
        False,
    ),
    "withdrawable": Attribute(
        "`before_first_decision` (default), `always` or `never`.",
        default="before_first_decision",
        one_of=("before_first_decision", "always", "never"),
    ),
}
"""By name: what `ATTRIBUTES` has at several elements means the same at each."""


class ExtensionElement(msgspec.Struct, frozen=True):
    """An element in Noria's namespace, inside ``extensionElements``.

    Attributes:
        meaning: for who models.
        attributes: without a prefix, each with what it says.
    """

    meaning: str
    attributes: dict[str, str]


EXTENSION_ELEMENTS: dict[str, ExtensionElement] = {
    "input": ExtensionElement(
        "Before the element begins: a variable of its own.",
        {
            "source": "FEEL behind `=`, which sees what is around the element, or a constant.",
            "target": "Name of the variable; it is gone when the element has been left.",
        },
    ),
    "output": ExtensionElement(
        "When the element has completed: a variable around it.",
        {
            "source": "FEEL behind `=`, which sees the element's own variables and its result, or a constant.",
            "target": "Name of the variable.",
        },
    ),
    "header": ExtensionElement(
        "A constant for the worker of the element's job, along with the variables.",
        {"name": "Name of the header.", "value": "Its value."},
    ),
}

_DESCRIPTION = "Noria's extensions of BPMN 2.0: people, approvals, limits, jobs and data, as `noria check` reads them."


def moddle() -> dict[str, Any]:
    """Noria's namespace as an extension package of moddle: what bpmn-js and bpmn-moddle take as `moddleExtensions`.

    Every BPMN element that has attributes of Noria's is extended by a type of its own; words are enumerations.

    Source: the package format of github.com/bpmn-io/moddle, docs/descriptor.md.
    """
    types: list[dict[str, Any]] = [
        {
            "name": _capital(local),
            "extends": [f"bpmn:{_capital(local)}"],
            "properties": [_property(name) for name in names],
        }
        for local, names in (*ATTRIBUTES.items(), ("flowNode", EVERY_NODE))
    ]
    types += [
        {
            "name": _capital(local),
            "superClass": ["Element"],
            "description": element.meaning,
            "meta": {"allowedIn": ["bpmn:FlowNode"]},
            "properties": [
                {"name": name, "isAttr": True, "type": "String", "description": meaning}
                for name, meaning in element.attributes.items()
            ],
        }
        for local, element in EXTENSION_ELEMENTS.items()
    ]
    return {
        "name": "Noria",
        "description": _DESCRIPTION,
        "uri": NORIA,
        "prefix": "noria",
        "xml": {"tagAlias": "lowerCase"},
        "associations": [],
        "types": types,
        "enumerations": [
            {"name": _capital(name), "literalValues": [{"name": word} for word in attribute.one_of]}
            for name, attribute in VOCABULARY.items()
            if attribute.one_of
        ],
    }


def _property(name: str) -> dict[str, Any]:
    attribute = VOCABULARY[name]
    made: dict[str, Any] = {
        "name": name,
        "isAttr": True,
        "type": _capital(name) if attribute.one_of else attribute.type,
        "description": attribute.meaning,
    }
    if attribute.default is not None:
        made["default"] = attribute.default
    return made


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]
