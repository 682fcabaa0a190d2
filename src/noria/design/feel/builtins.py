"""The built-in functions of DMN 1.1 to 1.5 (section 10.3.4), in families. A wrong argument gives null and a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import DecimalException

import msgspec

from noria.design.feel import builtins_lists, builtins_numbers, builtins_strings, builtins_temporal
from noria.design.feel.context import EvaluationContext
from noria.design.feel.values import Function, kind


class Builtin(msgspec.Struct, frozen=True):
    """One built-in function.

    Attributes:
        name: FEEL name.
        body: takes the evaluation context, then the arguments.
        parameters: names of the parameters; those from `required` on may be left out.
        required: how many must be given.
        variadic: whether any number of arguments may be given instead of a list.
    """

    name: str
    body: Callable[..., object]
    parameters: tuple[str, ...]
    required: int
    variadic: bool

    @property
    def function(self) -> Function:
        """The built-in as a function value; without its evaluation's context it sees an empty one."""
        return Function(self.parameters, lambda *arguments: self.body(EvaluationContext(0), *arguments))


def call_builtin(
    c: EvaluationContext, builtin: Builtin, arguments: tuple[object, ...], names: tuple[str, ...]
) -> object:
    """Call a built-in with positional or named arguments."""
    if names:
        unknown = [name for name in names if name not in builtin.parameters]
        if unknown:
            return c.why_null(f"{builtin.name}() has no parameter {unknown[0]!r}.")
        given = dict(zip(names, arguments, strict=True))
        last = max(builtin.parameters.index(name) for name in names)
        arguments = tuple(given.get(name) for name in builtin.parameters[: last + 1])
    elif builtin.variadic:
        # max(1, 2) is max([1, 2]).
        if not (len(arguments) == 1 and isinstance(arguments[0], list)):
            arguments = (list(arguments),)
    if not builtin.required <= len(arguments) <= len(builtin.parameters):
        return c.why_null(f"{builtin.name}() takes {', '.join(builtin.parameters)}; {len(arguments)} were given.")
    try:
        result = builtin.body(c, *arguments)
    except (DecimalException, OverflowError, ValueError, TypeError) as error:
        shown = ", ".join(kind(argument) for argument in arguments)
        return c.why_null(f"{builtin.name}({shown}) is not defined: {error}.")
    if result is None and None not in arguments:
        c.why_null(f"{builtin.name}({', '.join(kind(argument) for argument in arguments)}) gives null.")
    return result


def _all() -> Iterable[Builtin]:
    for family in (builtins_strings, builtins_numbers, builtins_lists, builtins_temporal):
        for signature, body in family.FUNCTIONS.items():
            name, _, rest = signature.partition("(")
            listed = [part.strip() for part in rest.rstrip(")").split(",") if part.strip()]
            variadic = any(part.startswith("*") for part in listed)
            parameters = tuple(part.strip("*?") for part in listed)
            required = sum(1 for part in listed if not part.endswith("?"))
            yield Builtin(name, body, parameters, required, variadic)


BUILTINS: dict[str, Builtin] = {builtin.name: builtin for builtin in _all()}
"""By FEEL name."""
