"""Access tokens in the browser."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import SignIn
from tests.e2e.site import Site
from tests.e2e.test_substitutes import shot

pytestmark = pytest.mark.e2e


def test_a_token_is_made_shown_once_used_and_taken_back(site: Site, sign_in: SignIn) -> None:
    lin = sign_in("lin", "/tasks")
    lin.get_by_test_id("user-menu-open").click()
    lin.get_by_test_id("tokens-open").click()
    lin.get_by_test_id("token-name").fill("ERP 接口")
    lin.get_by_test_id("token-make").click()
    secret = lin.get_by_test_id("token-secret").input_value()
    shot(lin, "token-new")
    lin.get_by_test_id("token-kept").click()
    expect(lin.get_by_test_id("tokens")).to_contain_text("ERP 接口")
    expect(lin.get_by_test_id("tokens")).to_contain_text("从未")
    assert secret not in lin.content()

    def status() -> int:
        return httpx.get(f"{site.url}/api/tasks", headers={"Authorization": f"Bearer {secret}"}).status_code

    assert status() == 200
    shot(lin, "tokens")
    lin.get_by_test_id("token-revoke").click()
    lin.get_by_test_id("token-revoke-confirm").click()
    expect(lin.get_by_test_id("tokens")).to_have_count(0)
    assert status() == 401
