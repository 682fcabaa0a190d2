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
    KINDS,
    NORIA,
    UNSUPPORTED_NODES,
)
from noria.design.bpmn.vocabulary import EXTENSION_ELEMENTS, VOCABULARY, moddle
from noria.design.exporting.sentences import SENTENCES as EXPORTED
from noria.design.importing.sentences import SENTENCES
from noria.engine import events
from noria.engine.people import FUNCTIONS
from noria.engine.people import NAME as PEOPLE

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "src" / "noria"
PAGES = ROOT / "docs" / "reference"
MODDLE = SOURCES / "design" / "bpmn" / "noria.moddle.json"

_CODE = re.compile(r"[a-z_]+\.[a-z0-9_]+")
_FINDINGS_IN = (
    "design/bpmn",
    "design/dmn/analysis.py",
    "design/dmn/boxed.py",
    "design/dmn/reader.py",
    "design/forms/reader.py",
    "operate/bundles.py",
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
    file = f"noria/{MODDLE.relative_to(SOURCES).as_posix()}"
    words = (
        f"Namespace `{NORIA}`. Any other attribute or element in it is an error. Calendars: [here]"
        "(../how-to/calendars.md). The same for modellers, as an extension package of moddle for `moddleExtensions` of "
        f"bpmn-js: `GET /api/bpmn/moddle`, and the file `{file}` of the package."
    )
    attributes = ["## Noria's attributes", "", words, ""]
    for element, names in ATTRIBUTES.items():
        attributes += [f"### `{element}`", ""]
        attributes += table(("attribute", "meaning"), [(f"`noria:{name}`", VOCABULARY[name].meaning) for name in names])
    attributes += ["### Every flow node", ""]
    attributes += table(
        ("attribute", "meaning"), [(f"`noria:{name}`", VOCABULARY[name].meaning) for name in EVERY_NODE]
    )
    attributes += ["## Noria's elements", "", "Inside `bpmn:extensionElements`.", ""]
    attributes += table(
        ("element", "meaning", "attributes"),
        [
            (f"`noria:{name}`", made.meaning, " ".join(f"`{key}`: {text}" for key, text in made.attributes.items()))
            for name, made in EXTENSION_ELEMENTS.items()
        ],
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


def moddle_file() -> str:
    """Noria's namespace for modellers, as the package carries it."""
    return json.dumps(moddle(), ensure_ascii=False, indent=2) + "\n"


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
    findings = finding_codes(
        _FINDINGS_IN, ("bpmn", "calendar", "decision", "deployment", "dmn", "feel", "fields", "form", "xml")
    )
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


def export_report() -> str:
    """Every line that the report of an export to plain BPMN can hold."""
    kinds = {"info": "kept", "warning": "lost", "error": "error"}
    rows = [(f"`{code}`", kinds[text.severity], text.en, text.zh) for code, text in sorted(EXPORTED.items())]
    return page(
        "Export report",
        "What `noria export --plain` says of a file: [for modellers](../how-to/modellers.md#for-other-tools). "
        "`{attribute}` is what the model says, `{value}` its value.",
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
        "export.md": export_report(),
        "patterns.md": patterns(),
        "support.md": support(),
        "verbs.md": verbs(),
    }


def main() -> None:
    """Write the pages."""
    PAGES.mkdir(parents=True, exist_ok=True)
    for name, content in pages().items():
        (PAGES / name).write_text(content, encoding="utf-8")
    MODDLE.write_text(moddle_file(), encoding="utf-8")


if __name__ == "__main__":
    main()
