"""One file per behaviour: what happens when a token comes to an element of that kind. They do not import each other.

Each has `enter(run, token, element)`. Waiting means to return without leaving; the command that ends the wait leaves.
"""

from __future__ import annotations

from collections.abc import Mapping

from noria.design.bpmn.graph import Kind
from noria.engine.behaviours import (
    ad_hoc_sub_process,
    business_rule_task,
    call_activity,
    catching,
    complex_gateway,
    end_event,
    event_based_gateway,
    exclusive_gateway,
    inclusive_gateway,
    parallel_gateway,
    script_task,
    service_task,
    sub_process,
    throwing,
    user_task,
)
from noria.engine.run import Behaviour, Run

BEHAVIOURS: Mapping[Kind, Behaviour] = {
    Kind.START_EVENT: Run.leave,
    Kind.END_EVENT: end_event.enter,
    Kind.INTERMEDIATE_CATCH_EVENT: catching.enter,
    Kind.INTERMEDIATE_THROW_EVENT: throwing.enter,
    Kind.BOUNDARY_EVENT: Run.leave,
    Kind.USER_TASK: user_task.enter,
    Kind.SERVICE_TASK: service_task.enter,
    Kind.SCRIPT_TASK: script_task.enter,
    Kind.BUSINESS_RULE_TASK: business_rule_task.enter,
    Kind.MANUAL_TASK: Run.leave,
    Kind.SEND_TASK: throwing.enter,
    Kind.RECEIVE_TASK: catching.enter,
    Kind.TASK: Run.leave,
    Kind.EXCLUSIVE_GATEWAY: exclusive_gateway.enter,
    Kind.PARALLEL_GATEWAY: parallel_gateway.enter,
    Kind.INCLUSIVE_GATEWAY: inclusive_gateway.enter,
    Kind.EVENT_BASED_GATEWAY: event_based_gateway.enter,
    Kind.SUB_PROCESS: sub_process.enter,
    Kind.EVENT_SUB_PROCESS: sub_process.enter,
    Kind.CALL_ACTIVITY: call_activity.enter,
    Kind.COMPLEX_GATEWAY: complex_gateway.enter,
    Kind.AD_HOC_SUB_PROCESS: ad_hoc_sub_process.enter,
}
