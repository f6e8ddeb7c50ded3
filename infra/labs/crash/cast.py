"""The tenant of a simulation with its employees and keys, drawn by the seed and written in one statement."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from chalicelib.backing.database import statement
from chalicelib.identity import keys
from chalicelib.kernel.money import MINOR_UNITS
from infra.labs.crash.world import World

# Ada and Bo enter and decide sales and start runs; Cy does not, and so may approve what is held (four eyes).
ADMINS = ("Ada", "Bo", "Cy")

_CREATE = statement(__file__, "tenant")


@dataclass(frozen=True)
class Tenant:
    """The tenant of a simulation, as its invariants know it."""

    id: UUID
    currency: str
    rate: Decimal
    minimum: Decimal
    approval_above: Decimal | None
    people: tuple[UUID, ...]
    keys: dict[str, str]

    def advance_of(self, earning: Decimal, currency: str) -> Decimal:
        """Return the advance of a pending sale: the earning times the rate, rounded down."""
        units = Decimal(1).scaleb(-MINOR_UNITS[currency])
        return (earning * self.rate // units) * units


def draw_earning(rng: Random, currency: str) -> Decimal:
    """Draw an amount with as many decimals as the currency has."""
    return Decimal(rng.choice((3, 9, 10, 999, 4_000, 4_001, 123_457))).scaleb(-MINOR_UNITS[currency])


def create_tenant(world: World, rng: Random, name: str, *, people: int | None = None) -> Tenant:
    """Draw a tenant and write it, with its employees and API keys."""
    tenant_id = UUID(int=rng.getrandbits(128), version=4)
    currency = rng.choice(("BDT", "BDT", "JPY", "KWD"))
    minor_unit = Decimal(1).scaleb(-MINOR_UNITS[currency])
    rate = rng.choice((Decimal("0.10"), Decimal("0.10"), Decimal("0.333333"), Decimal(0), Decimal(1)))
    minimum = rng.choice((Decimal(0), Decimal(0), Decimal(0), 50 * minor_unit))
    approval = rng.choice((None, None, None, 1_000 * minor_unit)) if people is None else None
    tenant = Tenant(
        tenant_id,
        currency,
        rate,
        minimum,
        approval,
        tuple(sorted(UUID(int=rng.getrandbits(128), version=4) for _ in range(people or rng.choice((1, 2, 2, 3))))),
        {admin: f"wbk_{tenant_id.hex}_{rng.getrandbits(128):032x}" for admin in ADMINS},
    )
    policy: dict[str, Any] = {"advance_rate": str(rate), "minimum_payout": str(minimum)}
    # null is explicit, as the default is a limit: in most simulations no payout has to be approved
    policy["payout_approval_above"] = None if approval is None else str(approval)
    world.admin.execute(
        _CREATE.encode(),
        {
            "id": tenant_id,
            "slug": f"{name.lower()}-{tenant_id.hex[:12]}",
            "name": name,
            "currency": currency,
            "policy": json.dumps(policy),
            "people": list(tenant.people),
            "names": list(tenant.keys),
            "hashes": [keys.digest(key) for key in tenant.keys.values()],
        },
        prepare=True,
    )
    return tenant
