"""What people of the demonstration company ask for, and how they deal with what is on their desks."""

from __future__ import annotations

import random
from collections.abc import Callable

from noria.adapters.demo.orders import CLOSED_SUPPLIERS
from noria.engine import commands as c
from noria.engine.state import Task
from noria.kernel.instants import DAY_MS, InstantMs, format_instant
from noria.operate.changes import Held

_GOODS = (
    ("深沟球轴承", "material", 85, (50, 900)),
    ("伺服电机", "equipment", 3_600, (1, 25)),
    ("不锈钢板", "material", 420, (10, 200)),
    ("工业相机", "equipment", 8_800, (1, 12)),
    ("打印纸", "office", 24, (20, 200)),
    ("设备年度保养", "service", 12_000, (1, 6)),
    ("液压油", "material", 310, (5, 80)),
    ("笔记本电脑", "equipment", 6_900, (1, 15)),
)
_SUPPLIERS = ("上海精工轴承有限公司", "苏州华创自动化", "宁波东方钢材", "杭州云帆科技", "温州昌盛机电", "无锡安捷服务")
_CONTRACTS = (
    ("年度轴承供货", "framework", (180_000, 900_000)),
    ("数控机床采购", "purchase", (260_000, 1_200_000)),
    ("厂房保洁服务", "service", (36_000, 90_000)),
    ("泵组销售", "sales", (80_000, 640_000)),
    ("软件维护", "service", (20_000, 150_000)),
    ("钢材采购", "purchase", (60_000, 400_000)),
)
_PARTNERS = (*_SUPPLIERS, "江海船务", "临港水务集团", "东岸电力设备")
_URGENT = ("二号线停机抢修", "客户现场漏油", "冷却塔电机更换", "出口订单补料", "消防泵检修")
_RETURN_REASONS = ("发票信息缺失", "缺少三家比价", "预算科目不对", "数量与计划不符", "请补充技术要求")
_CONTRACT_REASONS = ("付款节点与预算不符", "请补充违约责任条款", "相对方资质文件不全", "验收标准不明确")
_COMMENTS = ("同意", "同意，注意交期", "预算内，同意", "请尽快下单", "")
_CONTRACT_COMMENTS = ("同意", "条款无异议", "付款节奏可接受", "同意，请关注履约担保", "")

_USUALLY = 9.0
_HOURS = {
    "apply": 3.0,
    "choose_supplier": 4.0,
    "manager_review": 4.0,
    "finance_review": 6.5,
    "countersign": 6.0,
    "vote": 7.0,
    "duty_review": 0.6,
    "contract.gm_review": 20.0,
    "archive": 5.0,
}
"""By element, or process and element."""

_OF_GROUPS = {
    "finance": ("li", "sun"),
    "duty_approver": ("zhou",),
    "archivist": ("qin",),
    "general_manager": ("zhao",),
}
"""Group of candidates → who of it does its work."""


def hours(process: str, element: str) -> float:
    """How long a task usually lies on a desk, in working hours; of one on duty in hours."""
    return _HOURS.get(f"{process}.{element}", _HOURS.get(element, _USUALLY))


def starter(draw: random.Random, process: str) -> str:
    """Who starts a process."""
    people = ("lin", "wang", "chen") if process == "contract" else ("lin", "lin", "chen", "chen", "zhou")
    return draw.choice(people)


def form(draw: random.Random, process: str, now_ms: int) -> dict[str, object]:
    """What is filled into a process's start form."""
    return _FORMS[process](draw, now_ms)


def _day(now_ms: int, days: int) -> str:
    return format_instant(InstantMs(now_ms + days * DAY_MS))[:10]


def _purchase(draw: random.Random, now_ms: int) -> dict[str, object]:
    name, category, price, (least, most) = draw.choice(_GOODS)
    quantity = draw.randint(least, most)
    closed = draw.random() < 0.02
    return {
        "title": name,
        "category": category,
        "supplier": draw.choice(sorted(CLOSED_SUPPLIERS)) if closed else draw.choice(_SUPPLIERS),
        "needed_on": _day(now_ms, draw.randint(7, 45)),
        "amount": price * quantity,
        "lines": [{"item": name, "quantity": quantity, "price": price}],
        "reason": "生产计划需要" if category == "material" else "部门申请",
    }


