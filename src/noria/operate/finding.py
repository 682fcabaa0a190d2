"""Finding (查询): what somebody looks for in a list, checked and put into the terms of the index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import ClassVar

import msgspec

from noria.kernel.errors import NoriaError, Rejected
from noria.operate.indexing import GUARDED, Findable, field_term, findable, person_term
from noria.operate.office import Office, RefusedError
from noria.operate.reading import Search
from noria.operate.terms import (
    NUMBER_MAX,
    Clause,
    Term,
    date_of,
    date_range,
    folded,
    is_cjk,
    number_of,
    number_range,
    run_clauses,
    runs,
    whole,
)
from noria.trust.people import Organisation
from noria.trust.policy import Permission, Principal

FIELDS_MAX = 10
CLAUSES_MAX = 60
"""Of what is looked for so much counts: by then only what was copied from a text is left."""
PEOPLE_MAX = 100
"""What is in more names than this is not taken for one."""
_FILTER = re.compile(r"(?P<name>[^<>=~]+)(?P<operator>>=|<=|=|<|>|~)(?P<value>.*)", re.DOTALL)


class SearchBehindError(NoriaError):
    """The search index is still being built; nothing is missing from it unsaid. Lists without a search work."""

    code: ClassVar[str] = "search.behind"


class Wanted(msgspec.Struct, frozen=True):
    """What is looked for; nothing where it is empty.

    Attributes:
        q: words: of the business key, title, form fields, and names of people who have to do with it.
        starter, holder, actor: ids of people: who started it, who has a task of it now, who did something in it.
        field: conditions on form fields, each a name, one of ``= > >= < <= ~`` and a value.
    """

    q: str = ""
    starter: str = ""
    holder: str = ""
    actor: str = ""
    field: tuple[str, ...] = ()


EVERYTHING = Wanted()


class FieldFilter(msgspec.Struct, frozen=True):
    """A condition on a form field, taken apart."""

    text: str
    name: str
    operator: str
    value: str


def parsed(text: str) -> FieldFilter:
    """A condition on a form field.

    Raises:
        RefusedError: it is none.
    """
    found = _FILTER.fullmatch(text.strip())
    if found is None or not found["name"].strip() or not found["value"].strip():
        message = f"{text!r} is no condition on a field: write its name, one of = > >= < <= ~ and a value."
        raise _refused("filter.syntax", message, text)
    return FieldFilter(text, found["name"].strip(), found["operator"], found["value"].strip())


def _refused(code: str, message: str, text: str, **details: object) -> RefusedError:
    return RefusedError(Rejected(code, message, {"parameter": "field", "given": text, **details}))


async def search_for(office: Office, who: Principal, wanted: Wanted, process: str) -> Search | None:
    """What somebody looks for, in the terms of the index; None when that is nothing in particular.

    Args:
        office: whose people and forms are meant.
        who: what is hidden from some is looked for only for those who may read all.
        wanted: what is looked for.
        process: key of the process whose fields are meant, "" for any.

    Raises:
        RefusedError: a person or field is not known, or a condition cannot be read; details name the parameter.
    """
    if wanted == EVERYTHING:
        return None
    organisation = await office.people.organisation(who.tenant)
    reads_all = Permission.READ_ALL in who.permissions
    clauses: list[Clause] = []
    if wanted.q.strip():
        # What has no letter and no digit is nowhere.
        clauses += _words(wanted.q, organisation, who.tenant, reads_all=reads_all) or [()]
    for parameter, kind in (("starter", "s"), ("holder", "h"), ("actor", "a")):
        person = getattr(wanted, parameter)
        if person and person not in organisation.people:
            details: dict[str, object] = {"parameter": parameter, "given": person}
            message = f"{parameter} names {person!r}, and there is no such person."
            raise RefusedError(Rejected("person.not_found", message, details))
        if person:
            clauses.append((Term(person_term(kind, who.tenant, person)),))
    if len(wanted.field) > FIELDS_MAX:
        raise _refused("filter.too_many", f"At most {FIELDS_MAX} conditions on fields are taken.", "", max=FIELDS_MAX)
    if wanted.field:
        fields = await fields_for(office, who, process)
        for text in wanted.field:
            clauses += _of_field(parsed(text), fields, reads_all=reads_all)
    return Search(tuple(clauses), wanted.q.strip())


async def problems_with(office: Office, who: Principal, wanted: Wanted, process: str) -> list[Rejected]:
    """What of a search cannot be looked for, each part by itself; none where all of it can."""
    parts = [Wanted(starter=wanted.starter), Wanted(holder=wanted.holder), Wanted(actor=wanted.actor)]
    parts += [Wanted(field=(text,)) for text in wanted.field]
    found = []
    for part in parts:
        try:
            await search_for(office, who, part, process)
        except RefusedError as error:
            found.append(error.rejected)
    return found


async def fields_for(office: Office, who: Principal, process: str) -> list[Findable]:
    """The fields that somebody may look for: of all versions of a process, or of the newest of every process."""
    rows = [row for row in office.catalogue.rows(who.tenant) if process in ("", row.key)]
    if not process:
        newest = {row.key: row for row in sorted(rows, key=lambda row: row.version)}
        rows = list(newest.values())
    found: dict[tuple[str, str], Findable] = {}
    for row in sorted(rows, key=lambda row: -row.version):
        for field in findable(await office.catalogue.get(row.id)):
            if not field.guarded or Permission.READ_ALL in who.permissions:
                found.setdefault((field.name, field.type), field)
    return list(found.values())


def _words(q: str, organisation: Organisation, tenant: int, *, reads_all: bool) -> list[Clause]:
    """What must be there for words: of each all of it, or else somebody of that name."""
    clauses: list[Clause] = []
    for word in q.split():
        if len(clauses) >= CLAUSES_MAX:
            break
        people = tuple(Term(person_term("p", tenant, key)) for key in _people(word, organisation))
        for run in runs(word):
            clauses += (_also_guarded(clause, reads_all=reads_all) + people for clause in run_clauses(run))
    return clauses[:CLAUSES_MAX]


def _people(word: str, organisation: Organisation) -> list[str]:
    """Ids of the people whose name has a word in it, or begins with it, or whose name for signing in does."""
    part = folded(word)
    part = part if is_cjk(part) else f" {part}"
    found = [key for key, person in organisation.people.items() if part in _name(person.name, person.username)]
    return sorted(found) if len(found) <= PEOPLE_MAX else []


@lru_cache(maxsize=20_000)
def _name(name: str, username: str) -> str:
    return folded(f" {name} {username}")


def _also_guarded(clause: Iterable[Term], *, reads_all: bool) -> Clause:
    """A clause that, for who may read all, also finds what some step hides."""
    terms = tuple(clause)
    return terms + tuple(Term(GUARDED + term.text, term.begins) for term in terms) if reads_all else terms


def _of_field(condition: FieldFilter, fields: Sequence[Findable], *, reads_all: bool) -> list[Clause]:
    """What must be there for a condition on a field.

    Raises:
        RefusedError: there is no such field for this person, or the value is none of its type.
    """
    named = [field for field in fields if field.name == condition.name]
    if not named:
        message = f"There is no field {condition.name!r} that you could look for."
        raise _refused("filter.unknown_field", message, condition.text, field=condition.name)
    kinds = {field.type for field in named}
    if condition.operator == "~":
        if "text" not in kinds:
            raise _bad_value(condition, kinds)
        clauses = [clause for run in runs(condition.value) for clause in run_clauses(run)][:CLAUSES_MAX]
        if not clauses:
            raise _bad_value(condition, kinds)
        by_field = [
            [Term(field_term(condition.name, f"~{term.text}"), term.begins) for term in clause] for clause in clauses
        ]
        return [_also_guarded(clause, reads_all=reads_all) for clause in by_field]
    terms = [Term(field_term(condition.name, rest)) for kind in kinds for rest in _rest(condition, kind)]
    if not terms:
        raise _bad_value(condition, kinds)
    return [_also_guarded(terms, reads_all=reads_all)]


def _rest(condition: FieldFilter, kind: str) -> list[str]:
    """Terms for a value of a field of one type, behind its name; none when the value is no such thing."""
    operator, value = condition.operator, condition.value
    if kind == "number":
        number = number_of(value)
        if number is None or abs(number) >= NUMBER_MAX:
            return []
        return [f"#{term}" for term in number_range(operator, number)]
    if kind == "date":
        day = date_of(value)
        return [f"#{term}" for term in date_range(operator, day)] if day is not None else []
    if operator != "=" or (kind == "bool" and value not in ("true", "false")):
        return []
    return [f"={whole(value)}"]


def _bad_value(condition: FieldFilter, kinds: set[str]) -> RefusedError:
    what = {
        "number": "a number below 10^18, compared by = > >= < <=",
        "date": "a date such as 2026-12-31, compared by = > >= < <=",
        "bool": "true or false, compared by =",
        "text": "a text, compared by = or (words in it) ~",
    }
    wanted = ", or ".join(what[kind] for kind in sorted(kinds))
    message = f"{condition.text!r} cannot be looked for: {condition.name} holds {wanted}."
    return _refused("filter.value", message, condition.text, field=condition.name, types=sorted(kinds))
