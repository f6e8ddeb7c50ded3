"""Public addresses, and every form in which a private one can be written."""

import pytest

from chalicelib.backing.addresses import is_loopback, why_not_public

FORBIDDEN = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.0.1
    169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.8 192.0.0.170 192.0.2.1 192.88.99.1
    192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 233.252.0.1 239.255.255.255 240.0.0.1
    255.255.255.255
    :: ::1 ::7f00:1 ::10.0.0.1 ::8.8.8.8 ::ffff:10.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:a00:1
    64:ff9b::10.0.0.1 64:ff9b::127.0.0.1 64:ff9b::169.254.169.254 64:ff9b:1::1 100::1
    2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1 2001:db8::1
    2002:0a00:0001::1 2002:7f00:0001::1 2002:0808:0808::1 3fff::1
    4000::1 5f00::1 fc00::1 fd00:ec2::254 fdff::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 ff0e::1
""".split()  # noqa: SIM905  # as a list it would be sixty lines
PUBLIC = """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 128.0.0.1 169.253.255.255 172.15.255.255
    172.32.0.1 192.0.1.1 192.167.255.255 198.17.255.255 198.20.0.1 223.255.255.255
    2606:4700:4700::1111 2a00:1450:4001::1 2001:4860:4860::8888 ::ffff:8.8.8.8 64:ff9b::8.8.8.8
""".split()  # noqa: SIM905  # as a list it would be sixty lines


@pytest.mark.parametrize("address", FORBIDDEN)
def test_are_not_public(address: str) -> None:
    assert why_not_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_are_public(address: str) -> None:
    assert why_not_public(address) is None


@pytest.mark.parametrize(("address", "why"), [
    ("127.0.0.1", "this machine"), ("169.254.169.254", "link-local, where clouds keep their credentials"),
    ("::ffff:192.168.1.1", "private"), ("100.100.100.200", "a carrier's own network"),
    ("2002:0a00:0001::1", "6to4, which hides another address"),
    ("fe80::1", "loopback, private, link-local, multicast or reserved"),
])  # fmt: skip
def test_are_refused_for_this_reason(address: str, why: str) -> None:
    assert why_not_public(address) == why


def test_only_this_machine_is_loopback() -> None:
    assert [one for one in FORBIDDEN + PUBLIC if is_loopback(one)] == [
        "127.0.0.1",
        "127.255.255.254",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::127.0.0.1",
    ]
