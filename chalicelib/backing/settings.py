"""Settings come from the environment; on a developer's machine, from the stack that `make run` started."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between a laptop, a test and AWS."""

    database_url: str
    migration_database_url: str
    oidc_issuer: str
    oidc_audience: str
    oidc_jwks_url: str


def home() -> Path:
    """This will name the folder where the local stack keeps its data, outside the project."""
    return Path(os.environ.get("WAGEBOOK_HOME") or Path.home() / ".wagebook").expanduser()


@cache
def settings() -> Settings:
    """This will read the settings once; a missing database is said with its remedy."""
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        _read_stack(home() / "stack.env")
    if "APPLICATION_DATABASE_URL" not in os.environ:
        raise RuntimeError(
            "No database is known: start the local stack with `make run` (same WAGEBOOK_HOME),"
            " or set APPLICATION_DATABASE_URL."
        )
    return Settings(
        database_url=os.environ["APPLICATION_DATABASE_URL"],
        migration_database_url=os.environ.get("MIGRATION_DATABASE_URL", ""),
        oidc_issuer=os.environ.get("OIDC_ISSUER", ""),
        oidc_audience=os.environ.get("OIDC_AUDIENCE", ""),
        oidc_jwks_url=os.environ.get("OIDC_JWKS_URL", ""),
    )


def _read_stack(file: Path) -> None:
    # What the caller's own environment says wins over the file.
    if not file.is_file():
        return
    for line in file.read_text().splitlines():
        name, found, value = line.partition("=")
        if found:
            os.environ.setdefault(name.strip(), value.strip())
