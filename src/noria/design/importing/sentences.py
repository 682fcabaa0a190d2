"""Every line that a report can hold: what it means for the user, in English and Chinese (中文).

`{attribute}` is what the file said, `{value}` its value; the other parameters are named by who reports.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class Sentence(NamedTuple):
    """An outcome and its sentence in both languages."""

    outcome: Literal["mapped", "changed", "needs_work"]
    en: str
    zh: str


def _mapped(en: str, zh: str) -> Sentence:
    return Sentence("mapped", en, zh)


def _changed(en: str, zh: str) -> Sentence:
    return Sentence("changed", en, zh)


def _needs_work(en: str, zh: str) -> Sentence:
    return Sentence("needs_work", en, zh)


SENTENCES: dict[str, Sentence] = {
    # The file as a whole
    "import.unreadable": _needs_work("The file cannot be read: {reason}", "文件无法读取：{reason}"),
    "import.not_bpmn": _needs_work(
        "The root element is {reason}, neither BPMN nor DMN definitions.", "根元素是 {reason}，既不是 BPMN 也不是 DMN。"
    ),
    "import.unknown_attribute": _needs_work(
        "Noria has nothing for {attribute}={value}; it was left out.",
        "Noria 没有与 {attribute}={value} 对应的内容，已去掉。",
    ),
    "import.unknown_element": _needs_work(
        "Noria has nothing for {attribute}; it was left out.", "Noria 没有与 {attribute} 对应的内容，已去掉。"
    ),
    "import.unsupported": _needs_work(
        "{attribute} cannot be said in Noria; it was left out. Decide what takes its place.",
        "Noria 无法表达 {attribute}，已去掉；请决定用什么代替。",
    ),
    "import.no_meaning": _mapped(
        "{attribute} changes nothing that happens here; it was left out.", "{attribute} 在这里不影响执行，已去掉。"
    ),
    "import.only_informs": _changed(
        "{attribute} only informs and has no place here; it was left out.",
        "{attribute} 仅供说明，这里没有对应位置，已去掉。",
    ),
    "import.twice": _changed(
        "{attribute} says again what {other} says; {other} counts.", "{attribute} 与 {other} 重复，以 {other} 为准。"
    ),
    "import.empty": _changed("{attribute} is empty; it was left out.", "{attribute} 为空，已去掉。"),
    "import.id": _changed("The {kind} had no id and was given one.", "{kind} 没有 id，已生成一个。"),
    "import.executable": _changed(
        'The process did not say whether it is executable; it says isExecutable="true" now.',
        '流程没有说明是否可执行，现已写上 isExecutable="true"。',
    ),
    # Expressions
    "import.expression": _needs_work(
        "{attribute}: the expression {value} cannot be said in FEEL ({reason}). Write it anew.",
        "{attribute}：表达式 {value} 无法用 FEEL 表达（{reason}），请重写。",
    ),
    "import.expression_left": _needs_work(
        "{attribute} holds the expression {value}, which is not evaluated here. Write it anew.",
        "{attribute} 中的表达式 {value} 在这里不会求值，请重写。",
    ),
    "import.condition": _mapped("The expression {value} is FEEL now.", "表达式 {value} 已改写为 FEEL。"),
    "import.null_arithmetic": _changed(
        "In {value} a missing value counted as 0, and a text of digits as a number; in FEEL the result is null.",
        "在 {value} 中，空值原来按 0、数字文本原来按数字计算；在 FEEL 中结果为 null。",
    ),
    "import.function_name": _changed(
        "A variable in {value} has the name of a function of FEEL; where the variable is missing, the function is "
        "meant.",
        "{value} 中有变量与 FEEL 函数同名；变量不存在时所指的是函数。",
    ),
    "import.script_arithmetic": _changed(
        "The script calculates; in FEEL a missing value gives null, and a number and a text do not add up.",
        "脚本中有计算；在 FEEL 中空值结果为 null，数字与文本不能相加。",
    ),
    "import.modulo_sign": _changed(
        "In {value} a remainder had the sign of the dividend; in FEEL it has that of the divisor.",
        "在 {value} 中，余数原来与被除数同号；在 FEEL 中与除数同号。",
    ),
    "import.division_by_zero": _changed(
        "{value} divides by zero: infinite before, null in FEEL.", "{value} 除以零：原来为无穷大，在 FEEL 中为 null。"
    ),
    "import.method": _changed(
        "{value} called a method of Java's texts, lists, dates or of JSON; a function of FEEL does the same now. "
        "For a missing value it gives null.",
        "{value} 调用了 Java 文本、列表、日期或 JSON 的方法，现由 FEEL 函数完成；值缺失时结果为 null。",
    ),
    "import.has_variable": _changed(
        "{value} asked whether a variable exists; now it asks whether it has a value.",
        "{value} 原来判断变量是否存在，现在判断它是否有值。",
    ),
    "import.feel_function": _needs_work(
        "{attribute}: {value} uses {name}(), a function that Camunda adds to FEEL. Write it anew.",
        "{attribute}：{value} 使用了 Camunda 自加的 FEEL 函数 {name}()，请重写。",
    ),
    "import.name_computed": _changed(
        "{attribute} is computed there ({value}); here it is shown as it is written.",
        "{attribute} 原来是计算得到的（{value}），这里按原文显示。",
    ),
    "import.name_expression": _mapped(
        "The name {value} is a FEEL expression now.", "名称 {value} 已改写为 FEEL 表达式。"
    ),
    "import.code_computed": _mapped(
        "{attribute} is computed when it is thrown: {value}.", "{attribute} 在抛出时计算：{value}。"
    ),
    "import.code_expression": _needs_work(
        "{attribute} is computed ({value}); a code that is caught is a constant here.",
        "{attribute} 是计算得到的（{value}），这里捕获的代码只能是常量。",
    ),
    "import.script": _changed(
        "The {language} script is the FEEL expression that it amounts to.",
        "{language} 脚本已改写为等价的 FEEL 表达式。",
    ),
    "import.script_feel": _mapped("The script is FEEL.", "脚本本来就是 FEEL。"),
    "import.script_prints": _changed(
        "The script only printed a line; it does nothing now.", "脚本只是打印一行文字，现在什么也不做。"
    ),
    "import.script_language": _needs_work(
        "A {language} script is not run here. Write it as FEEL, or let a worker do it.",
        "这里不运行 {language} 脚本；请改写为 FEEL，或交给工作程序完成。",
    ),
    "import.resource": _needs_work(
        "{attribute} points to a script in another file ({value}). Write it as FEEL in the model.",
        "{attribute} 指向另一个文件中的脚本（{value}），请在模型中用 FEEL 写出。",
    ),
    "import.skip_flow": _changed(
        "The skip expression is part of the condition: it decides when the instance's variable turns skipping on.",
        "跳过表达式已并入连线条件：实例变量开启跳过时由它决定。",
    ),
    "import.skip_activity": _changed(
        "A gateway {name} leads past the activity when the skip expression holds and the instance's variable "
        "turns skipping "
        "on.",
        "当跳过表达式成立且实例变量开启跳过时，网关 {name} 绕过该活动。",
    ),
    # Flows and gateways
    "import.default_flow": _changed(
        "The flow without a condition is the gateway's default flow now.", "没有条件的连线现在是网关的默认连线。"
    ),
    "import.always": _changed(
        "The flow without a condition has the condition true now: it was always taken.",
        "没有条件的连线原来总会被选中，现在写上条件 true。",
    ),
    "import.conditions": _changed(
        "Conditions of the flows that leave here need a gateway; {name} was put in.",
        "此处之后连线上的条件需要网关，已加入 {name}。",
    ),
    "import.unreached": _changed(
        "Nothing leads to the {kind}; it was never run, and was left out.",
        "没有连线通向该 {kind}，它从不执行，已去掉。",
    ),
    "import.dead_end": _changed(
        "Nothing followed the event; the end event {name} does now.", "事件之后没有去向，现已加入结束事件 {name}。"
    ),
    "import.immediate": _changed(
        "The flow said that steps may be left out (isImmediate=false); what is run cannot say so, and it was dropped.",
        "连线声明两步之间可有省略（isImmediate=false）；可执行的流程不能这样声明，已去掉。",
    ),
    "import.listed": _changed(
        "The flow was listed at one of its ends only; both list it now.", "连线只在一端列出，现在两端都已列出。"
    ),
    "import.never_looked_at": _changed(
        "The condition stood behind a gateway that looks at none; it was dropped.",
        "条件位于不判断条件的网关之后，已去掉。",
    ),
    "import.private": _changed(
        "A process that is run is no public view; it is private now.", "可执行的流程不是公开视图，现为私有（Private）。"
    ),
    "import.one_event": _changed(
        "An event-based gateway with one event behind it has nothing to choose; it is an exclusive gateway now.",
        "只有一个后续事件的事件网关没有选择，现为排他网关。",
    ),
    "import.declared": _changed(
        "{name} was named and not declared; it is declared as {kind} now.",
        "引用了 {name} 却没有声明，现已声明为 {kind}。",
    ),
    "import.split_starts": _changed(
        "An event sub-process has one start event in BPMN; there is one for each now: {parts}.",
        "BPMN 的事件子流程只有一个开始事件，现已拆分为：{parts}。",
    ),
    "import.many_starts": _needs_work(
        "An event sub-process has one start event in BPMN. Make one event sub-process of each.",
        "BPMN 的事件子流程只有一个开始事件，请各自拆成一个事件子流程。",
    ),
    "import.script_throws": _changed(
        "The script only threw the business error {error}; a sub-process that ends with it does the same.",
        "脚本只抛出业务错误 {error}，现由以该错误结束的子流程完成。",
    ),
    "import.boundary_host": _needs_work(
        "BPMN attaches no boundary event to an event sub-process. Put a sub-process in and attach the event to that.",
        "BPMN 不允许在事件子流程上附加边界事件；请在其中放一个子流程再附加。",
    ),
    # People
    "import.assignee": _mapped("The assignee is {value}.", "办理人为 {value}。"),
    "import.candidates": _mapped("The candidates are {value}.", "候选人为 {value}。"),
    "import.nobody": _changed(
        "Nobody was named for this task; whoever started the process finds it now.",
        "任务没有指定任何人，现由流程发起人办理。",
    ),
    "import.nobody_lane": _changed(
        "Nobody was named for this task; the group that its lane is called after finds it now.",
        "任务没有指定处理人，现由与泳道同名的组处理。",
    ),
    "import.nobody_or_owner": _changed(
        "Nobody was named for this task; whoever started the process finds it now, and the process owners do.",
        "任务没有指定任何人，现由流程发起人或流程负责人办理。",
    ),
    "import.due_in": _mapped("The due date is a limit of the task.", "截止日期已成为任务时限。"),
    "import.due_date": _changed(
        "The due date {value} is the time that is left until then when the task opens.",
        "截止日期 {value} 改为任务打开时到该时刻的剩余时间。",
    ),
    "import.follow_up": _needs_work(
        "There is no follow-up date here ({value}); use a reminder or a timer.",
        "这里没有跟进日期（{value}），请使用提醒或定时器。",
    ),
    "import.calendar": _changed(
        "The limit counts in the working calendar {value}; one of that name must exist.",
        "时限按工作日历 {value} 计算，须存在同名日历。",
    ),
    "import.priority": _mapped("The priority is {value}.", "优先级为 {value}。"),
    "import.priority_range": _changed(
        "The priority {value} was brought into the range from 0 to 100.", "优先级 {value} 已调整到 0 至 100 之间。"
    ),
    "import.internal_id": _needs_work(
        "{attribute} keeps an internal id in a variable; ids are not visible to a model here.",
        "{attribute} 把内部编号存入变量，这里的模型看不到内部编号。",
    ),
    "import.starter_groups": _mapped("These groups may start the process: {value}.", "可以发起流程的组：{value}。"),
    "import.starter_users": _needs_work(
        "Single persons who may start ({value}) need a role or unit here.",
        "可以发起的个人（{value}）在这里须归入某个角色或部门。",
    ),
    "import.startable": _changed(
        "The process is offered to everybody who may start it; limit that by noria:starterGroups.",
        "凡有权发起者都能看到此流程；可用 noria:starterGroups 限制。",
    ),
    "import.start_output": _changed(
        "Its outputs are beside what starts the process, all of which becomes variables; there only the outputs did.",
        "其输出与启动流程时带来的全部变量并存；原来只有输出成为变量。",
    ),
    "import.message_start": _changed(
        "Each such message starts an instance unless somebody awaits it; there one with a correlation key waited while "
        "an instance that the key had started was running.",
        "除非已有实例在等待，每条这样的消息都启动一个实例；原来带关联键的消息会等到该键启动的实例结束。",
    ),
    "import.initiator": _mapped(
        "The variable {value} receives who started the process.", "变量 {value} 将得到流程发起人。"
    ),
    # Forms
    "import.form_fields": _changed(
        "The listed fields are a form of their own now; only its fields are accepted.",
        "列出的字段已生成独立表单，只接受其中的字段。",
    ),
    "import.form_business_key": _changed(
        "The listed fields are a form now; the field {value} does not become the business key.",
        "列出的字段已生成表单；字段 {value} 不再作为业务编号。",
    ),
    "import.form_reference": _changed(
        "The form is {name}: deploy {name}.form together with the process.",
        "表单为 {name}：请把 {name}.form 与流程一起部署。",
    ),
    "import.form_embedded": _mapped(
        "The form inside the model is a file of its own now.", "模型内的表单已成为独立文件。"
    ),
    "import.form_json": _needs_work(
        "The form inside the model is not JSON ({reason}); it was left out.",
        "模型内的表单不是 JSON（{reason}），已去掉。",
    ),
    "import.form_key": _needs_work(
        "The form {value} is a page of another product. Draw a form and name it by noria:form.",
        "表单 {value} 是其他产品的页面，请重新绘制表单并用 noria:form 指定。",
    ),
    "import.form_checked": _changed(
        "Submissions are checked against the form although {attribute} says no.",
        "尽管 {attribute} 关闭了校验，提交内容仍会按表单校验。",
    ),
    "import.form_unreadable": _changed(
        "The field is not shown and was left out of the form.", "该字段不显示，已从表单中去掉。"
    ),
    "import.form_type": _needs_work(
        "There are no fields of type {kind}; it is a text field now.", "没有类型为 {kind} 的字段，现为文本字段。"
    ),
    "import.form_default": _needs_work(
        "The field's default {value} is computed; forms have constant defaults.",
        "字段默认值 {value} 是计算得到的，表单只支持常量默认值。",
    ),
    "import.form_constraint": _needs_work(
        "The constraint {name} of the field cannot be said in a form.", "字段的约束 {name} 无法在表单中表达。"
    ),
    # Work for programs
    "import.external": _mapped("The task is work for a program.", "任务由工作程序完成。"),
    "import.topic": _mapped("Workers fetch the work by this topic.", "工作程序按此主题领取。"),
    "import.delegate": _changed(
        "{attribute}={value} was code inside the engine; a worker must serve the topic {topic}.",
        "{attribute}={value} 是引擎内部的代码，须由工作程序服务主题 {topic}。",
    ),
    "import.connector": _changed(
        "The connector is work for a program; a worker must serve the topic {topic}.",
        "连接器改由工作程序完成，须有工作程序服务主题 {topic}。",
    ),
    "import.connector_result": _changed(
        "The connector computed what comes of its answer by the headers {names}; the worker must do that.",
        "连接器按标头 {names} 计算结果，现须由工作程序完成。",
    ),
    "import.connector_inbound": _needs_work(
        "What comes here came through the connector {value}. Have a program publish the message, or start the process.",
        "这里的触发来自连接器 {value}；请由程序发送消息或启动流程。",
    ),
    "import.expression_script": _changed(
        "The expression {value} is computed by a script task into {variable}.",
        "表达式 {value} 改由脚本任务计算并写入 {variable}。",
    ),
    "import.expression_unused": _changed(
        "The value of {value} was not used; the task does nothing now.", "{value} 的值没有用到，任务现在什么也不做。"
    ),
    "import.result_variable": _mapped("The variable {value} receives the result.", "变量 {value} 接收结果。"),
    "import.header": _mapped("Constants for the worker are headers of the job.", "给工作程序的常量已成为作业的标头。"),
    "import.field_input": _changed(
        "The field {name} is an input; with inputs the worker sees only them.",
        "字段 {name} 已成为输入；有输入时工作程序只看到这些输入。",
    ),
    "import.field_unused": _changed(
        "The field {name} ({value}) has no place beside a decision; it was left out.",
        "字段 {name}（{value}）在决策任务中没有对应位置，已去掉。",
    ),
    "import.error_mapping": _changed(
        "The worker that takes the code's place reports the business error {error} itself.",
        "由代替该代码的工作程序自行报告业务错误 {error}。",
    ),
    "import.transient": _changed(
        "The result is kept like any variable, although {attribute} says not to store it.",
        "结果与其他变量一样保存，尽管 {attribute} 要求不保存。",
    ),
    "import.job_category": _changed(
        "{attribute} ({value}) chose who runs this; here every process of the engine does.",
        "{attribute}（{value}）用于选择由谁执行；这里引擎的每个进程都会执行。",
    ),
    "import.job_priority": _mapped(
        "The priority {value} holds for jobs, timers and save points alike.",
        "优先级 {value} 同样用于作业、定时器和保存点。",
    ),
    "import.job_priority_range": _changed(
        "The priority {value} was brought into the range from 0 to 1,000,000.",
        "优先级 {value} 已调整到 0 至 1,000,000 之间。",
    ),
    "import.save_point": _mapped("{attribute} is a save point.", "{attribute} 对应保存点。"),
    "import.retries": _mapped("The work is tried as often as {value} says.", "按 {value} 规定的次数重试。"),
    "import.retries_range": _changed(
        "The number of tries, {value}, was brought into the range from 1 to 100.",
        "重试次数 {value} 已调整到 1 至 100 之间。",
    ),
    "import.retry_elsewhere": _changed(
        "Only work for programs is tried again; here an incident is raised at once.",
        "只有工作程序的作业会重试，这里出错立即成为事故。",
    ),
    "import.listener": _needs_work(
        "The listener on {event} ({what}) is not run here. Make its work a task, or follow the events.",
        "这里不运行 {event} 监听器（{what}）；请把它改为任务，或订阅事件。",
    ),
    "import.decision": _mapped("The decision is {value}.", "决策为 {value}。"),
    "import.decision_result": _mapped("The result is the decision's single value.", "结果为决策的单个值。"),
    "import.decision_list": _changed(
        "The result is the decision's own value: one value or context, a list only when the table collects; "
        "there it was made of the rows that hit.",
        "结果是决策本身的值：单值或上下文，收集型表才是列表；原来由命中的行组成。",
    ),
    # Data and calls
    "import.parameters": _mapped("Inputs and outputs are mappings.", "输入和输出已成为映射。"),
    "import.input_parameter": _mapped("The input {name} is a mapping.", "输入 {name} 已成为映射。"),
    "import.input_only": _changed(
        "The input {name} is a mapping; with inputs the worker sees only them.",
        "输入 {name} 已成为映射；有输入时工作程序只看到这些输入。",
    ),
    "import.input_called": _changed(
        "The input {name} is a mapping; the called process sees it too.",
        "输入 {name} 已成为映射；被调用的流程也能看到它。",
    ),
    "import.local_outputs": _mapped(
        "What comes back stays in the sub-process around.", "带回的变量留在外层子流程之内。"
    ),
    "import.output_parameter": _mapped("The output {name} is a mapping.", "输出 {name} 已成为映射。"),
    "import.reserved_name": _needs_work(
        "The variable {name} is one that Noria sets itself, so that no other value is seen under that name. Rename it.",
        "变量 {name} 由 Noria 自己写入，以此为名的其他值不可见，请改名。",
    ),
    "import.data_value": _mapped(
        "The data object {name} begins with {value}; its start event sets it.",
        "数据对象 {name} 的初值为 {value}，由开始事件写入。",
    ),
    "import.pass_all": _mapped("{attribute} says which variables pass.", "{attribute} 说明哪些变量传递。"),
    "import.pass_local": _changed(
        "Only variables of the element itself passed; here all that it sees do.",
        "原来只传递元素自身的变量，这里传递它看到的全部变量。",
    ),
    "import.called": _mapped("The called process is {value}.", "被调用的流程为 {value}。"),
    "import.business_key": _mapped(
        "The called instance's business key is {value}.", "被调用实例的业务编号为 {value}。"
    ),
    "import.binding_mapped": _mapped("{attribute} says which version is called.", "{attribute} 说明调用哪个版本。"),
    "import.binding_kept": _changed(
        "The newest when the process is deployed is used; there it was the newest when it was reached.",
        "使用流程部署时的最新版本；原来使用执行到此处时的最新版本。",
    ),
    "import.version": _changed(
        "Version {value} is called; versions are counted anew where models are deployed.",
        "调用版本 {value}；版本号在部署处重新计数。",
    ),
    "import.binding": _needs_work(
        "{attribute}={value} names a version in a way that does not exist here; the newest is used.",
        "{attribute}={value} 指定版本的方式这里没有，将使用最新版本。",
    ),
    # Loops
    "import.collection": _mapped("One instance runs for each item of {value}.", "{value} 的每一项运行一个实例。"),
    "import.item": _mapped("The variable {value} holds the item.", "变量 {value} 保存当前项。"),
    "import.index": _changed(
        "The variable {value} is an input that counts from 0, as before.", "变量 {value} 成为输入，仍从 0 开始计数。"
    ),
    "import.aggregation": _changed(
        "The results are gathered in {name} when the instances complete.", "各实例完成时结果汇集到 {name}。"
    ),
    "import.aggregation_mapped": _mapped("The results are gathered: {value}.", "结果汇集：{value}。"),
    "import.activities_none": _changed(
        "Nothing begins by itself in it, as before; where a worker or a program chose what begins, an operator does "
        "now.",
        "其中没有自动开始的活动，与原来一样；原来由工作程序或程序选择开始什么，现由运维人员选择。",
    ),
    "import.activities_bring": _changed(
        "What the activities in it bring goes to the process; there it stayed with each of them.",
        "其中的活动带来的变量写入流程；原来只留在各活动之内。",
    ),
    "import.activities": _mapped("These activities begin: {value}.", "开始的活动：{value}。"),
    # Events
    "import.caught_variable": _mapped(
        "The variable {value} receives what was caught.", "变量 {value} 得到捕获的内容。"
    ),
    "import.error_message": _mapped(
        "The message {value} is said by each event that throws the error.", "消息 {value} 由每个抛出该错误的事件说明。"
    ),
    "import.uncaught": _mapped(
        "An error that nothing catches is a plain end, as before; without noria:whenUncaught somebody is told.",
        "没有被捕获的错误与原来一样按普通结束处理；去掉 noria:whenUncaught 则会通知处理人。",
    ),
    "import.any_code": _mapped(
        "{name} has no code, so that everything is caught here; the event names nothing now.",
        "{name} 没有代码，此处捕获全部；事件现不再指名。",
    ),
    "import.every_change": _mapped(
        "Each change is an occurrence while the condition holds, as before; without noria:everyChange it must fail "
        "in between.",
        "与原来一样，条件成立期间每次变化都触发一次；去掉 noria:everyChange 则条件须先变为不成立才会再次触发。",
    ),
    "import.condition_variable": _mapped(
        "Only a change of {value} lets the condition be looked at.", "只有 {value} 变化时才检查条件。"
    ),
    "import.condition_change": _mapped("The condition is looked at on {value}.", "在 {value} 时检查条件。"),
    "import.condition_delete": _changed(
        "Variables are not deleted here, so that only create and update count ({value}).",
        "这里不会删除变量，只有创建和更新有效（{value}）。",
    ),
    "import.variable_listener": _changed(
        "The event is a conditional event that every change of {name} triggers.",
        "该事件改为条件事件，由 {name} 的每次变化触发。",
    ),
    "import.signal_key": _mapped(
        "What the signal starts has the business key {value}.", "信号启动的实例的业务编号为 {value}。"
    ),
    "import.carries_nothing": _mapped(
        "The signal carries no variables, as before; map some by noria:input.",
        "信号与原来一样不带变量；可用 noria:input 映射。",
    ),
    "import.escalation_goes_on": _changed(
        "The escalation does not end the activity, as nothing else was said; cancelActivity says so now.",
        "未说明时升级事件不终止活动，现由 cancelActivity 写明。",
    ),
    "import.named_message": _changed(
        "No message was named; it is called {name} now, and its key is the business key.",
        "没有指定消息，现名为 {name}，关联键为业务编号。",
    ),
    "import.named_signal": _changed("No signal was named; it is called {name} now.", "没有指定信号，现名为 {name}。"),
    "import.signal_within": _mapped(
        "The signal reaches only the instance that throws it, its callers and those they have called.",
        "该信号只到达抛出它的实例、其调用方以及它们所调用的实例。",
    ),
    "import.signal_scope": _needs_work(
        "A signal reaches every instance here; {value} cannot be said. Use an escalation or a message.",
        "这里的信号会到达所有实例，无法表达 {value}；请改用升级事件或消息。",
    ),
    "import.delivered_later": _mapped(
        "What is thrown is delivered after the commit in any case.", "抛出的内容总是在提交之后送达。"
    ),
    "import.correlated": _changed(
        "The message {name} finds the instance by its business key; name another key by noria:correlation.",
        "消息 {name} 按业务编号找到实例；可用 noria:correlation 指定其他关联键。",
    ),
    "import.correlation": _mapped("The correlation key is {value}.", "关联键为 {value}。"),
    "import.terminate_all": _mapped("{attribute} says how much is ended.", "{attribute} 说明终止的范围。"),
    "import.terminate_caller": _changed(
        "{attribute} ends the whole request; one that has called it goes on.",
        "{attribute} 终止整个申请；调用它的申请会继续。",
    ),
    "import.timer_expression": _mapped(
        "The timer's expression {value} is FEEL now.", "定时器表达式 {value} 已改写为 FEEL。"
    ),
    "import.cron": _mapped("The cron expression {value} is {cron} here.", "cron 表达式 {value} 在这里写作 {cron}。"),
    "import.cron_once": _changed(
        "The cron expression {value} on an event in the flow happened once; it is R1/{cron} now.",
        "流程中的 cron 表达式 {value} 只触发一次，现改为 R1/{cron}。",
    ),
    "import.cycle_once": _changed(
        "The cycle {value} on an event in the flow happened once; it is a duration of {interval} now.",
        "流程中的周期 {value} 只触发一次，现改为时长 {interval}。",
    ),
    "import.cycle_until": _changed(
        "The cycle {value} beats from now on and not after {end}; a FEEL expression counts how often.",
        "周期 {value} 从现在起计，不晚于 {end}；次数由 FEEL 表达式算出。",
    ),
    "import.always_interrupts": _changed(
        "An event of this kind always ends the activity; cancelActivity said otherwise and was left out.",
        "此类事件总会终止活动；cancelActivity 与之不符，已去掉。",
    ),
    "import.cron_zone": _changed(
        "The times of {value} are those of the tenant's zone; there they were those of the server's, mostly UTC.",
        "{value} 中的时间按租户所在时区计；原来按服务器时区计，多为 UTC。",
    ),
    "import.zone_left": _changed(
        "The zone behind the offset in {value} was left out; days are counted in the tenant's zone.",
        "{value} 中偏移量之后的时区已去掉；天数按租户所在时区计。",
    ),
    "import.cron_unsupported": _needs_work(
        "The cron expression {value} names a year, the weekday nearest to a day, days before the end of a month, or "
        "both a day of the month and one of the week. Write it as a cycle, such as R/P1D or 0 9 * * MON-FRI.",
        "cron 表达式 {value} 指定了年份、最近的工作日、月末前若干天，或同时指定了日期和星期。"
        "请改写为周期，例如 R/P1D 或 0 9 * * MON-FRI。",
    ),
    # Decisions
    "import.dmn_version": _changed(
        "The file was written for an older DMN ({value}); it is DMN 1.3 now.",
        "文件采用旧版 DMN（{value}），现为 DMN 1.3。",
    ),
    "import.number_type": _changed("The type {value} is number in FEEL.", "类型 {value} 在 FEEL 中为 number。"),
    "import.required_input": _changed(
        "The decision reads {name}, which is declared as its input now.", "决策读取 {name}，现已声明为它的输入。"
    ),
    "import.allowed_values": _changed(
        "The values {value} helped who drew the table and were not checked; they were left out.",
        "取值范围 {value} 只用于辅助建模，执行时不检查，已去掉。",
    ),
    "import.required_name": _changed(
        "{value} named a required decision by its id or variable; it is {name} now.",
        "{value} 按标识或变量引用所依赖的决策，现为 {name}。",
    ),
    "import.required_result": _changed(
        "{value} named a column of a required decision; it is {name} now.",
        "{value} 引用了所依赖决策的输出列，现为 {name}。",
    ),
    "import.cell_variable": _mapped(
        "The name {value} of the input is ? in the tests.", "输入的名称 {value} 在单元格测试中写作 ?。"
    ),
    # Life cycle
    "import.retention": _changed(
        "History is kept for ever here; {attribute}={value} was left out.",
        "这里永久保留历史，{attribute}={value} 已去掉。",
    ),
    "import.version_tag": _changed(
        "Versions are counted here and have no tags; {value} was left out.",
        "这里按数字计版本，没有标签，{value} 已去掉。",
    ),
    "import.instructions": _mapped("The instructions are the element's documentation.", "操作说明已成为元素的文档。"),
}
