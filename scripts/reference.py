"""Writes docs/reference from the code itself: `make docs`. A test compares the pages with what the code says now."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast, get_args

import click
import msgspec
from scripts.support import support
from scripts.verbs import verbs
from scripts.writing import page, table

from noria.adapters.cli.cli import group
from noria.adapters.http import problems
from noria.adapters.http.app import create_app
from noria.adapters.http.description import described
from noria.adapters.http.services import Services
from noria.design.bpmn.graph import TriggerKind
from noria.design.bpmn.names import (
    ALLOWED,
    ATTRIBUTES,
    EVERY_NODE,
    EXTENSION_ELEMENTS,
    KINDS,
    NORIA,
    UNSUPPORTED_NODES,
)
from noria.design.importing.sentences import SENTENCES
from noria.engine import events
from noria.engine.people import FUNCTIONS
from noria.engine.people import NAME as PEOPLE

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "src" / "noria"
PAGES = ROOT / "docs" / "reference"

MEANINGS = {
    "activities": "FEEL for the ids of the activities that begin by themselves; without it all without incoming flow.",
    "amount": "FEEL for the amount that substitutes are limited by; without it the variable `amount`.",
    "assignee": "FEEL or constant: id of the one person who gets the task.",
    "binding": "`latest` (default), `deployment` or `version`: which version of the called process runs.",
    "bulkApproval": "`true`: the task may be agreed to together with others, without being opened 批量审批; one that "
    "needs a field or a signature is left out",
    "businessKey": "FEEL for the business key of the called instance; without it that of the caller.",
    "calendar": "Id of the working calendar in which the limit counts, or `unit` for that of the responsible unit; "
    "without it clock time counts. See [calendars](../how-to/calendars.md).",
    "candidateGroups": "Roles or units whose members may claim the task: a comma list, or FEEL that gives a list.",
    "candidateUsers": "Person ids who may claim the task: a comma list, or FEEL that gives a list.",
    "codeVariable": "Variable that receives the caught code.",
    "collection": "FEEL for the list whose items the instances get, one each.",
    "approval": "the task is an approval: `allOf` 会签, `anyOf` 或签, `inTurn` 依次审批, `vote` 票签",
    "approvers": "FEEL: who decides: a person id, or a list of ids, or of contexts with `person`, for a vote `weight` "
    "and `veto`; without it the assignee",
    "passShare": "of a vote: the share of the weights that approves it, 0..1; a number or FEEL",
    "passCount": "of a vote: the sum of weights that approves it; a number or FEEL",
    "refusal": "`atOnce` (default): one refusal ends an `allOf`; `afterAll`: only when everybody has decided",
    "whenRefused": "`end` (default): a refused request ends as refused 驳回; `goOn`: the task is left, and the model "
    'says what follows by its `resultVariable`, "approved" or "refused"',
    "whenStarter": "an approver who started the request 审批人=发起人: `ask` (default), `skip` as approving, or the "
    "`manager` is asked; not in a round after a return",
    "repeats": "an approver who has approved the request before 自动去重: `ask` (default), `skip` as approving, "
    "`skipConsecutive` where that was the decision before; not in a round after a return",
    "whenNobody": "nobody is found 审批人为空: the task goes to the process `owner` (default), an `administrator` or a "
    "`person`; an approval may also be done with `approve` or `refuse`",
    "nobodyTo": "FEEL: that person",
    "whenOverdue": "besides reminding, when the limit has passed 超时动作: `approve`, `refuse`, `transfer`, "
    "`escalate`, which throws the escalation `overdue`; `remind` (default) for nothing",
    "overdueTo": "FEEL: whom it is transferred to then",
    "remindEvery": "ISO 8601 duration between further reminders behind the limit",
    "remindTimes": "how many of them, up to 100",
    "copyTo": "FEEL or a comma list: who is let know when the task is done 抄送",
    "completedByStart": "`true`: the start form counts as this task's submission in the first round.",
    "correlation": "FEEL for the correlation key of the message; without it the business key.",
    "decision": "Id of a DMN decision of the same deployment, or of one that is deployed already.",
    "dueIn": "ISO 8601 duration (or FEEL that gives one) until the task is overdue.",
    "hiddenFields": "Variables of the form that this step neither shows nor takes, a comma list. Who has no other step "
    "that shows them, and is not their starter, sees them nowhere.",
    "writableFields": "Variables of the form that may be written at this step, a comma list (empty: none); all others "
    "are read-only. Without it all may.",
    "form": "Name of a form of the same deployment, or of one that is deployed already.",
    "group": "Role or unit of the candidates of user tasks in it that name nobody; without it the lane's name.",
    "item": "Variable in which an instance finds its item.",
    "jobPriority": "A whole number from 0 to 1,000,000 or FEEL that gives one; without it that of the process, or 0. "
    "Of the jobs, timers and save points that are due, those of higher priority go first.",
    "messageVariable": "Variable that receives the caught error's message.",
    "on": "`create`, `update` or both (default): which change of a variable has the condition looked at. With an empty "
    "condition and `noria:variables` the change itself is the event.",
    "outputCollection": "Variable that receives the list of the instances' results, in the order of the instances.",
    "outputItem": "FEEL for an instance's result, evaluated when it completes.",
    "priority": "FEEL or constant from 0 to 100; without it 50.",
    "propagateIn": "`false`: the caller's variables do not become the called instance's.",
    "propagateOut": "`false`: the called instance's variables do not come back.",
    "remindAt": "Shares of the limit at which people are reminded; without it `0.8,1.0` when there is a limit.",
    "resultVariable": "Variable that receives the result.",
    "retries": "How often a job is tried, from 1 to 100; without it 3. Then an incident is raised.",
    "retryWait": "Waits before the further tries, ISO 8601, comma list; without it `PT10S,PT1M,PT5M`.",
    "saveAfter": "`true`: a save point behind the element; what follows is a step of its own. On a loop's "
    "characteristics: behind each of its instances.",
    "saveBefore": "`true`: a save point before the element. On a loop's characteristics: before each of its instances.",
    "separateFrom": "Ids of user tasks, or a start event, whose doers may not do this task: a comma list (four eyes). "
    "Tested for whoever does it and for whom it is done.",
    "serial": "Pattern of the business key drawn at start, such as `CG-{year}-{number:06d}`.",
    "starterGroups": "Roles or units that may start the process; without it every employee.",
    "summary": "Variables shown on a task's card, a comma list.",
    "terminateLoop": "`true`: the end event ends all instances of the loop around it and not only its own.",
    "terminateAll": "`true`: the end event ends the whole instance and not only its sub-process.",
    "title": "FEEL for the line that names an instance in lists. On a user task: for its name, computed when it opens; "
    "without it, or when it gives neither a text nor a number, the name of its element.",
    "topic": "FEEL or constant: workers fetch the job by it.",
    "variables": "Variables whose change has the condition looked at, a comma list; without it those it names. "
    "Without a condition every change of one of them is an occurrence.",
    "version": 'Which version with `binding="version"`.',
    "withdrawable": "`before_first_decision` (default), `always` or `never`.",
}
"""What each of Noria's attributes says; one that is missing here stops `make docs`."""

