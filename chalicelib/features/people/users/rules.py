"""Pure functions about people."""


def masked_address(address: str) -> str:
    """Show as much of an e-mail address as tells it from others: its first letter and its domain."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}***@{domain}"
