"""DMN files of Camunda and Flowable: older namespaces, JUEL, variables that nobody declared."""

from __future__ import annotations

import pytest

from noria.design.dmn import read_dmn
from noria.design.feel import EvaluationContext, from_json, to_json
from noria.design.importing import import_dmn

DMN_11 = "http://www.omg.org/spec/DMN/20151101/dmn.xsd"
DMN_13 = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def table(rules, *, namespace=DMN_11, inputs="", extra=""):
    return (
        f'<definitions xmlns="{namespace}" xmlns:camunda="http://camunda.org/schema/1.0/dmn" id="d" name="d" '
        f'namespace="x"><decision id="dish" name="Dish" {extra}><decisionTable id="t" hitPolicy="FIRST">'
        f'{inputs}<output id="o" name="dish" typeRef="string"/>{rules}</decisionTable></decision></definitions>'
    ).encode()


def decide(content, decision="dish", **variables):
    imported = import_dmn(content, "dish.dmn")
    model, findings = read_dmn(imported.document, "dish.dmn")
    assert model is not None, findings
    made = model.decisions[decision].evaluate(
        {name: from_json(value) for name, value in variables.items()}, EvaluationContext(0)
    )
    return to_json(made.value), [line.code for line in imported.lines]


def column(number, expression, attributes="", language=""):
    return (
        f'<input id="i{number}" {attributes}><inputExpression id="e{number}" typeRef="integer" {language}>'
        f"<text>{expression}</text></inputExpression></input>"
    )


def rule(number, test, result, language=""):
    return (
        f'<rule id="r{number}"><inputEntry id="a{number}" {language}><text>{test}</text></inputEntry>'
        f'<outputEntry id="b{number}"><text>"{result}"</text></outputEntry></rule>'
    )


def test_a_table_of_dmn_1_1_is_one_of_dmn_1_3_and_declares_what_it_reads():
    content = table(rule(1, "&gt; 8", "stew") + rule(2, "", "steak"), inputs=column(1, "guests"))
    value, codes = decide(content, guests=10)
    assert value == "stew"
    assert codes == ["import.dmn_version", "import.number_type", "import.required_input"]
    assert decide(content, guests=2)[0] == "steak"


def test_juel_in_a_table_is_feel():
    language = 'expressionLanguage="juel"'
    content = table(
        rule(1, "${cellInput &gt; 8 &amp;&amp; cellInput != 10}", "stew", language)
        + rule(2, "${n == 10}", "soup", language),
        namespace=DMN_13,
        inputs=column(1, "${guests + extra}", 'camunda:inputVariable="n"', language),
    )
    assert decide(content, guests=5, extra=4)[0] == "stew"
    value, codes = decide(content, guests=5, extra=5)
    assert value == "soup"
    assert "import.null_arithmetic" in codes


def test_java_in_a_table_needs_work():
    content = table(rule(1, "${bean.test(cellInput)}", "stew", 'expressionLanguage="juel"'), inputs=column(1, "guests"))
    lines = import_dmn(content, "dish.dmn").lines
    assert [line.code for line in lines if line.outcome == "needs_work"] == ["import.expression"]


def test_the_column_of_a_required_decision_is_that_decision():
    first = table(rule(1, "&gt; 8", "stew"), namespace=DMN_13, inputs=column(1, "guests"))
    second = (
        '<decision id="drink" name="Drink"><informationRequirement><requiredDecision href="#dish"/>'
        '</informationRequirement><decisionTable id="u"><input id="i9"><inputExpression id="e9"><text>dish</text>'
        '</inputExpression></input><output id="o9"/><rule id="r9"><inputEntry id="a9"><text>"stew"</text></inputEntry>'
        '<outputEntry id="b9"><text>"beer"</text></outputEntry></rule></decisionTable></decision></definitions>'
    )
    value, codes = decide(first.replace(b"</definitions>", second.encode()), "drink", guests=9)
    assert value == "beer"
    assert "import.required_result" in codes


