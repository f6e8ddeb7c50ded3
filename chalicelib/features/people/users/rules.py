"""Pure functions about users."""


def masked_address(address: str) -> str:
    """Mask an e-mail address: only its first character and its domain are shown."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}***@{domain}"
