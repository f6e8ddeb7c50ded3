"""Commands: platform admins who sign in with an e-mail address, so that no key has to be handed over."""

from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from chalicelib.identity.models import platform_admins
from chalicelib.kernel.errors import NotFound, invalid
from chalicelib.kernel.schema import Email
from chalicelib.operators import scopes
from chalicelib.operators.terminal import AsJson, clean, print_json, print_table

admins_app = typer.Typer(help="People who act for the platform: tenants, and nothing of theirs.", no_args_is_help=True)
_EMAIL = TypeAdapter(Email)

Address = Annotated[str, typer.Option(help="The verified address that they sign in with.")]


@admins_app.command("add")
def add_admin(
    email: Address, name: Annotated[str, typer.Option(help="Who they are.", callback=clean)], as_json: AsJson = False
) -> None:
    """Let somebody act for the platform with their login; again changes their name.

    Example: admins add --email dina@example.com --name Dina
    """
    try:
        address = _EMAIL.validate_python(email)
    except ValidationError:
        raise invalid("--email", f"{email!r} is no address such as dina@example.com") from None
    row = {"name": name, "email": address}
    with scopes.platform() as scope:
        statement = insert(platform_admins).values(row)
        scope.session.execute(
            statement.on_conflict_do_update(index_elements=["email"], set_={"name": statement.excluded.name}),
        )
    if as_json:
        print_json(row)
    else:
        typer.echo(f"{name} may act for the platform, signed in as {address}.")


@admins_app.command("list")
def list_admins(as_json: AsJson = False) -> None:
    """List who may act for the platform, by login or by key.

    Example: admins list
    """
    columns = platform_admins.c
    with scopes.platform() as scope:
        query = select(columns.name, columns.email, columns.key_hash.is_not(None).label("has_key")).order_by(
            columns.name
        )
        rows = [dict(row) for row in scope.session.execute(query).mappings()]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, columns=("name", "email", "has_key"), empty="There is none yet: see admins add --help.")


@admins_app.command("remove")
def remove_admin(email: Address) -> None:
    """Take it from somebody; their next request is refused.

    Example: admins remove --email dina@example.com
    """
    with scopes.platform() as scope:
        deleted = scope.session.execute(delete(platform_admins).where(platform_admins.c.email == email.lower()))
        if not deleted.rowcount:
            raise NotFound(f"Nobody acts for the platform as {email}.")
    typer.echo(f"{email} acts for the platform no more.")
