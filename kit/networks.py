"""The network behind an address: what limits count instead of single addresses."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

UNKNOWN = ""
"""The network of an address that is none, such as a Unix socket's peer."""
_NAT64 = (
    IPv6Network("64:ff9b::/96"),  # RFC 6052, the well-known prefix
    IPv6Network("64:ff9b:1::/48"),  # RFC 8215, prefixes of an operator's own, in practice /96
)
_SHARED = (
    IPv4Network("10.0.0.0/8"),  # RFC 1918, with the next two
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv4Network("100.64.0.0/10"),  # RFC 6598, behind a carrier's NAT
    IPv6Network("fc00::/7"),  # RFC 4193
)


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """The network of an address as text: an IPv4 address, or an IPv6 /64; UNKNOWN for anything else.

    The mapped, NAT64, 6to4 and Teredo forms of an IPv4 address are that address, so that one client
    is one network whichever form a proxy or a socket reports.
    """
    parsed = _parsed(address)
    if parsed is None:
        return UNKNOWN
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(ip_network((int(parsed) >> 64 << 64, 64)))


@lru_cache(maxsize=4096)
def is_public(address: str) -> bool:
    """Whether an address can be a buyer's own: a private one is a proxy's, with everyone behind it."""
    parsed = _parsed(address)
    if parsed is None or parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified:
        return False
    return not any(parsed.version == shared.version and parsed in shared for shared in _SHARED)


def counted_network(address: str, *, private_networks: bool) -> str:
    """The network that an address counts for; UNKNOWN where it is private and private ones do not count."""
    return network_of(address) if private_networks or is_public(address) else UNKNOWN


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address.strip())
    except ValueError:
        return None
    return parsed if isinstance(parsed, IPv4Address) else _embedded(parsed) or parsed


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for; None where it stands for itself."""
    embedded = address.ipv4_mapped or address.sixtofour
    if embedded is None and address.teredo is not None:
        embedded = address.teredo[1]
    if embedded is None and any(address in prefix for prefix in _NAT64):
        embedded = IPv4Address(int(address) & 0xFFFF_FFFF)
    return embedded
