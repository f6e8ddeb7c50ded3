"""Settings from the environment; on a developer's machine, from the stack that `make run` started."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between a laptop, a test and AWS."""

    database_url: str
    database_is_a_proxy: bool  # RDS Proxy: tokens instead of passwords, and no prepared statements
    migration_database_url: str
    oidc_issuer: str
    oidc_audience: str
    oidc_jwks_url: str
    files_bucket: str
    kms_key_id: str
    local_vault_key: str
    scanner: str  # virus scanner of uploads; a name in backing.scanner
    webhooks_local: bool  # webhooks may go to this machine, over http, at any port; never in Lambda
    public_url: str  # of the API, for links in mails; empty: mails have no links
    mail_from: str
    mail_configuration_set: str  # of SES, which reports bounces; empty: none
    cell: str  # the cell that this process serves (backing.cells)
    payouts_enabled: bool  # for all tenants; off after a restore, until the provider's list was matched


def home() -> Path:
    """Return the folder where the local stack keeps its data, outside the project."""
    return Path(os.environ.get("WAGEBOOK_HOME") or Path.home() / ".wagebook").expanduser()


@cache
def settings() -> Settings:
    """Read the settings once. Raises RuntimeError, with the remedy, if no database is set."""
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        _read_stack(home() / "stack.env")
    if "APPLICATION_DATABASE_URL" not in os.environ:
        raise RuntimeError(
            "No database is known: start the local stack with `make run` (same WAGEBOOK_HOME),"
            " or set APPLICATION_DATABASE_URL."
        )
    return Settings(
        database_url=os.environ["APPLICATION_DATABASE_URL"],
        database_is_a_proxy=os.environ.get("DATABASE_PROXY", "").lower() == "true",
        migration_database_url=os.environ.get("MIGRATION_DATABASE_URL", ""),
        oidc_issuer=os.environ.get("OIDC_ISSUER", ""),
        oidc_audience=os.environ.get("OIDC_AUDIENCE", ""),
        oidc_jwks_url=os.environ.get("OIDC_JWKS_URL", ""),
        files_bucket=os.environ.get("FILES_BUCKET", ""),
        kms_key_id=os.environ.get("KMS_KEY_ID", ""),
        local_vault_key=os.environ.get("LOCAL_VAULT_KEY", ""),
        scanner=os.environ.get("SCANNER", "none"),
        webhooks_local=(
            os.environ.get("WEBHOOKS_LOCAL", "").lower() == "true" and "AWS_LAMBDA_FUNCTION_NAME" not in os.environ
        ),
        public_url=os.environ.get("WAGEBOOK_URL", "").rstrip("/"),
        mail_from=os.environ.get("MAIL_FROM", ""),
        mail_configuration_set=os.environ.get("MAIL_CONFIGURATION_SET", ""),
        cell=os.environ.get("CELL") or "main",
        payouts_enabled=os.environ.get("PAYOUTS_ENABLED", "true").lower() != "false",
    )


def _read_stack(file: Path) -> None:
    """Read the file of `make run` into the environment, which has precedence over it."""
    if not file.is_file():
        return
    for line in file.read_text().splitlines():
        name, separator, value = line.partition("=")
        if separator:
            os.environ.setdefault(name.strip(), value.strip())
