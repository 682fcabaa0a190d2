"""The engine's tables are complete: an element, a command or an event without its entry is found here, not by users."""

import ast
from pathlib import Path
from typing import get_args

import noria.design.bpmn
from noria.design.bpmn.graph import Kind
from noria.design.bpmn.names import ATTRIBUTES, EVERY_NODE, KINDS
from noria.design.bpmn.vocabulary import EXTENSION_ELEMENTS, VOCABULARY
from noria.engine.behaviours import BEHAVIOURS
from noria.engine.commands import AnyCommand
from noria.engine.events import AnyEvent
from noria.engine.evolve import APPLY
from noria.engine.step import HANDLERS


def test_every_kind_of_element_has_a_behaviour():
    # The process itself is no flow node: no token comes to it.
    assert set(BEHAVIOURS) == set(Kind) - {Kind.PROCESS}


def test_every_kind_of_element_is_read_from_a_file():
    # A sub-process becomes an event sub-process by an attribute.
    assert set(KINDS.values()) == set(Kind) - {Kind.PROCESS, Kind.EVENT_SUB_PROCESS}


def test_every_command_has_a_handler():
    assert set(HANDLERS) == set(get_args(AnyCommand))


def test_every_event_has_its_effect_on_the_state():
    assert set(APPLY) == set(get_args(AnyEvent))


def test_every_attribute_in_our_namespace_has_its_meaning_and_no_other_has():
    assert set(VOCABULARY) == {name for names in ATTRIBUTES.values() for name in names} | set(EVERY_NODE)


def test_a_default_is_one_of_the_words_that_an_attribute_may_be():
    assert [name for name, said in VOCABULARY.items() if said.one_of and said.default not in (None, *said.one_of)] == []


def test_the_reader_reads_every_attribute_of_our_namespace():
    folder = Path(noria.design.bpmn.__file__).parent
    read = {
        node.value
        for path in folder.glob("*.py")
        if path.name not in ("names.py", "vocabulary.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(VOCABULARY) | set(EXTENSION_ELEMENTS) <= read