def _contract(draw: random.Random, now_ms: int) -> dict[str, object]:
    name, kind, (least, most) = draw.choice(_CONTRACTS)
    amount = draw.randint(least // 1000, most // 1000) * 1000
    begins = draw.randint(7, 30)
    return {
        "title": name,
        "kind": kind,
        "counterparty": draw.choice(_PARTNERS),
        "amount": amount,
        "starts_on": _day(now_ms, begins),
        "expires_on": _day(now_ms, begins + draw.choice((180, 365, 730))),
        "payments": [
            {"milestone": "合同签订", "share": 30},
            {"milestone": "验收合格", "share": 60},
            {"milestone": "质保期满", "share": 10},
        ],
        "terms": "按国家标准验收；质保十二个月；争议提交本地法院。",
        "floor_price": round(amount * 0.93),
    }


def _urgent(draw: random.Random, _now_ms: int) -> dict[str, object]:
    return {"title": draw.choice(_URGENT), "urgent": draw.random() < 0.8}


_FORMS: dict[str, Callable[[random.Random, int], dict[str, object]]] = {
    "purchase": _purchase,
    "contract": _contract,
    "urgent": _urgent,
}


def claimant(draw: random.Random, task: Task) -> str:
    """Who of its candidates takes a task."""
    return draw.choice(next((_OF_GROUPS[group] for group in task.groups if group in _OF_GROUPS), ("he",)))


def deed(draw: random.Random, held: Held, token: int, now_ms: int) -> c.AnyCommand:
    """What the holder of an open task does with it."""
    task = held.state.tasks[token]
    graph = held.definition.graph
    element, person = graph.elements[task.element].id, task.assignee
    if graph.key == "contract":
        return _with_contract(draw, held, token, element, now_ms)
    if graph.key == "purchase" and _returns(draw, held, element):
        return c.ReturnTask(token, person, "apply", draw.choice(_RETURN_REASONS))
    values: dict[str, object] = {}
    if element in ("apply", "choose_supplier"):
        now = held.state.scopes[0].variables
        values = {name: now[name] for name in ("title", "category", "needed_on", "amount", "lines", "reason")}
        values["supplier"] = draw.choice(_SUPPLIERS)
    opinion = draw.choice(_COMMENTS)
    if graph.key == "purchase" and element.endswith("_review") and opinion:
        values["opinion"] = opinion
    return c.CompleteTask(token, person, values, opinion)


def _returns(draw: random.Random, held: Held, element: str) -> bool:
    chances = {"manager_review": 0.06, "finance_review": 0.13, "gm_review": 0.05, "countersign": 0.09}
    rounds = max(held.state.rounds.values(), default=1)
    return element in chances and rounds < 3 and draw.random() < chances[element]


def _with_contract(draw: random.Random, held: Held, token: int, element: str, now_ms: int) -> c.AnyCommand:
    person = held.state.tasks[token].assignee
    now = held.state.scopes[0].variables
    if element == "apply":
        names = ("title", "kind", "counterparty", "amount", "starts_on", "expires_on", "payments", "floor_price")
        terms = "按国家标准验收；质保十二个月；逾期每日按千分之一支付违约金；争议提交本地法院。"
        return c.CompleteTask(token, person, {**{name: now[name] for name in names}, "terms": terms}, "已按意见修改")
    if element == "archive":
        number = f"DA-{str(now['starts_on'])[:4]}-{str(now['business_key'])[-4:]}"
        return c.CompleteTask(token, person, {"archive_number": number, "sealed_on": _day(now_ms, 0)}, "已用印归档")
    if _returns(draw, held, element):
        straight = draw.random() < 0.5
        return c.ReturnTask(token, person, "apply", draw.choice(_CONTRACT_REASONS), straight=straight)
    asked = {seat.person for approval in held.state.approvals.values() for seat in approval.seats.values()}
    if element == "countersign" and person == "fang" and "he" not in asked and draw.random() < 0.2:
        return c.AddApprovers(token, person, "after", ("he",), "allOf", "涉及信息安全条款，请信息部一并审核")
    chance = 0.12 if element == "vote" else 0.03
    outcome = "refuse" if draw.random() < chance else "approve"
    comment = "价格高于同类合同" if outcome == "refuse" else draw.choice(_CONTRACT_COMMENTS)
    return c.CompleteTask(token, person, {}, comment, outcome=outcome)
