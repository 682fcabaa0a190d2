"""Who works at 澄海制造. The accounts are for trying only; a served instance never has them."""

from __future__ import annotations

from noria.trust.people import Person, Unit

DEMO_TENANT = 1
DEMO_PASSWORD = "noria-demo-2026"  # noqa: S105 - shown on the demo's sign-in page

UNITS = (
    Unit("chenghai", "澄海制造", "", "zhao"),
    Unit("purchasing", "采购部", "chenghai", "wang"),
    Unit("production", "生产部", "chenghai", "liu"),
    Unit("it", "信息部", "chenghai", "he"),
    Unit("finance_unit", "财务部", "chenghai", "sun"),
    Unit("legal_unit", "法务部", "chenghai", "fang"),
)
PEOPLE = (
    Person("lin", "lin", "林晓", "purchasing", roles=("employee",)),
    Person("chen", "chen", "陈晨", "production", roles=("employee",)),
    Person("zhou", "zhou", "周凯", "it", roles=("employee", "duty_approver")),
    Person("wang", "wang", "王强", "purchasing", roles=("employee", "manager")),
    Person("liu", "liu", "刘洋", "production", roles=("employee", "manager")),
    Person("he", "he", "何静", "it", roles=("employee", "process_owner", "sysadmin")),
    Person("li", "li", "李娜", "finance_unit", roles=("employee", "finance")),
    Person("sun", "sun", "孙磊", "finance_unit", roles=("employee", "finance")),
    Person("zhao", "zhao", "赵总", "chenghai", roles=("employee", "general_manager", "executive")),
    Person("fang", "fang", "方律", "legal_unit", roles=("employee", "legal")),
    Person("qin", "qin", "秦岚", "legal_unit", roles=("employee", "archivist")),
    Person("qian", "qian", "钱审", "", roles=("employee", "auditor")),
)
TITLES = {
    "lin": "申请人",
    "wang": "部门主管（采购部）",
    "li": "财务审核",
    "fang": "法务",
    "zhao": "总经理",
    "he": "流程负责人、系统管理员",
    "qian": "审计员",
}
"""The accounts that the sign-in page offers, and what each is for."""


def demo_accounts() -> list[tuple[str, str, str, str]]:
    """User name, name, role and password of the accounts for trying."""
    names = {person.id: person for person in PEOPLE}
    return [(names[key].username, names[key].name, title, DEMO_PASSWORD) for key, title in TITLES.items()]
