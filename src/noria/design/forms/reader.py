"""form-js JSON to a form: settings checked, FEEL compiled, unknown component types refused."""

from __future__ import annotations

import json
import re
from typing import Any

from noria.design.feel.expression import Expression, compile_expression
from noria.design.feel.regex import PATTERN_CHARS_MAX
from noria.design.feel.scanner import FeelSyntaxError
from noria.design.findings import Finding, has_errors
from noria.design.forms.form import Form
from noria.design.forms.model import Field, Setting
from noria.kernel.numbers import whole_number

SCHEMA_VERSION_MAX = 19
FORM_BYTES_MAX = 2_000_000
_DEPTH_MAX = 20
INPUTS = frozenset(
    {
        "checkbox",
        "checklist",
        "datetime",
        "expression",
        "filepicker",
        "number",
        "radio",
        "select",
        "taglist",
        "textarea",
        "textfield",
    }
)
GROUPS = frozenset({"group", "dynamiclist"})
SHOWN = frozenset({"button", "documentPreview", "html", "iframe", "image", "separator", "spacer", "table", "text"})
_CHOICES = frozenset({"checklist", "radio", "select", "taglist"})


def read_form(data: bytes, file: str) -> tuple[Form | None, list[Finding]]:
    """Read a form-js schema of version 19 or below.

    Returns:
        The form, None when a finding is an error; and the findings.
    """
    if len(data) > FORM_BYTES_MAX:
        message = f"The form has {len(data)} bytes; at most {FORM_BYTES_MAX} are read."
        return None, [Finding("error", "form.too_large", message, file)]
    try:
        schema = json.loads(data)
    except json.JSONDecodeError as error:
        message = f"Not JSON: {error.msg} in column {error.colno}."
        return None, [Finding("error", "form.not_json", message, file, error.lineno)]
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        return None, [Finding("error", "form.not_json", f"Not JSON: {error}.", file, 1)]
    return _Reader(data.decode("utf-8", "replace"), file).read(schema)


