"""Checking what people submit against the definition's forms."""

from __future__ import annotations

from collections.abc import Mapping

from noria.design.feel import EvaluationContext
from noria.engine.definition import Definition
from noria.kernel.errors import Rejected


def checked_form(
    definition: Definition,
    context: EvaluationContext,
    name: str,
    values: Mapping[str, object],
    current: Mapping[str, object],
    element: int | None = None,
) -> dict[str, object] | Rejected:
    """The accepted values of a submission, or the refusal that names every wrong field.

    Args:
        definition: whose form it is.
        context: of the command, for the form's expressions.
        name: the form's name in the definition.
        values: what was submitted.
        current: the variables before; read-only fields must equal them.
        element: index of the user task whose access to fields counts; None for a start.
    """
    form = definition.forms.get(name) if element is None else definition.form_at(element, name)
    if form is None:
        return Rejected("form.unknown", f"The definition has no form {name!r}; deploy it together with the process.")
    result = form.validate(values, context=context, current=current)
    if result.errors:
        fields = {
            path: {"code": error.code, "message": error.message, "details": error.details}
            for path, error in result.errors.items()
        }
        return Rejected(
            "form.invalid", f"{len(fields)} field(s) are not right: {', '.join(sorted(fields))}.", {"fields": fields}
        )
    return dict(result.values)
