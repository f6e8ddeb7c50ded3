"""The demo's sellers, their payout destinations and their sales: the story that selling.py loads.

Mina Rahman        three sales of 40.00: 12.00 in advance; one declined, two approved: 68.00 (rules.md, section 6)
Nadia Islam        was paid for a sale that was then declined after all, with a reason
Farid Hossain      sells in two currencies, and is paid in both
Shopna Das         was paid in advance for sales that were declined: her next earnings are netted
Kazi Traders       is owed more than may go without a second person's approval
Bilkis Banu        her bank refused; she gave another account since, and is paid by the next run or by a retry
Hafizur Rahman     was paid, and the bank sent it back
Selim Reza         the provider paid and did not answer: unknown, until it is asked a minute later
Nargis Sultana     the provider says that it paid another amount: a person has to find out
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256

WEEKS = 4  # that the sales are spread over, up to the day of loading
BRANDS = ("Padma Denim", "Nakshi", "Tant House", "Meghna Kids", "Shapla Home")


@dataclass(frozen=True, slots=True)
class Seller:
    """A seller; `outcome` is that of their payout, if it is part of the story."""

    number: str
    name: str
    destination: dict[str, str]
    sales: int
    earning: tuple[str, str]  # least and most of a sale
    outcome: str = ""
    other_currency: str = ""  # of every third sale
    decided: str = ""  # what all their sales are, if not drawn
    corrected: str = ""  # the sale that was declined after all, when it was paid

    @property
    def is_advanced(self) -> bool:
        """Return whether their sales precede the advance run."""
        return self.outcome in ("", "paid", "held", "owes")


@dataclass(frozen=True, slots=True)
class DemoSale:
    """A sale of the story, and its decision, if any."""

    seller: Seller
    external_id: str
    brand: str
    earning: Decimal
    currency: str | None
    days_ago: int
    minute: int
    decided: str


def _account(number: str, bank: str, holder: str) -> dict[str, str]:
    return {"kind": "account", "holder": holder, "account_number": number, "bank_name": bank, "country": "BD"}


def _iban(number: str, holder: str) -> dict[str, str]:
    return {"kind": "iban", "holder": holder, "iban": number}


def _simulated(behaviour: str) -> dict[str, str]:
    return {"kind": "simulated", "behaviour": behaviour}


USUAL = ("180.00", "1900.00")
OF_ACME = (
    Seller("S01", "Mina Rahman", _simulated("accept"), 3, ("40.00", "40.00"), outcome="paid"),
    Seller("S02", "Rezaul Karim", _account("1501203345678", "Jamuna Trust", "Rezaul Karim"), 44, USUAL),
    Seller("S03", "Nadia Islam", _account("0441102299871", "Delta Commerce", "Nadia Islam"), 44, USUAL,
           corrected="S03-0001"),
    Seller("S04", "Astrid Lindqvist", _iban("SE45 5000 0000 0583 9825 7466", "Astrid Lindqvist"), 44, USUAL),
    Seller("S05", "Aisha Al Mansoori", _iban("AE07 0331 2345 6789 0123 456", "Aisha Al Mansoori"), 44, USUAL),
    Seller("S06", "Farid Hossain", _simulated("accept"), 36, ("12.00", "95.00"), other_currency="USD"),
    Seller("S07", "Shopna Das", _simulated("accept"), 2, ("600.00", "900.00"), outcome="owes", decided="declined"),
    Seller("S08", "Kazi Traders", _account("2085500127", "Jamuna Trust", "Kazi Traders"), 12, ("14000.00", "18000.00"),
           outcome="held", decided="approved"),
    Seller("S09", "Bilkis Banu", _simulated("refuse"), 8, USUAL, outcome="failed", decided="approved"),
    Seller("S10", "Hafizur Rahman", _account("3310045512", "Delta Commerce", "Hafizur Rahman"), 8, USUAL,
           outcome="returned", decided="approved"),
    Seller("S11", "Selim Reza", _simulated("timeout_after"), 8, USUAL, outcome="timed_out", decided="approved"),
    Seller("S12", "Nargis Sultana", _simulated("other_amount"), 8, USUAL, outcome="review", decided="approved"),
)  # fmt: skip
CORRECTED_DESTINATION = _account("7720314485", "Jamuna Trust", "Bilkis Banu")
NEW_SALES = 5  # of each seller without a story: they came after the runs
OF_ZENITH = (
    Seller("S01", "Greta Vogel", _iban("DE89 3704 0044 0532 0130 00", "Greta Vogel"), 12, ("8.00", "60.00"),
           outcome="paid"),
    Seller("S02", "Sanne de Vries", _iban("NL91 ABNA 0417 1643 00", "Sanne de Vries"), 12, ("8.00", "60.00")),
    Seller("S03", "Piotr Zielinski", _iban("PL61 1090 1014 0000 0712 1981 2874", "Piotr Zielinski"), 12,
           ("8.00", "60.00")),
)  # fmt: skip
OF = {"acme": OF_ACME, "zenith": OF_ZENITH}


def draw_sales(sellers: tuple[Seller, ...]) -> list[DemoSale]:
    """Return the sales before the payout runs, drawn from a hash, so always the same."""
    return [_draw_sale(seller, nth) for seller in sellers for nth in range(seller.sales)]


def draw_new_sales(sellers: tuple[Seller, ...]) -> Iterator[DemoSale]:
    """Yield the sales after the payout runs: undecided, and without an advance."""
    for seller in sellers:
        for nth in range(0 if seller.outcome else NEW_SALES):
            yield _draw_sale(seller, seller.sales + nth, is_new=True)


def occurred_at(sale: DemoSale, now: datetime) -> datetime:
    """Return the moment of a sale, within the last weeks."""
    return now - timedelta(days=sale.days_ago, minutes=sale.minute)


def _draw_sale(seller: Seller, nth: int, *, is_new: bool = False) -> DemoSale:
    luck = int.from_bytes(sha256(f"{seller.name}/{nth}".encode()).digest()[:6], "big")
    least, most = (int(Decimal(amount) * 4) for amount in seller.earning)
    return DemoSale(
        seller,
        f"{seller.number}-{nth + 1:04}",
        BRANDS[luck % len(BRANDS)],
        # quarters, so that parts of them have to be rounded
        (Decimal(least + luck // 7 % (most - least + 1)) / 4).quantize(Decimal("0.01")),
        seller.other_currency if seller.other_currency and nth % 3 == 2 else None,
        days_ago=0 if is_new else 1 + luck // 11 % (7 * WEEKS),
        minute=1 + luck // 13 % 600,
        decided="" if is_new else seller.decided or _draw_decision(seller, nth, luck),
    )


def _draw_decision(seller: Seller, nth: int, luck: int) -> str:
    if seller.outcome == "paid" and seller.sales == 3:
        return ("declined", "approved", "approved")[nth]
    return "approved" if luck // 17 % 100 < 72 else "declined" if luck // 17 % 100 < 84 else ""
