"""Which IP addresses are public, so that no call reaches our own network through us (SSRF).

Python's `is_global` follows IANA's registries and differs between its versions, so the networks that matter most are
also listed here.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

_REFUSED = {
    ip_network(network): why
    for network, why in {
        "0.0.0.0/8": "this network",
        "10.0.0.0/8": "private",
        "100.64.0.0/10": "a carrier's own network",
        "127.0.0.0/8": "this machine",
        "169.254.0.0/16": "link-local, where clouds keep their credentials",
        "172.16.0.0/12": "private",
        "192.0.0.0/24": "reserved",
        "192.0.2.0/24": "for documentation",
        "192.88.99.0/24": "a 6to4 relay",
        "192.168.0.0/16": "private",
        "198.18.0.0/15": "for measuring",
        "198.51.100.0/24": "for documentation",
        "203.0.113.0/24": "for documentation",
        "224.0.0.0/4": "multicast",
        "240.0.0.0/4": "reserved",
        "2001::/23": "Teredo, or reserved",
        "2001:db8::/32": "for documentation",
        "2002::/16": "6to4, which hides another address",
        "3fff::/20": "for documentation",
    }.items()
}
_UNICAST = ip_network("2000::/3")  # all of IPv6 that is allocated to the public
_NAT64 = ip_network("64:ff9b::/96")


def why_not_public(text: str) -> str | None:
    """Return why an address is not public, or None where it is."""
    address = _embedded_ipv4(ip_address(text))
    for network, why in _REFUSED.items():
        if address.version == network.version and address in network:
            return why
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return "loopback, private, link-local, multicast or reserved"
    return None if address.is_global and not address.is_multicast else "reserved"


def is_loopback(text: str) -> bool:
    """Return whether an address is this machine."""
    return _embedded_ipv4(ip_address(text)).is_loopback


def _embedded_ipv4(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address really reaches (mapped, NAT64), else the address itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:  # how an IPv6-only network reaches IPv4
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
