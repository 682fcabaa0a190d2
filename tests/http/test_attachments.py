"""Files: taken by type and size, stored once, read by who may see a request that names them."""

from __future__ import annotations

import httpx

from tests.http.house import PURCHASE, Client, House

PDF = b"%PDF-1.7\n" + bytes(200)


async def upload(
    client: Client, content: bytes = PDF, name: str = "报价单.pdf", kind: str = "application/pdf"
) -> httpx.Response:
    return await client.send("POST", "/attachments", files={"file": (name, content, kind)})


async def test_equal_contents_are_stored_once(house: House) -> None:
    lin, wang = await house.sign_in("lin"), await house.sign_in("wang")
    one, other = await upload(lin), await upload(wang, name="copy.pdf")
    assert one.status_code == 201
    assert one.json()["hash"] == other.json()["hash"]


async def test_what_it_claims_to_be_must_fit_its_first_bytes(house: House) -> None:
    lin = await house.sign_in("lin")
    for content, kind in ((b"MZ\x90", "application/pdf"), (PDF, "text/html"), (b"<svg/>", "image/svg+xml")):
        answer = await upload(lin, content, kind=kind)
        assert (answer.status_code, answer.json()["code"]) == (415, "attachment.type_refused"), kind


async def test_a_file_that_is_too_large_is_refused(house: House) -> None:
    house.noria.services.upload_bytes_max = 100
    answer = await upload(await house.sign_in("lin"))
    assert (answer.status_code, answer.json()["code"]) == (413, "attachment.too_large")


async def test_it_is_sent_as_a_download_from_a_sandbox(house: House) -> None:
    lin = await house.sign_in("lin")
    hashed = (await upload(lin)).json()["hash"]
    answer = await lin.get(f"/attachments/{hashed}")
    assert answer.content == PDF
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-security-policy"].startswith("sandbox")


async def test_who_may_not_see_a_request_with_it_cannot_read_it(house: House) -> None:
    lin, wang, chen = [await house.sign_in(name) for name in ("lin", "wang", "chen")]
    named = (await upload(lin)).json()
    assert (await wang.get(f"/attachments/{named['hash']}")).status_code == 403, "nothing names it yet"
    await lin.start(files=[named])
    await house.noria.projector.catch_up()
    assert (await wang.get(f"/attachments/{named['hash']}")).status_code == 200, "he approves the request"
    denied = await chen.get(f"/attachments/{named['hash']}")
    assert (denied.status_code, denied.json()["code"]) == (403, "permission.denied")
    assert (await chen.get("/attachments/" + "0" * 64)).status_code == 404


async def test_a_submission_cannot_name_a_file_that_was_never_uploaded(house: House) -> None:
    lin = await house.sign_in("lin")
    ghost = {"hash": "f" * 64, "name": "x.pdf", "size": 1, "media_type": "application/pdf"}
    answer = await lin.post("/instances", {"process": "purchase", "variables": {**PURCHASE, "files": [ghost]}})
    assert answer.status_code == 404


async def test_an_upload_without_a_file_is_refused_with_the_name_of_the_part(house: House) -> None:
    lin = await house.sign_in("lin")
    answer = await lin.send("POST", "/attachments", files={"other": ("a.txt", b"a", "text/plain")})
    assert (answer.status_code, answer.json()["code"]) == (400, "request.invalid")
    assert "file" in answer.text
