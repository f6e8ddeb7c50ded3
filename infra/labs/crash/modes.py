"""The modes: what the provider can do, and which of the product's nets is taken away."""

from dataclasses import dataclass
from datetime import timedelta

from chalicelib.features.payouts.delivery.providers import Abilities


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to run the world."""

    name: str
    about: str
    keys: bool = True
    looks_up: bool = True
    sweeps: bool = True
    looks_again: bool = True
    restores: bool = False
    has_files: bool = False  # payouts go to a bank in files

    @property
    def abilities(self) -> Abilities:
        return Abilities(
            keeps_keys_for=timedelta(hours=24) if self.keys else None, looks_up=self.looks_up, needs_destination=False
        )


MODES = {
    mode.name: mode
    for mode in (
        Mode("everything", "the provider keeps keys and can be asked, all nets are there"),
        Mode(
            "no-look-up",
            "the provider cannot be asked: the same key is sent again, then a person decides",
            looks_up=False,
        ),
        Mode(
            "no-keys",
            "the provider knows no idempotency keys: sent once, then only asked, then a person decides",
            keys=False,
        ),
        Mode("neither", "neither keys nor look-up: any doubt goes to a person at once", keys=False, looks_up=False),
        Mode("no-sweep", "the outbox is never swept: the look-at schedule finds what was not sent", sweeps=False),
        Mode(
            "no-second-look",
            "nobody looks again by the clock: redelivery and the outbox are the net, and what they"
            " leave open waits for a person who replays dead letters and sends messages anew",
            looks_again=False,
        ),
        Mode(
            "files",
            "payouts go to a bank in files, which are brought twice; its reports come late, doubled, in any"
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
    """Return the mode of a seed: they take turns."""
    return list(MODES.values())[seed % len(MODES)]
