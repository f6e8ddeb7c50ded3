"""How large each stage is: what differs between trying things and paying people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """What one stage is given."""

    least_capacity: float  # of Aurora, in ACU: about 2 GiB of memory each, with CPU to match; paid for all day
    most_capacity: float  # paid for while it is used
    instances: int  # the second stands ready in another zone
    gateways: int  # for traffic to the internet; with fewer than zones, a zone's loss may be everybody's
    backups_kept: int  # days; any second of them can be restored
    protected: bool  # against being deleted
    budget: int  # US dollars a month of the whole account, unless said otherwise


SIZES = {
    "dev": Size(
        least_capacity=0.5, most_capacity=8, instances=1, gateways=1, backups_kept=7, protected=False, budget=300
    ),
    "prod": Size(
        least_capacity=2, most_capacity=32, instances=2, gateways=2, backups_kept=35, protected=True, budget=2000
    ),
}
