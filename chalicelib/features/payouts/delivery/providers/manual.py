"""Payment by hand: a person hands cash, a cheque or a transfer over, and confirms it with a reference."""

from chalicelib.features.payouts.delivery.providers import Abilities, Provider

PROVIDER = Provider(Abilities(keeps_keys_for=None, supports_lookup=False, is_manual=True))
