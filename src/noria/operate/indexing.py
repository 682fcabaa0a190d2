"""What the search index holds of an instance: all that it is found by, and who finds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache

import msgspec

from noria.design.forms import Field, Form
from noria.engine.definition import Definition
from noria.kernel.instants import DAY_MS
from noria.operate.terms import coded, date_of, date_terms, key_terms, number_of, number_terms, text_terms, whole

TEXT_CHARS_MAX = 500
"""So much of each text is found."""
TEXTS_CHARS_MAX = 5_000
"""So much of all texts of an instance together."""
FIELD_CHARS_MAX = 100
"""So much of a text is found by its field, too."""
ROWS_MAX = 50
"""Of a list of rows so many are looked at."""
GUARDED = "!"
"""Begins the terms of what some step hides: only those who may read all look for them."""
_TYPES = {"number": "number", "expression": "number", "datetime": "date", "checkbox": "bool"}
"""Of form-js components; all others hold texts. What is computed mostly is a number."""


class Findable(msgspec.Struct, frozen=True):
    """A field of a form by which instances are found.

    Attributes:
        name: of its variable, dots for nesting.
        label: what the form calls it.
        type: "text", "number", "date" or "bool".
        choices: its values and what they are called, where the form lists them.
        guarded: whether some step hides it.
    """

    name: str
    label: str
    type: str
    choices: tuple[tuple[str, str], ...] = ()
    guarded: bool = False

    @property
    def path(self) -> list[str]:
        """Where its value is."""
        return self.name.split(".")


@lru_cache(maxsize=256)
def findable(definition: Definition) -> tuple[Findable, ...]:
    """The fields of a definition's forms by which its instances are found, each once; lists of rows have none."""
    found: dict[str, Findable] = {}
    for form in _forms(definition):
        for field in _fields(form.fields, "", definition.guarded):
            found.setdefault(field.name, field)
    return tuple(found.values())


def _forms(definition: Definition) -> Iterator[Form]:
    names = [definition.graph.start_form]
    names += [element.human.form for element in definition.graph.elements if element.human is not None]
    for name in dict.fromkeys(names):
        if name in definition.forms:
            yield definition.forms[name]


def _fields(fields: tuple[Field, ...], prefix: str, guarded: frozenset[str]) -> Iterator[Findable]:
    for field in fields:
        if field.type == "group":
            yield from _fields(field.fields, f"{prefix}{field.path}." if field.path else prefix, guarded)
        elif field.key and field.type != "filepicker":
            name = prefix + field.key
            settings = field.settings
            label = field.label or str(settings.get("dateLabel") or settings.get("timeLabel") or name)
            kind = _TYPES.get(field.type, "text")
            if kind == "date" and field.subtype == "time":
                kind = "text"
            yield Findable(name, label, kind, _choices(settings), name.split(".")[0] in guarded)


