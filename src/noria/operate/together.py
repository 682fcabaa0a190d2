"""Several commands that are asked for at once: each is judged, given and answered by itself.

A task of the event loop for each of them would cost half of what the engine does with it. What has all it takes at hand
is given to the runtime at once, in their order; what must ask first goes its own way meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence

import msgspec

from noria.kernel.errors import NoriaError, Rejected
from noria.operate.cases import Cases
from noria.operate.ids import parse_task_id
from noria.operate.office import Caller, Office, RefusedError
from noria.operate.requests import Answer, Request
from noria.operate.verbs import Verbs
from noria.operate.views import InstanceBrief
from noria.operate.wishes import Wish


class Start(msgspec.Struct, frozen=True):
    """A process is to be started; see `Cases.start`."""

    caller: Caller
    process: str
    variables: dict[str, object]
    business_key: str

    iid = 0


class OnTask(msgspec.Struct, frozen=True):
    """Something is to be done with a task; see `Verbs.on_task`."""

    caller: Caller
    task: str
    wish: Wish

    @property
    def iid(self) -> int:
        """The instance that it is about, 0 for none."""
        return (parse_task_id(self.task) or (0, 0))[0]


class OnInstance(msgspec.Struct, frozen=True):
    """Something is to be done with a request; see `Verbs.on_instance`."""

    caller: Caller
    iid: int
    wish: Wish


Order = Start | OnTask | OnInstance
Outcome = InstanceBrief | NoriaError
"""The request as it is then, or why nothing was done."""


class Together:
    """The use case."""

    def __init__(self, office: Office, cases: Cases, verbs: Verbs) -> None:
        self._office = office
        self._cases = cases
        self._verbs = verbs

    async def run(self, orders: Sequence[Order]) -> list[Outcome]:
        """What became of each, in their order."""
        outcomes: dict[int, Outcome] = {}
        given: list[tuple[int, Request, Awaitable[Answer]]] = []
        asking: list[int] = []
        # What is about the same instance stays in its order.
        behind: set[int] = set()
        for at, order in enumerate(orders):
            request = self._at_hand(order) if not behind or order.iid not in behind else None
            if request is None:
                asking.append(at)
                if order.iid:
                    behind.add(order.iid)
                continue
            try:
                answer = self._office.runtime.submit(request)
            except NoriaError as error:
                outcomes[at] = error
                continue
            # Another process is asked at once, too, not when this answer's turn comes.
            given.append((at, request, answer if isinstance(answer, asyncio.Future) else asyncio.ensure_future(answer)))
        asked = asyncio.gather(*(self._asked(orders[at]) for at in asking))
        cases = self._cases
        for at, request, answer in given:
            try:
                told = await answer
                if isinstance(told, Rejected):
                    outcomes[at] = RefusedError(told)
                    continue
                iid = request.iid or told.iid
                outcomes[at] = cases.brief_at_hand(request.tenant, iid) or await cases.brief(request.tenant, iid)
            except NoriaError as error:
                outcomes[at] = error
        outcomes.update(zip(asking, await asked, strict=True))
        return [outcomes[at] for at in range(len(orders))]

    def _at_hand(self, order: Order) -> Request | None:
        if type(order) is OnTask:
            return self._verbs.at_hand(order.caller, order.task, order.wish)
        if type(order) is Start:
            return self._cases.start_at_hand(order.caller, order.process, order.variables, order.business_key)
        return None

    async def _asked(self, order: Order) -> Outcome:
        try:
            if isinstance(order, Start):
                return await self._cases.start(order.caller, order.process, order.variables, order.business_key)
            if isinstance(order, OnTask):
                return await self._verbs.on_task(order.caller, order.task, order.wish)
            return await self._verbs.on_instance(order.caller, order.iid, order.wish)
        except NoriaError as error:
            return error
