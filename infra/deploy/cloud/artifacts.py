"""The bucket that packages are put into before they are deployed or run."""

from infra.deploy.cloud import Resources
from infra.deploy.cloud.naming import physical, sub
from infra.deploy.cloud.storage import PRIVATE, only_by_tls

ARTIFACTS = "ArtifactsBucket"
MADE = "made"  # what operators' commands leave for them to fetch: exports, so full of people's data
MADE_KEPT = 7  # days
OLD_KEPT = 90  # days; a deployment can be taken back that long


def resources(stage: str) -> Resources:
    """Make the bucket that packages are put into."""
    return {
        ARTIFACTS: {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketName": sub(physical(stage, "artifacts-${AWS::AccountId}")),
                **PRIVATE,
                "LifecycleConfiguration": {
                    "Rules": [
                        {
                            "Id": "what-operators-made",
                            "Status": "Enabled",
                            "Prefix": f"{MADE}/",
                            "ExpirationInDays": MADE_KEPT,
                            "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
                        },
                        {
                            "Id": "old-versions",
                            "Status": "Enabled",
                            "NoncurrentVersionExpiration": {"NoncurrentDays": OLD_KEPT},
                            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                        },
                    ]
                },
            },
        },
        f"{ARTIFACTS}Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": only_by_tls(ARTIFACTS)},
    }
