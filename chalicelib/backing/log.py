"""Structured logs and metrics, as CloudWatch reads them. Never a salary, a key or a token."""

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

logger = Logger(service="wagebook", utc=True)
# Powertools' own name for it. It carries the stage, so that two stages in one account do not mix.
NAMESPACE = "POWERTOOLS_METRICS_NAMESPACE"


def count(name: str, value: int = 1, **dimensions: str) -> None:
    """Write one counter in CloudWatch's embedded metric format."""
    _measure(name, MetricUnit.Count, value, dimensions)


def duration(name: str, milliseconds: float, **dimensions: str) -> None:
    """Write one duration in CloudWatch's embedded metric format."""
    _measure(name, MetricUnit.Milliseconds, milliseconds, dimensions)


def _measure(name: str, unit: MetricUnit, value: Any, dimensions: dict[str, str]) -> None:
    namespace = os.environ.get(NAMESPACE, "Wagebook")
    with single_metric(name=name, unit=unit, value=value, namespace=namespace) as metric:
        for key, dimension in dimensions.items():
            metric.add_dimension(name=key, value=dimension)