def _choices(settings: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    values = settings.get("values")
    if not isinstance(values, list):
        return ()
    return tuple((str(one["value"]), str(one.get("label", one["value"]))) for one in values if isinstance(one, dict))


class Subject(msgspec.Struct, gc=False):
    """An instance as it is indexed.

    Attributes:
        tenant, definition, status, started, bkey, title, summary, starter, unit: columns of its row.
        variables: those of the whole instance.
        holders: who has a task of it now, or is asked for an opinion.
        users, groups: who may claim a task that nobody has.
        actors: who did something in it, for themselves or for somebody.
        copied: who was let know of it.
        names: of its tasks, where the model computes them.
    """

    tenant: int
    definition: int
    status: int
    started: int
    bkey: str
    title: str
    summary: str
    starter: str
    unit: str
    variables: Mapping[str, object] = {}
    holders: AbstractSet[str] = frozenset()
    users: AbstractSet[str] = frozenset()
    groups: AbstractSet[str] = frozenset()
    actors: AbstractSet[str] = frozenset()
    copied: AbstractSet[str] = frozenset()
    names: AbstractSet[str] = frozenset()


@lru_cache(maxsize=16_384)
def person_term(kind: str, tenant: int, key: str) -> str:
    """The term of somebody's part in an instance.

    Args:
        kind: "s" started it, "h" has a task of it, "k" may claim one ("g": a group may), "a" did something in it, "c"
            has a copy, "p" any of the first, second and fourth; "u" the unit of its starter.
        tenant: whose ids these are.
        key: id of the person, group or unit.
    """
    return f"{kind}.{tenant}.{coded(key)}"


def tenant_term(tenant: int) -> str:
    """The term of all instances of a tenant."""
    return f"n.{tenant}"


def status_term(status: int) -> str:
    """The term of a status (`noria.engine.state.Status`)."""
    return f"t.{status}"


def definition_term(definition: int) -> str:
    """The term of a definition."""
    return f"d.{definition}"


def day_term(started: int) -> str:
    """The term of the day on which an instance was started, so that the newest are found without the rest."""
    return f"o.{started // DAY_MS}"


def field_term(name: str, rest: str) -> str:
    """A term of a field's value."""
    return f"f.{coded(name)}{rest}"


def terms_of(subject: Subject, definition: Definition) -> frozenset[str]:
    """All terms of an instance."""
    terms = {*_of_row(subject.tenant, subject.status, subject.definition, subject.started // DAY_MS)}
    terms.update(text_terms(subject.title))
    if subject.bkey:
        terms.update(key_terms(subject.bkey))
    _add_people(terms, subject)
    for name in subject.names:
        terms.update(text_terms(name))
    budget = TEXTS_CHARS_MAX
    variables, sought = subject.variables, _sought(definition)
    for name, guarded in sought.variables:
        for text in _texts(variables.get(name)):
            terms.update(_marked(text_terms(text[: min(TEXT_CHARS_MAX, max(0, budget))]), guarded=guarded))
            budget -= len(text)
    for field, prefix in sought.fields:
        value = _at(variables, field)
        terms.update([prefix + rest for rest in _value_terms(value, field.type)])
        for label in _labels(value, field):
            # Who looks for it types what the form shows.
            terms.update(_marked(text_terms(label), guarded=field.guarded))
            terms.update([f"{prefix}~{term}" for term in text_terms(label)])
    return frozenset(terms)


class _Sought(msgspec.Struct, frozen=True):
    """What a definition's instances are found by.

    Attributes:
        variables: those whose texts are, and whether some step hides them.
        fields: each with what its terms begin with.
    """

    variables: tuple[tuple[str, bool], ...]
    fields: tuple[tuple[Findable, str], ...]


@lru_cache(maxsize=256)
def _sought(definition: Definition) -> _Sought:
    fields = {field.name: field for field in findable(definition)}
    summary = [name for name in definition.graph.summary if name not in fields]
    names = dict.fromkeys((*summary, *(field.path[0] for field in fields.values()), *_rows_of(definition)))
    return _Sought(
        tuple((name, name in definition.guarded) for name in names),
        tuple((field, (GUARDED if field.guarded else "") + field_term(field.name, "")) for field in fields.values()),
    )


@lru_cache(maxsize=4_096)
def _of_row(tenant: int, status: int, definition: int, day: int) -> tuple[str, ...]:
    return tenant_term(tenant), status_term(status), definition_term(definition), day_term(day * DAY_MS)


def _marked(terms: Iterable[str], *, guarded: bool) -> Iterable[str]:
    return [GUARDED + term for term in terms] if guarded else terms


def _add_people(terms: set[str], subject: Subject) -> None:
    tenant = subject.tenant
    terms.update(_part(tenant, "s", subject.starter))
    if subject.unit:
        terms.add(person_term("u", tenant, subject.unit))
    for kind, keys in (("h", subject.holders), ("a", subject.actors)):
        for key in keys:
            terms.update(_part(tenant, kind, key))
    for kind, keys in (("k", subject.users), ("g", subject.groups), ("c", subject.copied)):
        for key in keys:
            terms.add(person_term(kind, tenant, key))


@lru_cache(maxsize=16_384)
def _part(tenant: int, kind: str, key: str) -> tuple[str, str]:
    """The terms of who started, has or did something: of that, and of any of these."""
    return person_term(kind, tenant, key), person_term("p", tenant, key)


@lru_cache(maxsize=256)
def _rows_of(definition: Definition) -> tuple[str, ...]:
    """The variables of lists of rows, whose texts are found though they are no fields by themselves."""
    found: list[str] = []
    for form in _forms(definition):
        stack = list(form.fields)
        while stack:
            field = stack.pop()
            if field.type == "group":
                stack += field.fields
            elif field.type == "dynamiclist":
                found.append(field.parts[0])
    return tuple(dict.fromkeys(found))


def _at(variables: Mapping[str, object], field: Findable) -> object:
    value: object = variables
    for part in field.path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _labels(value: object, field: Findable) -> list[str]:
    """What the form calls a choice."""
    if not field.choices:
        return []
    chosen = {str(item) for item in (value if isinstance(value, list) else [value]) if isinstance(item, str | int)}
    return [label for key, label in field.choices if key in chosen]


def _texts(value: object, depth: int = 3) -> Iterator[str]:
    """The texts and numbers in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif depth and isinstance(value, list):
        for item in value[:ROWS_MAX]:
            yield from _texts(item, depth - 1)
    elif depth and isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item, depth - 1)


def _value_terms(value: object, kind: str) -> Iterator[str]:
    """What a field's value is found by, behind the field's name."""
    if isinstance(value, list):
        for item in value[:ROWS_MAX]:
            yield from _value_terms(item, kind)
    elif isinstance(value, bool | str | int | float):
        yield from _scalar_terms(value, kind)


@lru_cache(maxsize=4_096, typed=True)
def _scalar_terms(value: bool | str | float, kind: str) -> tuple[str, ...]:
    if isinstance(value, bool):
        return (f"={whole('true' if value else 'false')}",)
    found = [f"={whole(str(value))}"]
    # Some forms keep numbers as texts.
    number = None if isinstance(value, str) and kind != "number" else number_of(value)
    if number is not None:
        found += [f"#{term}" for term in number_terms(number)]
    elif (day := date_of(value)) is not None:
        found += [f"#{term}" for term in date_terms(day)]
    if isinstance(value, str):
        found += [f"~{term}" for term in text_terms(value[:FIELD_CHARS_MAX])]
    return tuple(found)