class _Reader:
    """Reads one form and collects findings."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._findings: list[Finding] = []

    def read(self, schema: Any) -> tuple[Form | None, list[Finding]]:
        if not isinstance(schema, dict) or not isinstance(schema.get("components"), list):
            self._report("", "form.no_components", "A form is an object with a list of components.")
            return None, self._findings
        version = schema.get("schemaVersion", 1)
        if not isinstance(version, int) or version > SCHEMA_VERSION_MAX:
            self._report("", "form.schema_version", f"schemaVersion {version} is newer than {SCHEMA_VERSION_MAX}.")
        fields = self._fields(schema["components"], 0)
        self._refuse_twins(fields, ())
        if has_errors(self._findings):
            return None, self._findings
        return Form(str(schema.get("id", "")), schema, fields), self._findings

    def _report(self, element: str, code: str, message: str) -> None:
        at = self._text.find(json.dumps(element)) if element else -1
        line = self._text.count("\n", 0, at) + 1 if at >= 0 else 1
        self._findings.append(Finding("error", code, message, self._file, line, element))

    def _fields(self, components: list[Any], depth: int) -> tuple[Field, ...]:
        if depth > _DEPTH_MAX:
            self._report("", "form.depth", f"Groups are nested deeper than {_DEPTH_MAX}.")
            return ()
        found: list[Field] = []
        for component in components:
            if not isinstance(component, dict):
                self._report("", "form.component", "A component is an object.")
                continue
            kind = component.get("type")
            name = str(component.get("id") or component.get("key") or "")
            if kind in INPUTS or kind in GROUPS:
                found.append(self._field(component, str(kind), name, depth))
            elif kind not in SHOWN and kind != "default":
                self._report(name, "form.unsupported_type", f"Components of type {kind!r} are not supported.")
        return tuple(found)

    def _field(self, component: dict[str, Any], kind: str, name: str, depth: int) -> Field:
        key = component.get("path" if kind in GROUPS else "key") or ""
        key = key if isinstance(key, str) else ""
        path = key.split(".") if key else []
        if (kind != "group" and not path) or not all(path):
            self._report(name, "form.key", f"The {kind} needs a key (a dynamic list a path) without empty parts.")
        checks = component.get("validate") or {}
        children = component.get("components") or []
        properties = component.get("properties") or {}
        conditional = component.get("conditional") or {}
        if not (
            isinstance(checks, dict)
            and isinstance(children, list)
            and isinstance(properties, dict)
            and isinstance(conditional, dict)
        ):
            self._report(name, "form.component", "validate, properties and conditional are objects.")
            return Field(kind, name, "", "", "")
        digits = component.get("decimalDigits")
        return Field(
            type=kind,
            id=name,
            key="" if kind in GROUPS else key,
            path=key if kind in GROUPS else "",
            label=str(component.get("label", "")),
            fields=self._fields(children, depth + 1),
            choices=self._choices(component, name) if kind in _CHOICES else None,
            validate={check: self._setting(value, name) for check, value in checks.items()},
            pattern=self._pattern(checks.get("pattern"), name),
            hide=self._feel(conditional.get("hide"), name),
            read_only=self._read_only(component, name),
            expression=self._feel(component.get("expression"), name) if kind == "expression" else None,
            subtype=str(component.get("subtype", "date")) if kind == "datetime" else "",
            decimal_digits=digits if isinstance(digits, int) and digits >= 0 else -1,
            as_text=component.get("serializeToString") is True,
            rows_min=self._count(properties.get("minRows"), 0, name),
            rows_max=self._count(properties.get("maxRows"), 10_000, name),
            rows_fixed=component.get("allowAddRemove") is False,
            settings=component,
        )

    def _read_only(self, component: dict[str, Any], name: str) -> Setting:
        return True if component.get("disabled") is True else self._setting(component.get("readonly"), name)

    def _choices(self, component: dict[str, Any], name: str) -> tuple[Any, ...] | None:
        if component.get("valuesKey") or component.get("valuesExpression"):
            return None
        values = component.get("values")
        if not isinstance(values, list) or not all(isinstance(one, dict) and "value" in one for one in values):
            self._report(name, "form.values", "A choice needs values, valuesKey or valuesExpression.")
            return ()
        return tuple(one["value"] for one in values)

    def _count(self, value: Any, default: int, name: str) -> int:
        if value is None:
            return default
        rows = whole_number(str(value))
        if rows is None:
            self._report(name, "form.rows", "minRows and maxRows are whole numbers.")
        return default if rows is None else rows

    def _pattern(self, value: Any, name: str) -> re.Pattern[str] | None:
        if value is None or value == "":
            return None
        if not isinstance(value, str) or len(value) > PATTERN_CHARS_MAX:
            self._report(name, "form.pattern", f"A pattern is a text of at most {PATTERN_CHARS_MAX} characters.")
            return None
        try:
            return re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            self._report(name, "form.pattern", f"The pattern cannot be used: {error}.")
            return None

    def _setting(self, value: Any, name: str) -> Setting:
        if isinstance(value, str) and value.startswith("="):
            return self._feel(value, name)
        return value if isinstance(value, (bool, int, float, str)) else None

    def _feel(self, value: Any, name: str) -> Expression | None:
        if not isinstance(value, str) or not value.strip():
            return None
        try:
            return compile_expression(value.strip().removeprefix("="))
        except FeelSyntaxError as error:
            self._report(name, "feel.syntax", error.message)
            return None

    def _refuse_twins(self, fields: tuple[Field, ...], prefix: tuple[str, ...], seen: set[Any] | None = None) -> None:
        known: set[Any] = set() if seen is None else seen
        for field in fields:
            path = (*prefix, *field.parts)
            if field.type == "group":
                self._refuse_twins(field.fields, path, known)
                continue
            if path in known and field.hide is None:
                self._report(field.id, "form.duplicate_key", f"The key {'.'.join(path)!r} is used twice.")
            known.add(path)
            self._refuse_twins(field.fields, (), set())
