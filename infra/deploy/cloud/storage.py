"""The bucket of files, and the KMS key of the vault (envelope encryption). Both survive the stack's deletion."""

from __future__ import annotations

from typing import Any

from infra.deploy.cloud import Resources
from infra.deploy.cloud.naming import arn, physical, ref, sub
from infra.deploy.cloud.queues import let_send, queue_id

FILES = "FilesBucket"
VAULT_KEY = "VaultKey"
UPLOADS = "uploads"  # the queue that S3 notifies of uploads
OLD_VERSIONS_KEPT = 30  # days: undoes a mistake, and is gone before an erasure has to be
STAYS = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
# Properties of every bucket of ours.
PRIVATE: dict[str, Any] = {
    "PublicAccessBlockConfiguration": {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    },
    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    "BucketEncryption": {
        "ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
        ]
    },
    "VersioningConfiguration": {"Status": "Enabled"},
}


def resources(stage: str) -> Resources:
    """Return the bucket, its policies and events, and the key that wraps tenants' data keys."""
    bucket = sub("arn:${AWS::Partition}:s3:::" + _bucket_name(stage))
    policy = f"{queue_id(UPLOADS)}Policy"
    return {
        FILES: {"Type": "AWS::S3::Bucket", "DependsOn": [policy], **STAYS, "Properties": _bucket(stage)},
        f"{FILES}Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": only_by_tls(FILES)},
        policy: let_send(queue_id(UPLOADS), "s3.amazonaws.com", [bucket]),
        VAULT_KEY: {
            "Type": "AWS::KMS::Key",
            **STAYS,
            "Properties": key_of_account("Wraps the data keys of tenants; without it no bank details open"),
        },
        f"{VAULT_KEY}Alias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": f"alias/{physical(stage, 'vault')}", "TargetKeyId": ref(VAULT_KEY)},
        },
    }


def _bucket_name(stage: str) -> str:
    return physical(stage, "files-${AWS::AccountId}")  # names of buckets are the whole world's


def _bucket(stage: str) -> dict[str, Any]:
    return {
        "BucketName": sub(_bucket_name(stage)),
        **PRIVATE,
        "LifecycleConfiguration": {
            "Rules": [
                {
                    "Id": "what-nobody-looked-at",  # the form that uploads sets the tag
                    "Status": "Enabled",
                    "TagFilters": [{"Key": "checked", "Value": "no"}],
                    "ExpirationInDays": 1,
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
                },
                {
                    "Id": "old-versions",
                    "Status": "Enabled",
                    "NoncurrentVersionExpiration": {"NoncurrentDays": OLD_VERSIONS_KEPT},
                    "ExpiredObjectDeleteMarker": True,
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                },
            ]
        },
        "CorsConfiguration": {"Fn::If": ["HasWebOrigins", _cors(), ref("AWS::NoValue")]},
        # Browsers upload by POST. The application's own writes are PUTs, which notify nobody.
        "NotificationConfiguration": {
            "QueueConfigurations": [{"Event": "s3:ObjectCreated:Post", "Queue": arn(queue_id(UPLOADS))}]
        },
    }


def _cors() -> dict[str, Any]:
    rule = {"AllowedMethods": ["POST"], "AllowedOrigins": ref("WebOrigins"), "AllowedHeaders": ["content-type"]}
    return {"CorsRules": [rule]}


def only_by_tls(bucket: str) -> dict[str, Any]:
    """Return a bucket policy that denies access without TLS."""
    return {
        "Bucket": ref(bucket),
        "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "OnlyByTls",
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "s3:*",
                    "Resource": [arn(bucket), sub(f"${{{bucket}.Arn}}/*")],
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                }
            ],
        },
    }


def key_of_account(description: str) -> dict[str, Any]:
    """Describe a key that the account's roles may use where their own policies say so."""
    return {
        "Description": description,
        "EnableKeyRotation": True,
        "PendingWindowInDays": 30,
        "KeyPolicy": {
            "Version": "2012-10-17",
            "Statement": [
                {  # in a key's own policy `*` is this key
                    "Sid": "Account",
                    "Effect": "Allow",
                    "Principal": {"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")},
                    "Action": "kms:*",
                    "Resource": "*",
                }
            ],
        },
    }
