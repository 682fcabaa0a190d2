"""Who gets a task, until when, and who may start a process."""

from __future__ import annotations

import re

from noria.design.bpmn.names import bpmn, noria
from noria.design.importing.feel import translate
from noria.design.importing.jobs import brought_into_range
from noria.design.importing.juel import has_expression, parse_template
from noria.design.importing.said import NAME, NotTranslatable, quoted
from noria.design.importing.working import Found, Work
from noria.design.xml import Node
from noria.kernel.instants import parse_duration, parse_instant

_PRIORITY_MAX = 100
_FROM_NOW = re.compile(r"now\(\) \+ (duration\(.+\))")
_LIST = 'if {0} instance of string then split({0}, "\\s*,\\s*") else {0}'
"""A variable of candidates holds a list of them, or a text of several with commas between them."""
_LISTED = re.compile(r"\s*(user|group)\(([^)]*)\)\s*$")
_CALENDARS = frozenset({"dueDate", "duration", "cycle"})
DUE = (
    "{{at: date and time({0}), due: (if at.time offset = null then "
    "date and time(date(at), time(at.hour, at.minute, at.second, now().time offset)) else at) - now()}}.due"
)
"""How long it is until a date; one without an offset is taken in the tenant's zone."""


def user_task(work: Work, node: Node) -> None:
    """Name, assignment, limit, priority."""
    _name(work, node)
    work.move(work.take(node, "assignee"), node, "assignee", "import.assignee")
    for name in ("candidateUsers", "candidateGroups"):
        candidates(work, node, work.take(node, name), name)
    _roles(work, node)
    due_date(work, node, work.take(node, "dueDate"))
    calendar(work, node, work.take(node, "businessCalendarName"))
    priority(work, node, work.take(node, "priority"))
    work.report(node, "import.follow_up", "followUpDate")
    work.report(node, "import.only_informs", "owner", "category")
    work.report(node, "import.internal_id", "taskIdVariableName", "activeTaskIdVariableName")


def _name(work: Work, node: Node) -> None:
    """A name with expressions is computed when the task opens; the drawing keeps its plain parts."""
    text = node.get("name")
    if not has_expression(text):
        return
    found = Found(node, "bpmn:name", text)
    try:
        translation = translate(text)
    except NotTranslatable:
        return  # It is shown as it is written, which the last look over the file says.
    for note in translation.notes:
        work.say(found, f"import.{note}")
    if not translation.constant:
        work.set(node, "title", f"= {translation.text}")
        work.say(found, "import.name_expression")
        node.attributes["name"] = "".join(part if isinstance(part, str) else "…" for part in parse_template(text))


def nobody(work: Work, node: Node) -> None:
    """A task that names nobody is found by the starter: Noria refuses one that would reach nobody."""
    if any(node.get(noria(name)) for name in ("assignee", "candidateUsers", "candidateGroups")):
        return
    if _has_lane(node):
        work.say(node, "import.nobody_lane")
    elif _starts_alone(node):
        work.set(node, "candidateUsers", "= [starter.id][item != null]")
        work.set(node, "candidateGroups", "process_owner")
        work.say(node, "import.nobody_or_owner")
    else:
        work.set(node, "candidateUsers", "= [starter.id]")
        work.say(node, "import.nobody")


def _process(node: Node) -> Node:
    """The process around an element."""
    while node.parent is not None and node.local != "process":
        node = node.parent
    return node


def _starts_alone(node: Node) -> bool:
    """Whether the process has a start event that is triggered by something else than a person."""
    return any(
        child.local.endswith(("EventDefinition", "eventDefinitionRef"))
        for start in _process(node).elements(bpmn("startEvent"))
        for child in start.elements()
    )


def _has_lane(node: Node) -> bool:
    return any(
        reference.text.strip() == node.get("id")
        for lane in _process(node).descendants()
        if lane.tag == bpmn("lane") and (lane.get("name") or lane.get(noria("group")))
        for reference in lane.elements(bpmn("flowNodeRef"))
    )


def candidates(work: Work, node: Node, found: Found | None, attribute: str) -> None:
    """A comma list of constants and expressions, each of which may give a list, beside those computed already."""
    if found is None:
        return
    parts = _split(found.value)
    before = node.get(noria(attribute))
    computed = [before.removeprefix("=").strip()] if before.startswith("=") else []
    if not computed and ("{" not in found.value or not parts):
        work.move(found, node, attribute, "import.candidates")
        return
    pieces = computed
    for part in parts:
        piece = work.feel(found._replace(value=part))
        if piece is None:
            return
        pieces.append(_LIST.format(piece) if NAME.fullmatch(piece) else piece)
    work.set(node, attribute, f"= flatten([{', '.join(pieces)}])" if len(pieces) > 1 else f"= {pieces[0]}")
    work.say(found, "import.candidates")


def _split(text: str) -> list[str]:
    """Split at commas outside ``${…}``."""
    parts, depth, start = [], 0, 0
    for position, sign in enumerate(text):
        depth += {"{": 1, "}": -1, "(": 1, ")": -1}.get(sign, 0)
        if sign == "," and not depth:
            parts.append(text[start:position].strip())
            start = position + 1
    return [part for part in (*parts, text[start:].strip()) if part]


