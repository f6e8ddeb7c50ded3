"""Sign-in: a Cognito user pool that only administrators add to, and the client of browser applications."""

from infra.deploy.cloud import Resources
from infra.deploy.cloud.naming import physical, ref
from infra.deploy.cloud.storage import STAYS

POOL = "UserPool"
CLIENT = "UserPoolClient"
ISSUER = "https://cognito-idp.${AWS::Region}.amazonaws.com/${UserPool}"


def resources(stage: str) -> Resources:
    """Return the pool and its client, which has no secret, as a browser could keep none."""
    return {
        POOL: {
            "Type": "AWS::Cognito::UserPool",
            **STAYS,
            "Properties": {
                "UserPoolName": physical(stage, "people"),
                "UsernameAttributes": ["email"],
                "AutoVerifiedAttributes": ["email"],
                "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
                "AccountRecoverySetting": {"RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]},
                "MfaConfiguration": "OPTIONAL",
                "EnabledMfas": ["SOFTWARE_TOKEN_MFA"],
                "Policies": {"PasswordPolicy": {"MinimumLength": 12, "TemporaryPasswordValidityDays": 7}},
                "DeletionProtection": "ACTIVE",
            },
        },
        CLIENT: {
            "Type": "AWS::Cognito::UserPoolClient",
            "Properties": {
                "UserPoolId": ref(POOL),
                "ClientName": physical(stage, "web"),
                "ExplicitAuthFlows": [
                    "ALLOW_ADMIN_USER_PASSWORD_AUTH",  # takes an AWS role as well, so it is for operators
                    "ALLOW_REFRESH_TOKEN_AUTH",
                    "ALLOW_USER_SRP_AUTH",
                ],
                "ReadAttributes": ["email", "email_verified"],
                "PreventUserExistenceErrors": "ENABLED",
                "EnableTokenRevocation": True,
                "IdTokenValidity": 60,
                "AccessTokenValidity": 60,
                "RefreshTokenValidity": 30,
                "TokenValidityUnits": {"IdToken": "minutes", "AccessToken": "minutes", "RefreshToken": "days"},
            },
        },
    }
