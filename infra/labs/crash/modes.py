"""The modes: what the provider supports, and which safety net of the product is removed."""

from dataclasses import dataclass
from datetime import timedelta

from chalicelib.features.payouts.delivery.providers import Abilities


@dataclass(frozen=True, slots=True)
class Mode:
    """One configuration of the simulated world."""

    name: str
    about: str
    has_keys: bool = True  # the provider knows idempotency keys
    has_inquiry: bool = True  # the provider can be asked what became of a payment
    has_sweep: bool = True  # the outbox is swept
    has_retry_schedule: bool = True
    restores: bool = False
    has_files: bool = False  # payouts go to a bank in files

    @property
    def abilities(self) -> Abilities:
        return Abilities(
            keeps_keys_for=timedelta(hours=24) if self.has_keys else None,
            supports_lookup=self.has_inquiry,
        )


MODES = {
    mode.name: mode
    for mode in (
        Mode("everything", "the provider keeps idempotency keys and can be asked; all safety nets are there"),
        Mode(
            "no-look-up",
            "the provider cannot be asked: the same key is sent again, then a person decides",
            has_inquiry=False,
        ),
        Mode(
            "no-keys",
            "the provider knows no idempotency keys: sent once, then only asked, then a person decides",
            has_keys=False,
        ),
        Mode(
            "neither", "neither keys nor look-up: any doubt goes to a person at once", has_keys=False, has_inquiry=False
        ),
        Mode("no-sweep", "the outbox is never swept: the retry schedule finds what was not sent", has_sweep=False),
        Mode(
            "no-second-look",
            "no retry schedule: redelivery and the outbox are the net, and what they leave open"
            " waits for an operator who redrives dead letters and sends messages again",
            has_retry_schedule=False,
        ),
        Mode(
            "files",
            "payouts go to a bank in files, which are handed in twice; its reports come late, twice, in any"
            " order, or never",
            has_files=True,
        ),
        Mode(
            "restored",
            "the database is restored to ten minutes ago; payouts are off until the provider's list is matched",
            restores=True,
        ),
    )
}


def mode_of(seed: int) -> Mode:
    """Return the mode of a seed; the modes take turns."""
    return list(MODES.values())[seed % len(MODES)]