def test_what_a_decision_says_of_its_life_is_reported():
    content = table(
        rule(1, "", "stew"), inputs=column(1, "guests"), extra='camunda:historyTimeToLive="P1D" camunda:versionTag="v"'
    )
    codes = decide(content, guests=1)[1]
    assert {"import.retention", "import.version_tag"} <= set(codes)


def test_a_file_of_nobody_is_left_as_it_is():
    content = table(rule(1, "", "stew"), namespace=DMN_13).replace(
        b' xmlns:camunda="http://camunda.org/schema/1.0/dmn"', b""
    )
    imported = import_dmn(content, "dish.dmn")
    assert imported.lines == ()
    assert import_dmn(imported.document, "dish.dmn").document == imported.document


def test_a_language_for_the_whole_file_counts_for_each_expression():
    content = table(
        rule(1, "cellInput &gt; 8", "stew") + rule(2, "", "soup"), namespace=DMN_13, inputs=column(1, "guests + 1")
    ).replace(b'namespace="x"', b'namespace="x" expressionLanguage="juel"')
    # Camunda evaluates a text in JUEL: what is in quotes is one here, too.
    assert decide(content, guests=8)[0] == "stew"
    assert decide(content, guests=3)[0] == "soup"


@pytest.mark.parametrize("language", ["groovy", "javascript", "JavaScript"])
def test_a_script_that_only_computes_is_feel(language):
    named = f'expressionLanguage="{language}"'
    content = table(
        rule(1, "cellInput &gt; 8 &amp;&amp; cellInput != 10", "stew", named) + rule(2, "", "soup"),
        namespace=DMN_13,
        inputs=column(1, 'day == "weekday" ? guests : guests * 2', "", named),
    )
    assert decide(content, guests=6, day="sunday")[0] == "stew"
    assert decide(content, guests=6, day="weekday")[0] == "soup"


@pytest.mark.parametrize(
    ("language", "expression", "code"),
    [
        ("python", "guests", "import.script_language"),
        ("groovy", "guests.collect { it * 2 }", "import.expression"),
        ("juel", "${bean.count(guests)}", "import.expression"),
    ],
)
def test_any_other_script_needs_work_and_is_not_taken_for_feel(language, expression, code):
    named = f'expressionLanguage="{language}"'
    content = table(rule(1, "", "soup"), namespace=DMN_13, inputs=column(1, expression, "", named))
    imported = import_dmn(content, "dish.dmn")
    assert code in [line.code for line in imported.lines if line.outcome == "needs_work"]
    _, findings = read_dmn(imported.document, "dish.dmn")
    assert "dmn.unsupported_language" in [finding.code for finding in findings]


def test_a_condition_of_camunda_need_not_ask_for_its_input():
    content = table(
        rule(1, "${season == 'Winter'}", "stew", 'expressionLanguage="juel"') + rule(2, "", "soup"),
        namespace=DMN_13,
        inputs=column(1, "guests"),
    )
    assert decide(content, guests=3, season="Winter")[0] == "stew"
    assert decide(content, season="Winter", guests=None)[0] == "stew"
    assert decide(content, guests=3, season="Fall")[0] == "soup"


def of_flowable(rules, inputs):
    content = table(rules, namespace=DMN_13, inputs=inputs)
    return content.replace(b'namespace="x"', b'namespace="http://www.flowable.org/dmn"')


@pytest.mark.parametrize(
    ("cell", "written", "matching", "other"),
    [
        ("== 5", "5", 5, 6),
        ("5", "5", 5, 6),
        ("!= 5", "not(5)", 6, 5),
        ("&gt;= 5", "&gt;= 5", 5, 4),
        ("&lt; limit", "? &lt; limit", 9, 10),
        ("== limit - 1", "? = limit - 1", 9, 10),
        ("${guests == 5 || guests == limit}", "? = ? and (guests = 5 or guests = limit)", 10, 6),
        ("-", "-", 7, None),
    ],
)
def test_a_cell_of_flowable_is_juel_that_may_begin_with_an_operator(cell, written, matching, other):
    content = of_flowable(rule(1, cell, "stew") + rule(2, "", "soup"), column(1, "guests"))
    assert f"<text>{written}</text>".encode() in import_dmn(content, "dish.dmn").document
    assert decide(content, guests=matching, limit=10)[0] == "stew"
    if other is not None:
        assert decide(content, guests=other, limit=10)[0] == "soup"