_CODE = re.compile(r"[a-z_]+\.[a-z0-9_]+")
_FINDINGS_IN = (
    "design/bpmn",
    "design/dmn/analysis.py",
    "design/dmn/boxed.py",
    "design/dmn/reader.py",
    "design/forms/reader.py",
    "operate/deploying.py",
)
_FIELDS_IN = ("design/forms/checking.py", "design/forms/values.py")


# REST


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{_short(name)}](#{_short(name).lower()})"
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return " or ".join(_type(item) for item in schema[key])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    kind = schema.get("type", "any")
    if isinstance(kind, list):
        return " or ".join(str(item) for item in kind)
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(kind)


def _short(name: str) -> str:
    """``Page_noria.operate.views.TaskView_`` is a page of task views."""
    return re.sub(r"Page_(?:.*\.)?(\w+?)_$", r"PageOf\1", name)


def _body(content: dict[str, Any]) -> str:
    ((media, body),) = content.items()
    kind = _type(body.get("schema", {}))
    return kind if media == "application/json" else f"`{media}`, {kind}"


def _operation(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    lines = [f"### `{method.upper()} {path}`", "", operation.get("description", ""), ""]
    parameters = [
        (
            f"`{item['name']}`",
            item["in"],
            _type(item["schema"]),
            "required" if item["required"] else f"`{json.dumps(item['schema'].get('default'))}`",
        )
        for item in operation.get("parameters", ())
    ]
    if parameters:
        lines += table(("parameter", "in", "type", "default"), parameters)
    if "requestBody" in operation:
        lines += [f"Request: {_body(operation['requestBody']['content'])}", ""]
    for status, answer in sorted(operation["responses"].items()):
        if status.startswith("2"):
            content = answer.get("content")
            lines += [f"Answer {status}" + (f": {_body(content)}" if content else ""), ""]
    return lines


def rest() -> str:
    """Every operation and type of the HTTP interface, from its OpenAPI description."""
    # To be described the application needs no services.
    schema = described(create_app(cast("Services", None)).openapi_schema.to_schema())
    tags: dict[str, list[str]] = {}
    for path, operations in sorted(schema["paths"].items()):
        for method, operation in operations.items():
            tags.setdefault(operation["tags"][0], []).extend(_operation(path, method, operation))
    by_tag: list[str] = []
    for tag, lines in sorted(tags.items()):
        by_tag += [f"## {tag}", "", *lines]
    types = ["## Types", ""]
    for name, shape in sorted(schema["components"]["schemas"].items(), key=lambda item: _short(item[0])):
        types += [f"### {_short(name)}", ""]
        if shape.get("description"):
            types += [" ".join(shape["description"].split()), ""]
        if "enum" in shape:
            types += [_type(shape), ""]
            continue
        required = shape.get("required", ())
        types += table(
            ("field", "type", "default"),
            [
                (
                    f"`{field}`",
                    _type(about),
                    "required" if field in required else f"`{json.dumps(about.get('default'))}`",
                )
                for field, about in shape.get("properties", {}).items()
            ],
        )
    return page(
        "REST",
        "The same description for programs is at `/api/openapi.json` (OpenAPI 3.1). Every path but sign-in, health and "
        "the description itself needs the session cookie; every `POST`, `PUT` and `DELETE` of them also needs the "
        "header `X-CSRF-Token`. Errors are `application/problem+json`: see [errors](errors.md). How to use it: "
        "[for integrators](../how-to/integrators.md).",
        by_tag,
        types,
    )


# Command line


def _command(path: str, command: click.Command) -> list[str]:
    context = click.Context(command, info_name=path)
    lines = [f"## `{path}`", "", inspect.cleandoc(command.help or ""), "", "```"]
    lines += [" ".join([path, *command.collect_usage_pieces(context)]), "```", ""]
    records = [record for item in command.get_params(context) if (record := item.get_help_record(context))]
    lines += table(("option", "meaning"), [(f"`{name}`", meaning) for name, meaning in records])
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            lines += _command(f"{path} {name}", command.commands[name])
    return lines


def cli() -> str:
    """Every command and option."""
    return page(
        "Command line",
        "`noria COMMAND --help` prints the same. Exit code 0 means done, 1 refused or failed, 2 used wrongly.",
        _command("noria", group),
    )


# BPMN


def bpmn() -> str:
    """What of BPMN is executed, Noria's attributes, and what is refused."""
    kinds = ["## Elements that are executed", "", ", ".join(f"`{name}`" for name in KINDS) + ".", ""]
    triggers = [kind for kind in TriggerKind if any(kind in allowed for allowed in ALLOWED.values())]
    positions = ["## Events: which trigger at which position", ""]
    positions += table(
        ("position", *(kind.name.lower() for kind in triggers)),
        [(position, *("yes" if kind in ALLOWED[position] else "" for kind in triggers)) for position in ALLOWED],
    )
    attributes = ["## Noria's attributes", "", f"Namespace `{NORIA}`. Any other attribute in it is an error.", ""]
    for element, names in ATTRIBUTES.items():
        attributes += [f"### `{element}`", ""]
        attributes += table(("attribute", "meaning"), [(f"`noria:{name}`", MEANINGS[name]) for name in names])
    attributes += ["### Every flow node", ""]
    attributes += table(("attribute", "meaning"), [(f"`noria:{name}`", MEANINGS[name]) for name in EVERY_NODE])
    attributes += ["## Noria's elements", "", "Inside `bpmn:extensionElements`.", ""]
    attributes += table(
        ("element", "attributes"),
        [(f"`noria:{name}`", ", ".join(f"`{item}`" for item in items)) for name, items in EXTENSION_ELEMENTS.items()],
    )
    organisation = ["## What expressions can ask of the organisation", ""]
    organisation += [
        f"The context `{PEOPLE}`, in every expression and decision; `?` marks what may be null, and then gives null.",
        "The rules: [for modellers](../how-to/modellers.md#who-gets-a-task).",
        "",
    ]
    organisation += [
        f"- `{PEOPLE}.{name}({', '.join(signature.split(';'))})`"
        for name, overloads in FUNCTIONS.items()
        for signature, _ in overloads
    ]
    organisation.append("")
    refused = ["## What refuses deployment", "", "It has execution meaning and is not executed by this version.", ""]
    refused += [f"- `{name}`" for name in sorted(UNSUPPORTED_NODES)]
    refused += [
        "- parallel multiple events that start a process",
        "- expressions that are not FEEL",
        "",
    ]
    return page(
        "BPMN",
        "What this version executes. `noria check FILE` says it about a file, with element and line. How to use it: "
        "[for modellers](../how-to/modellers.md).",
        kinds,
        positions,
        attributes,
        organisation,
        refused,
    )


# Events


def _annotation(annotation: object) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def _event(kind: type[msgspec.Struct]) -> list[str]:
    lines = [f"## {kind.__struct_config__.tag} {kind.__name__}", "", inspect.cleandoc(kind.__doc__ or ""), ""]
    fields = msgspec.structs.fields(kind)
    if not fields:
        return [*lines, "No fields.", ""]
    rows = []
    for field in fields:
        written = _annotation(inspect.get_annotations(_owner(kind, field.name))[field.name])
        rows.append((f"`{field.name}`", f"`{written}`", "required" if field.required else f"`{field.default!r}`"))
    return [*lines, *table(("field", "type", "default"), rows)]


def _owner(kind: type, name: str) -> type:
    return next(base for base in kind.__mro__ if name in inspect.get_annotations(base))


def event_types() -> list[type[msgspec.Struct]]:
    """All event types by number."""
    return sorted(get_args(events.AnyEvent), key=lambda kind: kind.__struct_config__.tag)


def event_page() -> str:
    """Every recorded event with its number and fields."""
    lines: list[str] = []
    for kind in event_types():
        lines += _event(kind)
    return page(
        "Events",
        "The journal holds one row per command with all its events: msgpack arrays led by the event's number, then its "
        "fields in this order. A number keeps its meaning for ever: events may be added and fields appended with a "
        "default, nothing is edited. `element` and `flow` are indexes into the tables of the definition's version; "
        "`_ms` is milliseconds since the epoch, UTC.",
        lines,
    )


# Errors


def _text(node: ast.AST | None, names: dict[str, str] | None = None) -> str:
    """A message as it stands in the code; what is filled in is an ellipsis."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.BinOp):
        return _text(node.left) + _text(node.right)
    if isinstance(node, ast.Name) and names:
        return names.get(node.id, "")
    return ""


class Call(msgspec.Struct):
    """A call in the sources: where, of what, and its arguments that are texts ("" for the others)."""

    path: str
    name: str
    texts: list[str]


@cache
def _calls() -> list[Call]:
    found = []
    for path in sorted(SOURCES.rglob("*.py")):
        place = path.relative_to(SOURCES).as_posix()
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            assigned = [
                (node.lineno, node.targets[0].id, _text(node.value))
                for node in ast.walk(function)
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            ]
            for node in ast.walk(function):
                if isinstance(node, ast.Call):
                    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                    names = {target: text for line, target, text in sorted(assigned) if line < node.lineno}
                    arguments = [*node.args, *(item.value for item in node.keywords)]
                    found.append(Call(place, name, [_text(argument, names) for argument in arguments]))
    return found


def _failure_classes() -> Iterator[tuple[str, str]]:
    """Code and first sentence of every class of failures."""
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ClassDef) or not node.name.endswith("Error"):
                continue
            sentence = (ast.get_docstring(node) or "").partition("\n")[0]
            for item in node.body:
                if isinstance(item, ast.AnnAssign | ast.Assign):
                    target = item.target if isinstance(item, ast.AnnAssign) else item.targets[0]
                    if isinstance(target, ast.Name) and target.id == "code" and _text(item.value):
                        yield _text(item.value), sentence


def _sentences(locale: str) -> dict[str, str]:
    texts = json.loads((ROOT / "web" / "src" / "i18n" / f"{locale}.json").read_text(encoding="utf-8"))
    sentences: dict[str, str] = texts["errors"]
    return sentences


def error_codes() -> dict[str, str]:
    """Code → the sentence in the code, of every refusal and failure that a caller can meet."""
    found = {
        code: sentence for code, sentence in _failure_classes() if code not in ("noria.error", "refused", "http.error")
    }
    for call in _calls():
        if call.name in _REFUSALS and _CODE.fullmatch(call.texts[0]):
            found[call.texts[0]] = call.texts[1]
        if call.name in _ROW_ERRORS:
            # The code stands behind where the error is, its sentence behind it.
            at = next((at for at, text in enumerate(call.texts) if text.startswith("import.")), -1)
            if at >= 0:
                found[call.texts[at]] = call.texts[at + 1]
    for status_code in problems.STATUS:
        found.setdefault(status_code, "")
    source = inspect.getsource(problems)
    for code in re.findall(r'"((?:request|server)\.[a-z_]+)"', source):
        found.setdefault(code, "")
    return found


_REFUSALS = ("Rejected", "HttpProblemError", "refuse")
_ROW_ERRORS = ("RowError", "complain")
FRAMEWORK_STATUS = {
    "request.invalid": "400 or 422",
    "request.method": "405",
    "request.too_large": "413",
    "request.refused": "4xx",
    "server.error": "500",
}
"""What the framework itself refuses has the framework's own status."""


def finding_codes(places: tuple[str, ...], subjects: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """Code → severity and sentence, of every finding that is reported in these files."""
    found: dict[str, tuple[str, str]] = {}
    for call in _calls():
        if not call.path.startswith(places):
            continue
        for index, code in enumerate(call.texts[:3]):
            if _CODE.fullmatch(code) and code.split(".")[0] in subjects:
                named = call.texts[0] if call.texts[0] in ("warning", "info") else "error"
                severity = "warning" if call.name == "warn" else named
                sentence = call.texts[index + 1] if len(call.texts) > index + 1 else ""
                if not found.get(code, ("", ""))[1]:
                    found[code] = (severity, sentence)
    return found


def errors() -> str:
    """Every code of a refusal, a failure or a finding."""
    english, chinese = _sentences("en"), _sentences("zh-CN")
    rows = []
    for code, sentence in sorted(error_codes().items()):
        key = code.replace(".", "_")
        status = FRAMEWORK_STATUS.get(code) or str(problems.STATUS.get(code, 422))
        rows.append((f"`{code}`", status if key in english else "", english.get(key) or sentence, chinese.get(key, "")))
    findings = finding_codes(_FINDINGS_IN, ("bpmn", "deployment", "dmn", "feel", "form", "xml"))
    fields = finding_codes(_FIELDS_IN, ("form",))
    return page(
        "Errors",
        "Errors of the REST interface are `application/problem+json` with `code`, `title`, `status`, `detail`, "
        "`details` and `request_id`. Codes are stable; sentences are for people and may change. A refusal that has no "
        "status of its own is a 422. The command line prints `code: sentence` and exits with 1.",
        [
            "## Refusals and failures",
            "",
            "Without an HTTP status: met inside the server or on the command line only.",
            "",
            *table(("code", "HTTP", "English", "中文"), rows),
        ],
        [
            "## Findings about models",
            "",
            "Printed by `noria check` and in the answer of a refused deployment.",
            "An error refuses deployment; a warning does not. `…` stands for what is filled in.",
            "",
            *table(
                ("code", "severity", "sentence"),
                [(f"`{code}`", severity, text) for code, (severity, text) in sorted(findings.items())],
            ),
        ],
        [
            "## Fields of a form",
            "",
            "In `details.fields` of `form.invalid`: the field, and what is not right with it.",
            "",
            *table(("code", "sentence"), [(f"`{code}`", text) for code, (_, text) in sorted(fields.items())]),
        ],
    )


def import_report() -> str:
    """Every line that the report of an import can hold."""
    outcomes = {"mapped": "mapped", "changed": "mapped with a change", "needs_work": "needs work"}
    rows = [(f"`{code}`", outcomes[text.outcome], text.en, text.zh) for code, text in sorted(SENTENCES.items())]
    return page(
        "Import report",
        "What `noria import` says of a file: [coming from another engine](../how-to/importing.md). `{attribute}` is "
        "what the file said, `{value}` its value.",
        table(("code", "outcome", "English", "中文"), rows),
    )


_PATTERN = re.compile(r"scenario WCP-(?P<number>\d\d) (?P<name>[^:]+): (?P<how>.+)")
_WITHOUT_SCENARIO = {
    15: (
        "Multiple instances without a-priori run-time knowledge",
        "Not directly: a loop that calls a process, or a non-interrupting event sub-process begun once for each.",
    ),
    24: (
        "Persistent trigger",
        "A message waits for whoever awaits it until its time to live has passed (`tests/stores/test_messages.py`).",
    ),
    36: (
        "Dynamic partial join for multiple instances",
        "Not directly: the number of instances of an activity is fixed when it begins.",
    ),
}


def patterns() -> str:
    """The workflow control-flow patterns, each with what its scenario shows."""
    rows = {number: (f"{number}", name, how, "") for number, (name, how) in _WITHOUT_SCENARIO.items()}
    for path in sorted((ROOT / "tests" / "scenarios").glob("patterns_*.scenario")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if found := _PATTERN.match(line):
                how = found["how"]
                rows[int(found["number"])] = (
                    found["number"].lstrip("0"),
                    found["name"],
                    how[0].upper() + how[1:] + ".",
                    f"`{path.stem}`",
                )
    return page(
        "Workflow patterns",
        "The 43 control-flow patterns of Russell, ter Hofstede, van der Aalst and Mulyar (BPM Center Report BPM-06-22, "
        "2006), and what the scenario of each in `tests/scenarios` shows.",
        table(("no.", "pattern", "here", "scenario"), [row for _, row in sorted(rows.items())]),
    )


def pages() -> dict[str, str]:
    """File name → content of every generated page."""
    return {
        "rest.md": rest(),
        "cli.md": cli(),
        "bpmn.md": bpmn(),
        "events.md": event_page(),
        "errors.md": errors(),
        "import.md": import_report(),
        "patterns.md": patterns(),
        "support.md": support(),
        "verbs.md": verbs(),
    }


def main() -> None:
    """Write the pages."""
    PAGES.mkdir(parents=True, exist_ok=True)
    for name, content in pages().items():
        (PAGES / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