def _roles(work: Work, node: Node) -> None:
    """BPMN's own resource roles, as the vendors read them: ``user(kermit), group(sales)``, a bare word is a group."""
    for local in ("humanPerformer", "potentialOwner", "performer"):
        for role in list(node.elements(bpmn(local))):
            expression = next((item for item in role.descendants() if item.tag == bpmn("formalExpression")), None)
            if expression is None or not expression.text.strip():
                continue
            found = Found(role, f"bpmn:{local}", expression.text.strip())
            named = _named(found.value, "user" if local != "potentialOwner" else "group")
            if local != "potentialOwner":
                _person(work, node, found, named["user"])
            else:
                for kind, attribute in (("user", "candidateUsers"), ("group", "candidateGroups")):
                    if named[kind]:
                        before = node.get(noria(attribute))
                        listed = ",".join([*([before] if before and not before.startswith("=") else []), *named[kind]])
                        candidates(work, node, found._replace(value=listed), attribute)
            work.remove(role)


def _person(work: Work, node: Node, found: Found, users: list[str]) -> None:
    if len(users) == 1:
        work.move(found._replace(value=users[0]), node, "assignee", "import.assignee")
    else:
        candidates(work, node, found._replace(value=",".join(users)), "candidateUsers")


def _named(text: str, bare: str) -> dict[str, list[str]]:
    """Users and groups of ``user(a), group(b), c``."""
    found: dict[str, list[str]] = {"user": [], "group": []}
    for part in _split(text):
        match = _LISTED.match(part)
        found[match[1] if match else bare].append(match[2].strip() if match else part)
    return found


def due_date(work: Work, node: Node, found: Found | None) -> None:
    """A due date becomes a limit: a duration as it is, a date as the time until then."""
    if found is None:
        return
    if not found.value:
        work.say(found, "import.empty")
        return
    translation = work.translate(found)
    if translation is None:
        return
    set_due(work, node, found, translation.text, constant=translation.constant)


def set_due(work: Work, node: Node, found: Found, text: str, *, constant: bool) -> None:
    """Write the limit of a due date given as FEEL or as a constant."""
    if constant:
        try:
            parse_duration(text)
        except ValueError:
            try:
                parse_instant(text)
            except ValueError:
                work.say(found, "import.expression", reason=f"{text} is neither a date nor a duration")
                return
            work.set(node, "dueIn", f"= {DUE.format(quoted(text))}")
        else:
            work.set(node, "dueIn", text)
            work.say(found, "import.due_in")
            return
    elif (match := _FROM_NOW.fullmatch(text)) is not None:
        work.set(node, "dueIn", f"= {match[1]}")
        work.say(found, "import.due_in")
        return
    else:
        work.set(node, "dueIn", f"= {DUE.format(text)}")
    work.say(found, "import.due_date")


def calendar(work: Work, node: Node, found: Found | None) -> None:
    """The names of Flowable's own calendars say how a due date is read, not when people work."""
    if found is None:
        return
    if found.value in _CALENDARS:
        work.say(found, "import.no_meaning")
    elif work.value(found) == found.value:
        work.set(node, "calendar", found.value)
        work.say(found, "import.calendar")
    else:
        work.say(found, "import.unsupported")


def priority(work: Work, node: Node, found: Found | None) -> None:
    """From 0 to 100 in Noria; others are brought into that range."""
    if work.move(found, node, "priority", "import.priority") and found is not None:
        within = brought_into_range(found.value, _PRIORITY_MAX)
        if within != found.value:
            work.set(node, "priority", within)
            work.say(found, "import.priority_range")


def process(work: Work, node: Node) -> None:
    """Who may start it."""
    groups = work.take(node, "candidateStarterGroups")
    if groups is not None:
        _starters(work, node, groups, groups.value)
    work.report(node, "import.starter_users", "candidateStarterUsers")
    for found in work.take_elements(node, "potentialStarter"):
        expression = next((item for item in found.node.descendants() if item.text.strip()), None)
        text = expression.text.strip() if expression is not None else ""
        named = _named(text, "group")
        if named["user"]:
            work.say(found._replace(value=text), "import.starter_users")
        else:
            _starters(work, node, found._replace(value=text), ",".join(named["group"]))
    startable = work.take(node, "isStartableInTasklist")
    if startable is not None:
        work.say(startable, "import.no_meaning" if startable.is_true else "import.startable")


def _starters(work: Work, node: Node, found: Found, groups: str) -> None:
    try:
        constant = translate(groups).constant
    except NotTranslatable:
        constant = False
    if not constant:
        work.say(found, "import.expression", reason="groups of starters are constants")
        return
    work.set(node, "starterGroups", groups)
    work.say(found, "import.starter_groups")


def start_event(work: Work, node: Node) -> None:
    """The variable that holds who started the process."""
    found = work.take(node, "initiator")
    if found is None:
        return
    work.add(node, "output", source="= starter.id", target=found.value)
    work.say(found, "import.initiator")