@pytest.mark.parametrize(
    ("cell", "matching", "other"),
    [
        ("== 'Winter'", "Winter", "Fall"),
        ('"Winter"', "Winter", "Fall"),
        (".startsWith('Win')", "Winter", "Fall"),
        ("!= name", "Fall", "Winter"),
    ],
)
def test_texts_in_cells_of_flowable(cell, matching, other):
    content = of_flowable(rule(1, cell, "stew") + rule(2, "", "soup"), column(1, "season"))
    assert decide(content, season=matching, name="Winter")[0] == "stew"
    assert decide(content, season=other, name="Winter")[0] == "soup"


@pytest.mark.parametrize(
    ("cell", "before", "day"),
    [
        ("&lt; date:toDate('2026-03-01')", "2026-02-28", "2026-03-01"),
        ("&lt;= fn_addDate('2026-01-15', 0, 1, 13)", "2026-02-28", "2026-03-01"),
        ("&lt; date:subtractDate(fn_date('2027-03-02'), 1, 0, 1)", "2026-02-28", "2026-03-01"),
    ],
)
def test_dates_in_cells_of_flowable(cell, before, day):
    inputs = column(1, "day").replace("integer", "date")
    content = of_flowable(rule(1, cell, "stew") + rule(2, "", "soup"), inputs)
    assert decide(content, day=before)[0] == "stew"
    assert decide(content, day=day)[0] == "soup"


@pytest.mark.parametrize("cell", ["collection:anyOf(guests, bean.names)", "bean.count(guests)"])
def test_a_cell_of_flowable_that_has_no_feel_needs_work_and_is_not_taken_for_feel(cell):
    imported = import_dmn(of_flowable(rule(1, cell, "stew"), column(1, "guests")), "dish.dmn")
    assert [line.code for line in imported.lines if line.outcome == "needs_work"] == ["import.expression"]
    _, findings = read_dmn(imported.document, "dish.dmn")
    assert [finding.code for finding in findings] == ["dmn.unsupported_language"]


CAMUNDA_8 = (
    f'xmlns="{DMN_13}" xmlns:modeler="http://camunda.org/schema/modeler/1.0" '
    'xmlns:biodi="http://bpmn.io/schema/dmn/biodi/2.0" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" '
    'name="d" namespace="http://camunda.org/schema/1.0/dmn" exporter="Camunda Modeler" '
    'modeler:executionPlatform="Camunda Cloud" modeler:executionPlatformVersion="8.8.0"'
)


def camunda_8(expression, rules, extra="", others=""):
    """A decision table as Camunda 8's modeller writes it, with one column in and one out."""
    written = "".join(
        f'<rule id="r{number}"><inputEntry id="a{number}"><text>{test}</text></inputEntry>'
        f'<outputEntry id="b{number}"><text>{result}</text></outputEntry></rule>'
        for number, (test, result) in enumerate(rules)
    )
    return (
        f'<definitions {CAMUNDA_8}><decision id="dish" name="Dish">{extra}<decisionTable id="t" hitPolicy="FIRST">'
        f'<input id="i" biodi:width="192"><inputExpression id="e"><text>{expression}</text></inputExpression></input>'
        f'<output id="o" name="dish" biodi:width="192"/>{written}</decisionTable></decision>{others}</definitions>'
    ).encode()


def test_tables_of_camunda_8_have_feel_without_saying_so():
    words = camunda_8("word", [('"a","b"', '"ab"'), ('not("c")', '"other"'), ("-", "suffix")])
    assert decide(words, word="b")[0] == "ab"
    assert decide(words, word="d")[0] == "other"
    value, codes = decide(words, word="c", suffix="!")
    assert value == "!"
    assert codes == ["import.required_input", "import.required_input"]
    days = camunda_8("date(day)", [("&gt; today()", '"later"'), ("&lt;= today()", '"past"')])
    assert decide(days, day="2030-01-01")[0] == "later"


