"""The company in which scenarios happen, and how a line changes it."""

from __future__ import annotations

import msgspec

from noria.trust.people import Acting, Line, Organisation, Person, Post, Unit

_UNITS = (
    Unit("works", "澄海制造", "", "zhao", lines=(Line("quality", "gao"),)),
    Unit("purchasing", "采购部", "works", "wang"),
    Unit("metal", "金属采购组", "purchasing", "ma"),
    Unit("quality", "质检部", "works", "gao"),
)
_PEOPLE = (
    Person("zhao", "zhao", "赵总", "works", roles=("general_manager",)),
    Person("wang", "wang", "王强", "purchasing", roles=("manager",), position="head"),
    Person("ma", "ma", "马工", "metal", position="leader"),
    Person("lin", "lin", "林晓", "metal", position="buyer", posts=(Post("quality", "sampler"),)),
    Person("mei", "mei", "梅子", "metal", position="buyer"),
    Person("gao", "gao", "高工", "quality", roles=("inspector",)),
    Person("gone", "gone", "离职", "metal", active=False, roles=("inspector",), position="buyer"),
)


class Company(Organisation):
    """Scenarios name whom they like: only who has left is nobody."""

    def knows(self, person_id: str) -> bool:
        return person_id not in self.people or self.is_active(person_id)


COMPANY = Company({person.id: person for person in _PEOPLE}, {unit.id: unit for unit in _UNITS})


def changed(company: Organisation, verb: str, who: str, unit: str = "") -> Organisation:
    """The company after somebody ``leaves``, ``moves`` to a unit, or ``acts`` for the manager of one."""
    people, units = dict(company.people), dict(company.units)
    if verb == "leaves":
        people[who] = msgspec.structs.replace(people[who], active=False)
    elif verb == "moves":
        people[who] = msgspec.structs.replace(people[who], unit=unit)
    elif verb == "acts":
        units[unit] = msgspec.structs.replace(units[unit], acting=(Acting(who),))
    else:
        raise ValueError(f"{verb!r} is not something that happens to the company.")
    return Company(people, units, company.at_ms)
