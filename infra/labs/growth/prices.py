"""The price list: US dollars in eu-central-1 (Frankfurt), without taxes, free tiers, discounts and volume tiers.

AWS's own pages show prices by script and could not be read here. `seen` says where a figure comes from instead:
FRANKFURT, somebody's public copy of this region's price list of 2026; ELSEWHERE, such a copy for another region;
RECALLED, not looked up at all. Look all of them up on the page named before money depends on them.
"""

from dataclasses import dataclass
from typing import Literal

REGION, AS_OF = "eu-central-1", "2026-11"
Seen = Literal["FRANKFURT", "ELSEWHERE", "RECALLED"]


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit costs, and the page that says so."""

    dollars: float
    unit: str
    page: str
    seen: Seen


_AURORA = "aws.amazon.com/rds/aurora/pricing"
_CLOUDWATCH = "aws.amazon.com/cloudwatch/pricing"

PRICES = {
    "acu_hour": Price(0.14, "ACU-hour, Aurora Standard", _AURORA, "FRANKFURT"),
    "acu_hour_optimized": Price(0.19, "ACU-hour, I/O-Optimized", _AURORA, "ELSEWHERE"),
    "storage": Price(0.119, "GB-month, Aurora Standard", _AURORA, "FRANKFURT"),
    "storage_optimized": Price(0.268, "GB-month, I/O-Optimized", _AURORA, "RECALLED"),
    "io": Price(0.22, "million requests, Aurora Standard", _AURORA, "FRANKFURT"),
    "backup": Price(0.022, "GB-month over the free share", _AURORA, "ELSEWHERE"),
    "proxy": Price(0.015, "ACU-hour, of 8 ACU at least", "aws.amazon.com/rds/proxy/pricing", "ELSEWHERE"),
    "nat_hour": Price(0.052, "hour of a NAT gateway", "aws.amazon.com/vpc/pricing", "FRANKFURT"),
    "nat_gb": Price(0.052, "GB through a NAT gateway", "aws.amazon.com/vpc/pricing", "RECALLED"),
    "gb_second": Price(0.0000166667, "GB-second of Lambda, x86", "aws.amazon.com/lambda/pricing", "FRANKFURT"),
    "invocation": Price(0.20, "million calls of Lambda", "aws.amazon.com/lambda/pricing", "FRANKFURT"),
    "request": Price(3.70, "million REST requests", "aws.amazon.com/api-gateway/pricing", "FRANKFURT"),
    "sqs": Price(0.40, "million requests, standard queues", "aws.amazon.com/sqs/pricing", "ELSEWHERE"),
    "mail": Price(0.10, "thousand mails", "aws.amazon.com/ses/pricing", "RECALLED"),
    "s3_gb": Price(0.0245, "GB-month, Standard", "aws.amazon.com/s3/pricing", "FRANKFURT"),
    "s3_put": Price(0.0054, "thousand PUT requests", "aws.amazon.com/s3/pricing", "RECALLED"),
    "transfer": Price(0.09, "GB to the internet", "aws.amazon.com/ec2/pricing/on-demand", "FRANKFURT"),
    "key": Price(1.00, "key and month of KMS", "aws.amazon.com/kms/pricing", "RECALLED"),
    "key_call": Price(0.03, "ten thousand calls of KMS", "aws.amazon.com/kms/pricing", "RECALLED"),
    "secret": Price(0.40, "secret and month", "aws.amazon.com/secrets-manager/pricing", "ELSEWHERE"),
    "logs": Price(0.63, "GB of logs taken in", _CLOUDWATCH, "FRANKFURT"),
    "alarm": Price(0.10, "alarm and month", _CLOUDWATCH, "RECALLED"),
    "metric": Price(0.30, "own metric and month", _CLOUDWATCH, "RECALLED"),
}
