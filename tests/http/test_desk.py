"""Drafts and phrases: each person's own, kept on the server."""

from __future__ import annotations

from tests.http.house import House


async def test_a_draft_is_kept_for_its_person_alone_and_may_be_incomplete(house: House) -> None:
    lin = await house.sign_in("lin")
    await lin.start()
    wang, liu = await house.sign_in("wang"), await house.sign_in("liu")
    what = (await wang.task())["id"]
    assert (await wang.get(f"/drafts/{what}")).json() == {"at": None, "data": None}
    for data in ({"opinion": "先"}, {"opinion": "先看", "amount": "无效"}):
        kept = await wang.send("PUT", f"/drafts/{what}", json={"data": data})
        assert kept.status_code == 200, kept.text
    again = await house.sign_in("wang")
    assert (await again.get(f"/drafts/{what}")).json()["data"] == {"opinion": "先看", "amount": "无效"}
    for other in (lin, liu):
        assert (await other.get(f"/drafts/{what}")).status_code == 403
        assert (await other.send("PUT", f"/drafts/{what}", json={"data": {}})).status_code == 403
        await other.send("DELETE", f"/drafts/{what}")
    assert (await wang.get(f"/drafts/{what}")).json()["data"] is not None
    assert (await wang.send("DELETE", f"/drafts/{what}")).status_code == 204
    assert (await wang.get(f"/drafts/{what}")).json() == {"at": None, "data": None}


async def test_two_candidates_keep_a_draft_each_of_the_same_task(house: House) -> None:
    lin, wang = await house.sign_in("lin"), await house.sign_in("wang")
    await lin.start(amount=20_000)
    await wang.complete()
    li, sun = await house.sign_in("li"), await house.sign_in("sun")
    what = (await li.task("group"))["id"]
    for client, words in ((li, "甲"), (sun, "乙")):
        await client.send("PUT", f"/drafts/{what}", json={"data": {"opinion": words}})
    assert (await li.get(f"/drafts/{what}")).json()["data"] == {"opinion": "甲"}
    assert (await sun.get(f"/drafts/{what}")).json()["data"] == {"opinion": "乙"}


async def test_a_draft_for_starting_is_kept_by_process(house: House) -> None:
    lin = await house.sign_in("lin")
    await lin.send("PUT", "/drafts/start.purchase", json={"data": {"title": "泵"}})
    assert (await lin.get("/drafts/start.purchase")).json()["data"] == {"title": "泵"}
    assert (await lin.get("/drafts/start.nothing")).status_code == 404
    guest = await house.sign_in("guest")
    assert (await guest.get("/drafts/start.purchase")).status_code == 403


async def test_a_task_that_is_closed_has_no_draft_and_one_that_is_too_large_is_not_kept(house: House) -> None:
    lin, wang = await house.sign_in("lin"), await house.sign_in("wang")
    await lin.start()
    what = (await wang.task())["id"]
    large = await wang.send("PUT", f"/drafts/{what}", json={"data": {"opinion": "x" * 300_000}})
    assert (large.status_code, large.json()["code"]) == (413, "draft.too_large")
    await wang.complete()
    assert (await wang.get(f"/drafts/{what}")).json() == {"at": None, "data": None}
    late = await wang.send("PUT", f"/drafts/{what}", json={"data": {}})
    assert (late.status_code, late.json()) == (200, {"at": None, "data": None})
    for unknown in ("1-1", "x", "0"):
        assert (await wang.get(f"/drafts/{unknown}")).status_code == 404


async def test_phrases_are_the_persons_own_and_everybodys(house: House) -> None:
    he, lin, wang = [await house.sign_in(name) for name in ("he", "lin", "wang")]
    shared = await he.send("PUT", "/admin/phrases", json={"texts": ["同意。", "请补充发票。"]})
    assert shared.status_code == 200
    mine = await wang.send("PUT", "/phrases", json={"texts": [" 同意，请尽快采购。 ", "同意，请尽快采购。"]})
    assert mine.json() == {"mine": ["同意，请尽快采购。"], "shared": ["同意。", "请补充发票。"]}
    assert (await lin.get("/phrases")).json() == {"mine": [], "shared": ["同意。", "请补充发票。"]}
    for texts in ([""], ["x" * 201], [str(number) for number in range(51)]):
        refused = await wang.send("PUT", "/phrases", json={"texts": texts})
        assert (refused.status_code, refused.json()["code"]) == (422, "phrases.invalid")
    assert (await wang.get("/phrases")).json()["mine"] == ["同意，请尽快采购。"]
