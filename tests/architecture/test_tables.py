"""The engine's tables are complete: an element, a command or an event without its entry is found here, not by users."""

from typing import get_args

from noria.design.bpmn.graph import Kind
from noria.design.bpmn.names import KINDS
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
