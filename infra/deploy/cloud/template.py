"""The document that is merged into Chalice's template, and the parameters of a deployment."""

from typing import Any

from chalicelib.backing import log
from infra.deploy.cloud import (
    alarms,
    budgets,
    database_proxy,
    foundation,
    gateway,
    login,
    mail,
    operations,
    queues,
    runtime,
    storage,
)
from infra.deploy.cloud.naming import arn, imported, physical, ref, sub


def parameters(stage: str) -> dict[str, Any]:
    """Return the parameters: a deployment must name the domain of mails; the rest has defaults."""
    return {
        "MailDomain": {"Type": "String", "Description": "Mails are sent from payroll@ this domain"},
        "PublicUrl": {
            "Type": "String",
            "Default": "",
            "Description": "Where people reach the API; mails link to it, and carry no links where it is empty",
        },
        "WebOrigins": {
            "Type": "CommaDelimitedList",
            "Default": "",
            "Description": "Origins of browser applications that upload files, https://...; empty: none",
        },
        "MonthlyBudget": {
            "Type": "Number",
            "MinValue": 1,
            "Default": budgets.MONTHLY[stage],
            "Description": "US dollars of the whole account",
        },
        "Cell": {
            "Type": "String",
            "Default": "main",
            "AllowedPattern": "[a-z][a-z0-9-]*",
            "Description": "Which cell this stack is; tenants whose row names another are answered 421",
        },
        "PayoutsEnabled": {
            "Type": "String",
            "Default": "true",
            "AllowedValues": ["true", "false"],
            "Description": "false after a restore, until the providers' lists were matched",
        },
    }


def merge_template(stage: str) -> dict[str, Any]:
    """Make the document for `chalice package --merge-template`, for one stage (dev, prod)."""
    environment = _environment(stage)
    document = {
        "Description": f"Wagebook, {stage}",
        "Parameters": parameters(stage),
        "Conditions": {"HasWebOrigins": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", ref("WebOrigins")]}, ""]}]}},
        "Globals": {
            "Function": {
                "Environment": {"Variables": environment},
                "VpcConfig": {
                    "SubnetIds": [imported(stage, f"functions-subnet-{at + 1}") for at in range(foundation.ZONES)],
                    "SecurityGroupIds": [imported(stage, "functions-group")],
                },
            }
        },
        "Resources": {
            **queues.resources(stage),
            **runtime.resources(stage),
            **storage.resources(stage),
            **mail.resources(stage),
            **login.resources(stage),
            **alarms.resources(stage),
            **budgets.resources(stage),
            **operations.operate(stage, environment),
            "RestAPI": {"Properties": gateway.properties(stage)},
        },
        "Outputs": {
            "UserPoolId": {"Value": ref(login.POOL)},
            "UserPoolClientId": {"Value": ref(login.CLIENT)},
            "FilesBucketName": {"Value": ref(storage.FILES)},
            "OperateProject": {"Value": ref("Operate")},
            **mail.outputs(),
        },
    }
    return dict(_from_below(stage, document))


def _from_below(stage: str, value: Any) -> Any:
    """Import the topic of alarms, which is the foundation's, wherever a resource refers to it."""
    if value == ref(foundation.TOPIC):
        return imported(stage, "alarm-topic")
    if isinstance(value, dict):
        return {name: _from_below(stage, value) for name, value in value.items()}
    return [_from_below(stage, one) for one in value] if isinstance(value, list) else value


def _environment(stage: str) -> dict[str, Any]:
    return {
        "APPLICATION_DATABASE_URL": database_proxy.url(imported(stage, "proxy-endpoint")),
        "DATABASE_PROXY": "true",
        "CELL": ref("Cell"),
        "QUEUE_PREFIX": physical(stage, ""),
        "FILES_BUCKET": ref(storage.FILES),
        "KMS_KEY_ID": arn(storage.VAULT_KEY),
        "MAIL_FROM": sub("payroll@${MailDomain}"),
        "MAIL_CONFIGURATION_SET": ref(mail.CONFIGURATION_SET),
        "OIDC_ISSUER": sub(login.ISSUER),
        "OIDC_AUDIENCE": ref(login.CLIENT),
        "OIDC_JWKS_URL": sub(login.ISSUER + "/.well-known/jwks.json"),
        "WAGEBOOK_URL": ref("PublicUrl"),
        "PAYOUTS_ENABLED": ref("PayoutsEnabled"),
        log.NAMESPACE: alarms.our_metrics(stage),
    }
