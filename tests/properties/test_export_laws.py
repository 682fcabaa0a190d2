"""Laws of the export to plain BPMN, for any model that Hypothesis can draw of Noria's words."""

from __future__ import annotations

from itertools import pairwise
from xml.sax.saxutils import quoteattr

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.design.exporting.flow import control_flow, namespaces

from noria.design.bpmn.names import ATTRIBUTES, EVERY_NODE, NORIA
from noria.design.bpmn.vocabulary import EXTENSION_ELEMENTS, VOCABULARY
from noria.design.exporting import export_plain
from noria.design.exporting.plain import STANDARD
from noria.design.xml import read_xml

TASKS = ("userTask", "serviceTask", "sendTask", "scriptTask", "businessRuleTask", "receiveTask", "callActivity", "task")
VALUES = st.sampled_from(["x", "= x", "= [a, b]", "a,b", "P1D", "0.5", "3", "= x.y", 'say "so" <&>', "true", " "])


def said(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Some of these attributes with values, as XML."""

    def value(name: str) -> st.SearchStrategy[tuple[str, str]]:
        words = VOCABULARY[name].one_of
        return st.tuples(st.just(name), st.sampled_from(words) if words else VALUES)

    chosen = st.lists(st.sampled_from(names).flatmap(value), max_size=6, unique_by=lambda pair: pair[0])
    return chosen.map(lambda pairs: "".join(f" noria:{name}={quoteattr(text)}" for name, text in pairs))


@st.composite
def extensions(draw: st.DrawFn) -> str:
    chosen = draw(st.lists(st.sampled_from(sorted(EXTENSION_ELEMENTS)), max_size=2))
    inside = "".join(
        f"<noria:{name} {' '.join(f'{key}={quoteattr(draw(VALUES))}' for key in EXTENSION_ELEMENTS[name].attributes)}/>"
        for name in chosen
    )
    return f"<extensionElements>{inside}</extensionElements>" if inside else ""


@st.composite
def tasks(draw: st.DrawFn, key: str) -> str:
    local = draw(st.sampled_from(TASKS))
    own = draw(said((*ATTRIBUTES.get(local, ()), *EVERY_NODE)))
    foreign = draw(st.sampled_from(["", ' other:thing="1"']))
    called = (
        draw(st.sampled_from([' calledElement="p2"', ' calledElement="= which"'])) if local == "callActivity" else ""
    )
    loop = ""
    if draw(st.booleans()):
        marker = draw(said(ATTRIBUTES["multiInstanceLoopCharacteristics"]))
        loop = f"<multiInstanceLoopCharacteristics{marker}/>"
    roles = draw(st.sampled_from(["", "<humanPerformer/>", "<potentialOwner/>"])) if local == "userTask" else ""
    return f'<{local} id="{key}"{own}{foreign}{called}>{draw(extensions())}{roles}{loop}</{local}>'


@st.composite
def models(draw: st.DrawFn) -> bytes:
    count = draw(st.integers(1, 4))
    ids = ["start", *(f"t{at}" for at in range(count)), "end"]
    body = [f'<startEvent id="start"{draw(said(ATTRIBUTES["startEvent"]))}/>']
    body += [draw(tasks(key)) for key in ids[1:-1]]
    body.append(f'<endEvent id="end"{draw(said(ATTRIBUTES["endEvent"]))}/>')
    body += [
        f'<sequenceFlow id="f{at}" sourceRef="{source}" targetRef="{target}"/>'
        for at, (source, target) in enumerate(pairwise(ids))
    ]
    lanes = ""
    if draw(st.booleans()):
        inside = "".join(f"<flowNodeRef>{key}</flowNodeRef>" for key in ids)
        name = draw(st.sampled_from(["", ' name="x"', ' name="other"']))
        lanes = f'<laneSet id="ls"><lane id="lane"{name}{draw(said(("group",)))}>{inside}</lane></laneSet>'
    own = draw(said(ATTRIBUTES["process"]))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:noria="urn:noria:bpmn:1" '
        f'xmlns:other="urn:other" targetNamespace="t"><process id="p" isExecutable="true"{own}>'
        f"{lanes}{''.join(body)}</process></definitions>"
    ).encode()


@given(models())
def test_elements_and_flows_are_the_same_and_nothing_is_in_another_namespace(content: bytes) -> None:
    plain = export_plain(content, "m").document
    assert plain is not None
    assert control_flow(plain) == control_flow(content)
    assert namespaces(plain) <= STANDARD


@given(models())
def test_exporting_again_changes_nothing_and_finds_nothing(content: bytes) -> None:
    plain = export_plain(content, "m").document
    assert plain is not None
    again = export_plain(plain, "m")
    assert (again.document, again.findings) == (plain, [])


@given(models())
def test_whatever_says_something_is_still_said_somewhere(content: bytes) -> None:
    exported = export_plain(content, "m")
    assert exported.document is not None
    written = exported.document.decode()
    for node in read_xml(content).root.descendants():
        for key, value in node.attributes.items():
            if key.startswith(f"{{{NORIA}}}") and value.strip() and not value.startswith("="):
                # A comma list becomes a list; quotation marks are escaped in a literal.
                parts = [part.strip() for part in value.split(",")]
                assert all(part.split('"')[0].strip() in written for part in parts), (key, value)
