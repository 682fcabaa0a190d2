"""A deployed process with everything the engine needs beside its graph."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from noria.design.bpmn.graph import SUB_PROCESSES, Element, Graph, Kind
from noria.design.dmn import Decision
from noria.design.forms import Form, restricted
from noria.engine.ways import Ways


def _is_prepared(element: Element) -> bool:
    return bool(
        element.inputs
        or element.data_inputs
        or element.boundaries
        or element.loop is not None
        or element.save_before
        or element.start_quantity > 1
    )


class Definition:
    """One version of one process, ready to run. Built once per deployment and shared by all instances.

    Attributes:
        graph: the executable graph.
        elements: of the graph.
        targets: for each flow the index of the element that it leads to.
        version: 1 for the first deployment of the key.
        decisions: by decision id, of the same deployment or else the newest when this version was deployed.
        forms: by form name, likewise.
        compensates: whether anything in it can be compensated.
        has_ad_hoc: whether there is an ad-hoc sub-process.
        keeping_apart: for each element index that user tasks are to be separate from: these tasks.
        prepared: for each element whether something happens before its behaviour begins.
        onward: for each element its outgoing flows when they can be taken without a further thought, else None.
        waiting_joins: indexes of the inclusive and complex gateways that have more than one incoming flow.
        ways: the plain elements.
    """

    # What every command asks for lies in slots: once a cached property has made the dict, a look into it costs more.
    __slots__ = (
        "__dict__",
        "_form_at",
        "compensates",
        "decisions",
        "elements",
        "forms",
        "graph",
        "has_ad_hoc",
        "keeping_apart",
        "onward",
        "prepared",
        "targets",
        "version",
        "waiting_joins",
        "ways",
    )

    def __init__(
        self,
        graph: Graph,
        version: int = 1,
        decisions: Mapping[str, Decision] | None = None,
        forms: Mapping[str, Form] | None = None,
    ) -> None:
        self.graph = graph
        self.elements = graph.elements
        self.targets = tuple(flow.target for flow in graph.flows)
        self.version = version
        self.decisions = dict(decisions or {})
        self.forms = dict(forms or {})
        self.compensates = any(element.compensated_by >= 0 for element in graph.elements)
        self.has_ad_hoc = any(element.ad_hoc is not None for element in graph.elements)
        self.keeping_apart: dict[int, tuple[int, ...]] = {}
        for element in graph.elements:
            for index in element.separate_from:
                self.keeping_apart[index] = (*self.keeping_apart.get(index, ()), element.index)
        self.prepared = tuple(_is_prepared(element) for element in graph.elements)
        self.onward: tuple[tuple[int, ...] | None, ...] = tuple(
            element.outgoing if self._goes_straight_on(element) else None for element in graph.elements
        )
        self.waiting_joins = frozenset(
            element.index
            for element in graph.elements
            if element.kind in (Kind.INCLUSIVE_GATEWAY, Kind.COMPLEX_GATEWAY) and len(element.incoming) > 1
        )
        self.ways = Ways(graph, self.prepared, self.onward, self.keeping_apart)

        self._form_at: dict[int, Form] = {}
        for element in graph.elements:
            work = element.human
            if work is not None and work.form in self.forms:
                form = restricted(self.forms[work.form], work.hidden_fields, work.writable_fields)
                self._form_at[element.index] = form

    def form_at(self, element: int, name: str) -> Form | None:
        """The form of a task as its step shows it.

        Args:
            element: index of the user task.
            name: of the form that the task was opened with: it stays so when the instance goes on by another version.
        """
        work = self.graph.elements[element].human
        if work is not None and work.form == name:
            return self._form_at.get(element)
        return self.forms.get(name)

    @cached_property
    def own_forms(self) -> dict[str, Form]:
        """The forms that this process itself shows, that of its start first; others may call a variable otherwise."""
        named = [self.graph.start_form, *(element.human.form for element in self.graph.elements if element.human)]
        return {name: self.forms[name] for name in named if name in self.forms}

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """For each element how many elements it is, with all that is inside it."""
        sizes = [1] * len(self.elements)
        for element in reversed(self.elements[1:]):
            # What is inside comes behind what it is in.
            sizes[element.scope] += sizes[element.index]
        return tuple(sizes)

    @cached_property
    def guarded(self) -> frozenset[str]:
        """The variables that some step hides."""
        return frozenset(
            name for element in self.graph.elements if element.human for name in element.human.hidden_fields
        )

    def _goes_straight_on(self, element: Element) -> bool:
        return not (
            element.default >= 0
            or element.outputs
            or element.data_outputs
            or element.loop is not None
            or element.save_after
            or (element.human is not None and element.human.copy_to is not None)
            or element.completion_quantity > 1
            or element.for_compensation
            or (self.compensates and (element.compensated_by >= 0 or element.kind in SUB_PROCESSES))
            or any(self.graph.flows[flow].condition is not None for flow in element.outgoing)
        )

    @cached_property
    def _upstream_cache(self) -> dict[tuple[int, int], int]:
        return {}

    def upstream(self, flow: int, avoiding: int) -> int:
        """Bit set of the elements from which `flow` can be reached without passing element `avoiding`.

        Boundary events are reached from the activity they are attached to, and a link's target from where it is
        thrown. Cached: asked again and again by joins.
        """
        key = (flow, avoiding)
        known = self._upstream_cache.get(key)
        if known is not None:
            return known
        graph = self.graph
        found = 0
        stack = [graph.flows[flow].source]
        while stack:
            index = stack.pop()
            if index == avoiding or found >> index & 1:
                continue
            found |= 1 << index
            stack.extend(self.predecessors(index))
        self._upstream_cache[key] = found
        return found

    def predecessors(self, index: int) -> tuple[int, ...]:
        """Elements from which a token comes directly: by a flow, from the host of a boundary event, or by a link."""
        element = self.graph.elements[index]
        before = [self.graph.flows[flow].source for flow in element.incoming]
        if element.host >= 0:
            before.append(element.host)
        before.extend(other.index for other in self.graph.elements if other.link_target == index)
        return tuple(before)

    def successors(self, index: int) -> tuple[int, ...]:
        """Elements that a token reaches directly from here: by a flow, a boundary event, or a link."""
        element = self.graph.elements[index]
        after = [self.graph.flows[flow].target for flow in element.outgoing]
        if element.default >= 0:
            after.append(self.graph.flows[element.default].target)
        after.extend(element.boundaries)
        if element.link_target >= 0:
            after.append(element.link_target)
        return tuple(after)

    @cached_property
    def dominators(self) -> tuple[int, ...]:
        """For each element the bit set of the elements that every way from its scope's start passes, itself included.

        Source: the iterative data-flow method (Allen and Cocke 1972), on each scope's own graph.
        """
        elements = self.graph.elements
        everything = (1 << len(elements)) - 1
        sets = [everything] * len(elements)
        before = [self.predecessors(element.index) for element in elements]
        changed = True
        while changed:
            changed = False
            for element in elements:
                meet = everything if before[element.index] else 0
                for source in before[element.index]:
                    meet &= sets[source]
                value = meet | 1 << element.index
                if value != sets[element.index]:
                    sets[element.index] = value
                    changed = True
        return tuple(sets)

    def downstream(self, index: int, avoiding: int = 0) -> int:
        """Bit set of what lies behind an element in its own scope, itself included, without going round a loop.

        A way that comes back to an element which every way to `index` passes anyway is not followed: behind a loop's
        entry lie the other branches of a split inside the loop, and they are not downstream of one branch.

        Args:
            index: the element.
            avoiding: bit set of elements that no way passes.
        """
        stops = (self.dominators[index] | avoiding) & ~(1 << index)
        found = 0
        stack = [index]
        while stack:
            here = stack.pop()
            if found >> here & 1 or stops >> here & 1:
                continue
            found |= 1 << here
            stack.extend(self.successors(here))
        return found
