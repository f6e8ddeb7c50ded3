"""The whole document, and the few things that whoever deploys has to say."""

from typing import Any

from infra.cloud import alarms, gateway, logging_in, mailing, queueing, running, spending, storing
from infra.cloud.naming import arn, physical, ref, sub

_SECRET = "{{resolve:secretsmanager:${DatabaseSecret}:SecretString:%s}}"  # noqa: S105 - where it is kept, not what it is

PARAMETERS: dict[str, Any] = {
    "AlarmTopic": {
        "Type": "String",
        "Description": "ARN of the SNS topic of alarms; CloudWatch and Budgets may publish",
    },
    "DatabaseSecret": {
        "Type": "String",
        "Description": "ARN of the secret whose key `application` is the application role's URL, by the proxy",
    },
    "MailDomain": {"Type": "String", "Description": "Mails are sent from payroll@ this domain"},
    "PublicUrl": {"Type": "String", "Description": "Where people reach the API; mails link to it"},
    "WebOrigins": {"Type": "CommaDelimitedList", "Description": "Origins of the browser applications, https://..."},
    "Subnets": {"Type": "List<AWS::EC2::Subnet::Id>", "Description": "Private subnets that reach database and AWS"},
    "SecurityGroups": {"Type": "List<AWS::EC2::SecurityGroup::Id>", "Description": "The functions' own"},
    "MonthlyBudget": {"Type": "Number", "MinValue": 1, "Description": "US dollars of the whole account"},
    "PayoutsEnabled": {
        "Type": "String",
        "AllowedValues": ["true", "false"],
        "Description": "false after a restore, until the providers' lists were matched",
    },
}


def merge_template(stage: str) -> dict[str, Any]:
    """This will make the document for `chalice package --merge-template`, for one stage (dev, prod)."""
    return {
        "Description": f"Wagebook, {stage}",
        "Parameters": PARAMETERS,
        "Globals": {
            "Function": {
                "Environment": {"Variables": _environment(stage)},
                "VpcConfig": {"SubnetIds": ref("Subnets"), "SecurityGroupIds": ref("SecurityGroups")},
            }
        },
        "Resources": {
            **queueing.resources(stage),
            **running.resources(stage),
            **storing.resources(stage),
            **mailing.resources(stage),
            **logging_in.resources(stage),
            **alarms.resources(stage),
            **spending.resources(stage),
            "RestAPI": {"Properties": {"DefinitionBody": gateway.definition(stage)}},
        },
        "Outputs": {
            "UserPoolId": {"Value": ref(logging_in.POOL)},
            "UserPoolClientId": {"Value": ref(logging_in.CLIENT)},
            "FilesBucketName": {"Value": ref(storing.FILES)},
        },
    }


def _environment(stage: str) -> dict[str, Any]:
    return {
        "APPLICATION_DATABASE_URL": sub(_SECRET % "application"),
        "QUEUE_PREFIX": physical(stage, ""),
        "FILES_BUCKET": ref(storing.FILES),
        "KMS_KEY_ID": arn(storing.VAULT_KEY),
        "MAIL_FROM": sub("payroll@${MailDomain}"),
        "MAIL_CONFIGURATION_SET": ref(mailing.CONFIGURATION_SET),
        "OIDC_ISSUER": sub(logging_in.ISSUER),
        "OIDC_AUDIENCE": ref(logging_in.CLIENT),
        "OIDC_JWKS_URL": sub(logging_in.ISSUER + "/.well-known/jwks.json"),
        "WAGEBOOK_URL": ref("PublicUrl"),
        "PAYOUTS_ENABLED": ref("PayoutsEnabled"),
    }
