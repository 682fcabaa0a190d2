"""Reading a form-js schema into fields that can be checked."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from noria.design.feel import EvaluationContext, Expression, FeelSyntaxError, compile_expression
from noria.design.findings import Finding, has_errors
from noria.design.forms.validation import FormResult, Validation

SCHEMA_VERSION_MAX = 19
DEPTH_MAX = 20
INPUTS = frozenset(
    "textfield textarea number checkbox checklist radio select taglist datetime filepicker expression".split()
)
CONTAINERS = frozenset({"group", "dynamiclist"})
SHOWN = frozenset("text html image spacer separator button table documentPreview iframe default".split())


class Field(msgspec.Struct):
    """One component of a form.

    Attributes:
        type: form-js type, e.g. "textfield".
        key: name of the value; "" for a component that holds none.
        path: path of a group's or list's values, "" for none.
        label: what people see.
        validate: form-js's ``validate`` object.
        options: allowed values of a choice; None when they come from data or the field is no choice.
        hide: FEEL condition under which it is not shown, None for always shown.
        compute: FEEL of an expression field.
        read_only: whether a submission may not change it.
        fields: components inside a group or list.
        settings: the component as written.
    """

    type: str
    key: str = ""
    path: str = ""
    label: str = ""
    validate: dict[str, object] = {}
    options: tuple[object, ...] | None = None
    hide: Expression | None = None
    compute: Expression | None = None
    read_only: bool = False
    fields: tuple[Field, ...] = ()
    settings: dict[str, object] = {}


class Form(msgspec.Struct):
    """A form.

    Attributes:
        id: its id.
        schema: as written, for the viewer.
        fields: its components.
    """

    id: str
    schema: dict[str, object]
    fields: tuple[Field, ...]

    def validate(
        self, values: Mapping[str, object], *, context: EvaluationContext, current: Mapping[str, object] | None = None
    ) -> FormResult:
        """Check a submission.

        Args:
            values: what was submitted.
            context: for FEEL conditions and computed fields.
            current: the variables before; read-only fields must equal them.

        Returns:
            The accepted values, without what is hidden or read-only, and the errors by field path.
        """
        return Validation(context, current or {}).run(self.fields, values)


def read_form(data: bytes, file: str) -> tuple[Form | None, list[Finding]]:
    """Read a form.

    Args:
        data: JSON text.
        file: name for findings.

    Returns:
        The form, None when a finding is an error, and the findings.
    """
    findings: list[Finding] = []
    try:
        schema = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return None, [Finding("error", "form.malformed", f"The form is not JSON: {error}.", file, 1)]
    if not isinstance(schema, dict) or not isinstance(schema.get("components"), list):
        return None, [Finding("error", "form.malformed", "The form has no list of components.", file, 1)]
    version = schema.get("schemaVersion", SCHEMA_VERSION_MAX)
    if not isinstance(version, int) or version > SCHEMA_VERSION_MAX:
        message = f"The form has schema version {version!r}; up to {SCHEMA_VERSION_MAX} is understood."
        findings.append(Finding("error", "form.version", message, file, 1))
    reader = _Reader(file, findings)
    fields = reader.fields(schema["components"], 0)
    form_id = schema.get("id")
    if not isinstance(form_id, str) or not form_id:
        findings.append(Finding("error", "form.no_id", "The form has no id.", file, 1))
    if has_errors(findings):
        return None, findings
    return Form(str(form_id), schema, fields), findings


class _Reader:
    def __init__(self, file: str, findings: list[Finding]) -> None:
        self.file = file
        self.findings = findings

    def _error(self, code: str, message: str, element: str) -> None:
        self.findings.append(Finding("error", code, message, self.file, 1, element))

    def fields(self, components: object, depth: int) -> tuple[Field, ...]:
        if depth > DEPTH_MAX:
            self._error("form.too_deep", f"Components are nested deeper than {DEPTH_MAX}.", "")
            return ()
        fields = []
        for component in components if isinstance(components, list) else []:
            if isinstance(component, dict):
                field = self._field(component, depth)
                if field is not None:
                    fields.append(field)
            else:
                self._error("form.malformed", "A component is not an object.", "")
        return tuple(fields)

    def _field(self, component: dict[str, object], depth: int) -> Field | None:
        kind = str(component.get("type", ""))
        element = str(component.get("id") or component.get("key") or kind)
        if kind not in INPUTS | CONTAINERS | SHOWN:
            self._error("form.unknown_type", f"There is no field type {kind!r}.", element)
            return None
        key = component.get("key", "")
        if kind in INPUTS and (not isinstance(key, str) or not key):
            self._error("form.no_key", f"The {kind} has no key, so its value would be lost.", element)
            return None
        validate = component.get("validate", {})
        conditional = component.get("conditional", {})
        return Field(
            type=kind,
            key=str(key) if kind in INPUTS else "",
            path=str(component.get("path", "") or ""),
            label=str(component.get("label", "") or ""),
            validate=validate if isinstance(validate, dict) else {},
            options=_options(component),
            hide=self._feel(conditional.get("hide"), element) if isinstance(conditional, dict) else None,
            compute=self._feel(component.get("expression"), element) if kind == "expression" else None,
            read_only=component.get("readonly") is True or component.get("disabled") is True,
            fields=self.fields(component.get("components"), depth + 1) if kind in CONTAINERS else (),
            settings=component,
        )

    def _feel(self, text: object, element: str) -> Expression | None:
        if not isinstance(text, str) or not text.strip():
            return None
        try:
            return compile_expression(text.strip().removeprefix("="))
        except FeelSyntaxError as error:
            self._error(error.code, error.message, element)
            return None


def _options(component: dict[str, object]) -> tuple[object, ...] | None:
    values = component.get("values")
    if not isinstance(values, list):
        return None
    return tuple(option.get("value") for option in values if isinstance(option, dict))
