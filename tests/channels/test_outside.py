"""Where messages may go: whoever sets up a channel must not make this server reach what only it can reach."""

from __future__ import annotations

import socket

import pytest

from noria.adapters.channels.outside import Outside, RefusedAddressError, checked, is_public
from noria.operate.channels import UndeliveredError, check_address
from tests.channels.receivers import receiving


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",  # noqa: S104 - refused
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)
def test_addresses_of_this_machine_and_of_private_networks_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "140.205.1.1", "2400:3200::1", "::ffff:1.1.1.1"])
def test_addresses_that_everybody_may_reach_are_public(address: str) -> None:
    assert is_public(address)


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(RefusedAddressError, match=r"NORIA_ALLOW_HOSTS=a\.example"):
        checked("a.example", ["1.1.1.1", "10.0.0.1"], frozenset())
    assert checked("a.example", ["1.1.1.1", "10.0.0.1"], frozenset({"a.example"})) == ["1.1.1.1", "10.0.0.1"]


async def test_a_server_on_loopback_is_not_reached_unless_the_operator_allows_it() -> None:
    async with receiving() as receiver:
        outside = Outside(frozenset())
        with pytest.raises(UndeliveredError, match="not a public address") as refused:
            await outside.post(receiver.url, b"{}", {})
        await outside.close()
        assert refused.value.final
        assert receiver.requests == []
        outside = Outside(frozenset({"127.0.0.1"}))
        assert (await outside.post(receiver.url, b"{}", {})).status == 200
        await outside.close()


async def test_a_name_is_looked_up_once_and_the_address_that_was_checked_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    looked_up = socket.getaddrinfo

    def rebinding(host: str, *rest: object, **named: object) -> object:
        if host != "rebind.example":
            return looked_up(host, *rest, **named)
        asked.append(host)
        address = "127.0.0.1" if len(asked) > 1 else "192.0.2.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    outside = Outside(frozenset())
    with pytest.raises(UndeliveredError, match=r"192\.0\.2\.1"):
        await outside.post("http://rebind.example/", b"", {})
    await outside.close()
    assert asked == ["rebind.example"]


async def test_who_does_not_listen_is_told_without_the_address() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    outside = Outside(frozenset({"127.0.0.1"}))
    with pytest.raises(UndeliveredError) as failed:
        await outside.post(f"http://127.0.0.1:{port}/hook/secret-part", b"", {})
    await outside.close()
    assert not failed.value.final
    assert "secret-part" not in failed.value.message


@pytest.mark.parametrize(
    ("address", "wrong"),
    [
        ("https://a.example/hook?x=1", False),
        ("http://a.example/hook", True),
        ("http://allowed.example/hook", False),
        ("ftp://a.example", True),
        ("https://user:word@a.example/", True),
        ("https://", True),
        ("javascript:alert(1)", True),
        ("https://a.example:99999/", True),
        ("https://[::1", True),
    ],
)
def test_an_address_is_https_and_names_a_host(address: str, wrong: bool) -> None:
    assert bool(check_address(address, frozenset({"allowed.example"}))) is wrong
