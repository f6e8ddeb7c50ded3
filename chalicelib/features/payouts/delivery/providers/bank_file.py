"""Bank files: credit transfers in a file that a person brings to the bank (payouts.batches, payouts.matching)."""

from chalicelib.features.payouts.delivery.providers import Abilities, Provider
from chalicelib.features.people.destinations.rules import DestinationKind

PROVIDER = Provider(
    Abilities(
        keeps_keys_for=None,
        supports_lookup=False,
        pays_to=frozenset({DestinationKind.IBAN, DestinationKind.ACCOUNT}),
        sends_files=True,
    )
)
