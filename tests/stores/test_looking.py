"""What words, fields and people find among some requests, on each database; these tests only look, and share them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from noria.operate.finding import Wanted
from noria.operate.office import RefusedError
from tests.stores.test_finding import finds, some_requests
from tests.stores.test_lists import Company, company_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def company(shared_url: str) -> AsyncIterator[Company]:
    async with company_of(shared_url) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def requests(company: Company) -> list[int]:
    return await some_requests(company)


@pytest.mark.parametrize(
    ("q", "which"),
    [
        ("球轴承", {0}),
        ("深沟球", {0}),
        ("深", {0, 4}),
        ("bear", {1}),
        ("BEARING", {1}),
        ("ｓｋｆ 62", {1}),
        ("earing", set()),
        ("电机 y2", {2}),
        ("钢板 球轴承", set()),
        ("上海精工", {0, 1, 2, 3, 4, 5}),
        ("原材料", {0, 1, 2, 3, 4, 5}),
        ("000003", {2}),
        ("0003", {2}),
        ("26-000004", set()),
        ("2026-000004", {3}),
        ("林晓 深", {0}),
        ("zhou", {2, 5}),
    ],
)
async def test_words_are_found_in_keys_titles_fields_and_names_of_people(
    company: Company,
    requests: list[int],
    q: str,
    which: set[int],
) -> None:
    assert await finds(company, q=q) == [requests[number] for number in sorted(which)]


@pytest.mark.parametrize(
    ("field", "which"),
    [
        (("amount>=90000",), {2, 3, 4, 5}),
        (("amount > 90000",), {3, 4, 5}),
        (("amount=9000",), {1}),
        (("amount=9000.0",), {1}),
        (("amount<9e3",), {0}),
        (("amount<=9000", "title~bear"), {1}),
        (("title~深",), {0, 4}),
        (("title=深沟球轴承",), {0}),
        (("title=深沟",), set()),
        (("needed_on>=2026-12-20",), {0, 1, 2, 3, 4, 5}),
        (("needed_on>2026-12-20",), set()),
        (("category=material",), {0, 1, 2, 3, 4, 5}),
        (("supplier~轴承", "amount>9e7"), set()),
    ],
)
async def test_fields_are_compared_as_what_they_are(
    company: Company,
    requests: list[int],
    field: tuple[str, ...],
    which: set[int],
) -> None:
    assert await finds(company, field=field) == [requests[number] for number in sorted(which)]


@pytest.mark.parametrize(
    ("wanted", "code", "parameter"),
    [
        (Wanted(field=("amount",)), "filter.syntax", "field"),
        (Wanted(field=(">=5",)), "filter.syntax", "field"),
        (Wanted(field=("amount>=",)), "filter.syntax", "field"),
        (Wanted(field=("nothing=1",)), "filter.unknown_field", "field"),
        (Wanted(field=("amount>=viel",)), "filter.value", "field"),
        (Wanted(field=("amount~5",)), "filter.value", "field"),
        (Wanted(field=("amount>1e18",)), "filter.value", "field"),
        (Wanted(field=("title>=a",)), "filter.value", "field"),
        (Wanted(field=("title~-",)), "filter.value", "field"),
        (Wanted(field=("needed_on>2026-02-30",)), "filter.value", "field"),
        (Wanted(field=("amount>1",) * 11), "filter.too_many", "field"),
        (Wanted(starter="nobody"), "person.not_found", "starter"),
        (Wanted(holder="nobody"), "person.not_found", "holder"),
        (Wanted(actor="nobody"), "person.not_found", "actor"),
    ],
)
async def test_what_cannot_be_looked_for_is_refused_and_the_parameter_named(
    company: Company,
    wanted: Wanted,
    code: str,
    parameter: str,
) -> None:
    with pytest.raises(RefusedError) as refused:
        await company.seen("he", wanted=wanted)
    assert (refused.value.rejected.code, refused.value.details["parameter"]) == (code, parameter)
