"""Reading files that are deployed together: each by itself, then what they name in each other and in what is there."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from noria.design.bpmn import BpmnFile, compile_bpmn, read_bpmn
from noria.design.bpmn.graph import Element, Graph
from noria.design.bpmn.names import BPMN, bpmn
from noria.design.dmn import Decision, DecisionModel, check_tables, read_dmn
from noria.design.findings import Finding, has_errors
from noria.design.forms import Form, read_form
from noria.engine.deadlines import OF_UNIT

FILES_MAX = 50


class Bundle(msgspec.Struct):
    """Files that were read together.

    Attributes:
        graphs: executable processes, with the file each came from.
        decisions: by id.
        forms: by id.
        findings: about all files, in their order.
        models: files of decisions by name.
    """

    graphs: list[tuple[str, Graph]]
    decisions: dict[str, Decision]
    forms: dict[str, Form]
    findings: list[Finding]
    models: dict[str, DecisionModel] = {}


class Known(msgspec.Struct, frozen=True):
    """What is there already beside the files that are looked at.

    Attributes:
        decisions: ids of decisions that are deployed.
        forms: ids of forms that are deployed.
        calendars: ids of working calendars; None where nobody knows, as without a database.
    """

    decisions: Collection[str] = ()
    forms: Collection[str] = ()
    calendars: Collection[str] | None = None


NOTHING = Known()


def check_bundle(files: Mapping[str, bytes], known: Known = NOTHING) -> Bundle:
    """`read_bundle`, and what a closer look at the decision tables finds: for who edits them, not for who runs them."""
    bundle = read_bundle(files, known)
    bundle.findings += check_tables(bundle.models)
    return bundle


def read_bundle(files: Mapping[str, bytes], known: Known = NOTHING, *, accepted: bool = False) -> Bundle:
    """Read, check and compile files that are deployed together.

    Args:
        files: content by file name; the ending says what each is.
        known: what is there already.
        accepted: whether they have been deployed, perhaps under fewer rules than today's: then they are compiled,
            whatever is found now.
    """
    bundle = Bundle([], {}, {}, [])
    decision_files = {name: content for name, content in files.items() if name.lower().endswith(".dmn")}
    if not files:
        bundle.findings.append(Finding("error", "deployment.empty", "There is no file to deploy."))
    if len(files) > FILES_MAX:
        bundle.findings.append(Finding("error", "deployment.too_many", f"At most {FILES_MAX} files at once."))
        return bundle
    for name, content in files.items():
        ending = name[name.rfind(".") :].lower() if "." in name else ""
        if ending == ".bpmn":
            read, findings = read_bpmn(content, name)
            bundle.findings += findings
            if read is not None:
                bundle.findings += _missing_imports(read, files)
            if read is not None and (accepted or not has_errors(findings)):
                graphs, findings = compile_bpmn(read)
                bundle.findings += findings
                bundle.graphs += [(name, graph) for graph in graphs]
        elif ending == ".dmn":
            model, findings = read_dmn(content, name, decision_files)
            bundle.findings += findings
            if model is not None:
                bundle.decisions.update(model.decisions)
                bundle.models[name] = model
        elif ending == ".form":
            form, findings = read_form(content, name)
            bundle.findings += findings
            if form is not None:
                bundle.forms[form.id] = form
        else:
            message = "Only .bpmn, .dmn and .form files can be deployed."
            bundle.findings.append(Finding("error", "deployment.file_type", message, name))
    _check_links(bundle, known)
    for file, graph in bundle.graphs:
        _check_access(bundle, file, graph)
    return bundle


def _missing_imports(read: BpmnFile, files: Mapping[str, bytes]) -> list[Finding]:
    """BPMN files that a file imports from beside it and that are not deployed with it. Addresses are never fetched."""
    deployed = {name.rpartition("/")[2] for name in files}
    found = []
    for node in read.document.root.elements(bpmn("import")):
        location = node.get("location")
        if node.get("importType") == BPMN and "://" not in location and location.rpartition("/")[2] not in deployed:
            message = f"The imported file {location!r} is not deployed with it."
            found.append(Finding("error", "deployment.import", message, read.file, node.line))
    return found


def _check_links(bundle: Bundle, known: Known) -> None:
    decisions = {*bundle.decisions, *known.decisions}
    forms = {*bundle.forms, *known.forms}
    keys: set[str] = set()
    for file, graph in bundle.graphs:
        if graph.key in keys:
            bundle.findings.append(
                Finding("error", "deployment.duplicate_process", "This process is in two files.", file, 0, graph.key)
            )
        keys.add(graph.key)
        for element in graph.elements:
            form = graph.start_form if element.index == 0 else element.human.form if element.human else ""
            if form and form not in forms:
                bundle.findings.append(_missing(file, element, "form.unknown", f"The form {form!r} is not deployed."))
            if element.decision and element.decision not in decisions:
                message = f"The decision {element.decision!r} is not deployed."
                bundle.findings.append(_missing(file, element, "decision.unknown", message))
            for calendar in _calendars(element):
                if known.calendars is not None and calendar not in known.calendars:
                    message = f"There is no working calendar {calendar!r}. Publish it first, or name one that there is."
                    bundle.findings.append(
                        Finding("error", "calendar.unknown", message, file, element.line, element.id)
                    )


def _calendars(element: Element) -> list[str]:
    """The working calendars that an element names, each once; which one counts for a unit is seen when it counts."""
    named = [element.human.calendar] if element.human else []
    named += [trigger.calendar for trigger in element.triggers]
    return [calendar for calendar in dict.fromkeys(named) if calendar not in ("", OF_UNIT)]


def _check_access(bundle: Bundle, file: str, graph: Graph) -> None:
    """Find names that a form does not have, and lines for everybody that show what some step hides."""
    hidden: dict[str, Element] = {}
    for element in graph.elements:
        work = element.human
        if work is None:
            continue
        form = bundle.forms.get(work.form)
        named = (*work.hidden_fields, *(work.writable_fields or ()))
        unknown = [name for name in named if form is not None and name not in form.names]
        if unknown or (named and not work.form):
            message = f"The form {work.form!r} has no field {', '.join(unknown or named)}."
            bundle.findings.append(Finding("error", "fields.unknown", message, file, element.line, element.id))
        hidden |= dict.fromkeys(work.hidden_fields, element)
    titles = [graph.title, *(element.human.title for element in graph.elements if element.human)]
    shown = {*graph.summary, *(name for title in titles if title is not None for name in title.names)}
    for name in sorted(hidden.keys() & shown):
        element = hidden[name]
        message = f"{name!r} is hidden here, but a title or the summary shows it in every list; take it out of there."
        bundle.findings.append(Finding("error", "fields.shown", message, file, element.line, element.id))


def _missing(file: str, element: Element, code: str, message: str) -> Finding:
    return Finding("error", code, f"{message} Deploy it together with the process.", file, element.line, element.id)