def test_a_column_that_says_feel_declares_what_it_reads_as_well():
    said = camunda_8("word", [("-", '"x" + suffix')]).replace(
        b'<outputEntry id="b0"', b'<outputEntry id="b0" expressionLanguage="feel"'
    )
    assert decide(said, word="a", suffix="y")[0] == "xy"


def required(expression, *, table=True, platform="Camunda Cloud"):
    """A decision that requires another one, which is a table or an expression."""
    requires = '<informationRequirement id="q"><requiredDecision href="#season_1"/></informationRequirement>'
    logic = (
        '<decisionTable id="u" hitPolicy="FIRST"><input id="k"><inputExpression id="m"><text>month</text>'
        '</inputExpression></input><output id="n" name="part"/><rule id="s1"><inputEntry id="s2"><text>&lt; 4</text>'
        '</inputEntry><outputEntry id="s3"><text>"Winter"</text></outputEntry></rule></decisionTable>'
        if table
        else '<variable id="v" name="season"/><literalExpression id="l">'
        '<text>if month &lt; 4 then "Winter" else "Summer"</text></literalExpression>'
    )
    other = f'<decision id="season_1" name="Season of year">{logic}</decision>'
    made = camunda_8(expression, [('"Winter"', '"stew"'), ("-", '"salad"')], requires, other)
    return made.replace(b"Camunda Cloud", platform.encode())


def test_a_required_decision_of_camunda_8_is_called_by_its_id_and_an_expression_by_its_variable():
    for expression, table in (
        ("season_1", True),
        ("if part = null then season_1 else part", True),
        ("season", False),
        ('if season_1 = null then season else "a season"', False),
    ):
        value, codes = decide(required(expression, table=table), month=1)
        assert value == "stew"
        assert "import.required_name" in codes or "import.required_result" in codes
    assert decide(
        required('if "season" = "" then a.season else {season: part}.season', table=False), month=1, part=3
    ) == (
        "salad",
        ["import.required_input"] * 3,
    )


def test_a_required_decision_of_camunda_7_is_called_by_its_column():
    value, codes = decide(required("part", platform="Camunda Platform"), month=1)
    assert value == "stew"
    assert "import.required_result" in codes
    # An id is the name of a variable there.
    assert decide(required("season_1", platform="Camunda Platform"), month=1, season_1="Winter")[0] == "stew"


def test_values_that_helped_who_drew_a_table_refuse_nothing():
    values = "<text>&quot;a&quot;,&quot;b&quot;</text>"
    drawn = camunda_8("word", [("-", '"other"')]).replace(
        b"</inputExpression>", f'</inputExpression><inputValues id="iv">{values}</inputValues>'.encode()
    )
    drawn = drawn.replace(
        b'name="dish" biodi:width="192"/>',
        f'name="dish"><outputValues id="ov">{values}</outputValues></output>'.encode(),
    )
    value, codes = decide(drawn, word="c")
    assert value == "other"
    assert codes.count("import.allowed_values") == 2
    ordered = drawn.replace(b"FIRST", b"PRIORITY")
    assert decide(ordered, word="c")[1].count("import.allowed_values") == 1


def test_a_function_that_only_camunda_has_is_no_input():
    imported = import_dmn(camunda_8("word", [("-", "uuid()"), ("starts_like(?, x)", "1")]), "dish.dmn")
    assert [line.code for line in imported.lines if line.outcome == "needs_work"] == ["import.feel_function"] * 2
    assert {line.details["name"] for line in imported.lines if line.code == "import.required_input"} == {"word", "x"}
    limit = import_dmn(camunda_8("word", [("-", "camunda.vars.env.limit")]), "dish.dmn")
    assert [line.code for line in limit.lines if line.outcome == "needs_work"] == ["import.expression"]


def test_the_version_tag_of_a_decision_is_left_out():
    tagged = camunda_8("word", [("-", "1")], '<extensionElements><zeebe:versionTag value="v1"/></extensionElements>')
    assert decide(tagged, word="a") == (1, ["import.version_tag", "import.required_input"])
