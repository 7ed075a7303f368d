"""One client is one network, in whichever form its address arrives."""

import pytest

from kit.networks import UNKNOWN, is_public, network_of


@pytest.mark.parametrize(
    "address",
    [
        "198.51.100.7",
        "::ffff:198.51.100.7",
        "::ffff:c633:6407",
        "64:ff9b::198.51.100.7",
        "64:ff9b:1::198.51.100.7",
        "2002:c633:6407::1",
        "2002:c633:6407:1234::1",
        "2001:0:4136:e378:8000:63bf:39cc:9bf8",
        " 198.51.100.7 ",
    ],
)
def test_an_ipv4_address_is_itself_when_ipv6_carries_it(address: str) -> None:
    assert network_of(address) == "198.51.100.7"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("127.0.0.1", "127.0.0.1"),
    ],
)
def test_an_ipv6_network_has_64_bits(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize("address", ["", "unix:", "198.51.100", "198.51.100.7:443", "[::1]", "no address"])
def test_no_network_is_known_when_the_address_is_none(address: str) -> None:
    assert network_of(address) == UNKNOWN
    assert not is_public(address)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::8.8.8.8", True),
        ("64:ff9b::10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("2a00:1450:4001::1", True),
        ("fd00::1", False),
        ("127.0.0.1", False),
        ("203.0.113.7", True),
        ("2001:db8:1:2::3", True),
        ("100.64.0.1", False),
        ("172.31.255.255", False),
        ("169.254.1.1", False),
        ("fe80::1", False),
        ("0.0.0.0", False),
        ("", False),
    ],
)
def test_an_address_is_public_when_the_internet_routes_it(address: str, *, public: bool) -> None:
    assert is_public(address) is public
