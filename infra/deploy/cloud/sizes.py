"""How large each stage is, read from the mapping `Sizes` of foundation.yaml."""

from __future__ import annotations

from dataclasses import dataclass

from infra.deploy.cloud.foundation import source


@dataclass(frozen=True, slots=True)
class Size:
    """The size of one stage; foundation.yaml says what each value means."""

    least_capacity: float  # ACU
    most_capacity: float  # ACU
    instances: int
    gateways: int
    backups_kept: int  # days
    protected: bool


SIZES = {
    stage: Size(
        least_capacity=size["LeastCapacity"],
        most_capacity=size["MostCapacity"],
        instances=size["Instances"],
        gateways=size["Gateways"],
        backups_kept=size["BackupsKept"],
        protected=size["Protected"],
    )
    for stage, size in source()["Mappings"]["Sizes"].items()
}
