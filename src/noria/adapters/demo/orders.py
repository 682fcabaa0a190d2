"""The demonstration's purchasing system: gives order numbers, and refuses suppliers that have closed down."""

from __future__ import annotations

from collections.abc import Mapping

from noria.operate.views import JobView
from noria.operate.workers import BpmnError, JobHandler

CLOSED_SUPPLIERS = frozenset({"临海五金（已停业）"})


async def create_order(job: JobView) -> Mapping[str, object]:
    """Create a purchase order; the number follows from the request, so a repeated try gives the same order."""
    supplier = job.variables.get("supplier")
    if supplier in CLOSED_SUPPLIERS:
        raise BpmnError("ORDER_REFUSED", f"{supplier} 不再接受订单")
    return {"order_number": "PO" + job.business_key.removeprefix("CG")}


def demo_handlers() -> dict[str, JobHandler]:
    """The demonstration's job handlers by topic."""
    return {"purchase.create_order": create_order}
