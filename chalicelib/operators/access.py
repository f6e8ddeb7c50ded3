"""Commands: tenants and their API keys."""

import secrets
from typing import Annotated

import typer
from sqlalchemy import delete, insert, select, text

from chalicelib.features.tenants import actions
from chalicelib.features.tenants.schemas import NewApiKey, NewTenant, TenantPatch, TenantRole
from chalicelib.identity import keys
from chalicelib.identity.models import platform_admins, tenants
from chalicelib.identity.permissions import Role
from chalicelib.kernel.errors import NotFound, invalid
from chalicelib.operators import scopes
from chalicelib.operators.terminal import AsJson, clean, print_json, print_table

tenants_app = typer.Typer(help="Tenants: make one, list them.", no_args_is_help=True)
keys_app = typer.Typer(help="API keys, each shown once.", no_args_is_help=True)

LISTED = ("slug", "name", "currency", "timezone", "weekend", "week_start", "cycle_start_day", "status", "cell", "id")
ROLES_OF_A_USER = (Role.MANAGER, Role.EMPLOYEE)


@tenants_app.command("create")
def create_tenant(
    name: Annotated[str, typer.Option(help="What people call it.")],
    slug: Annotated[str, typer.Option(help="The short word that callers choose it by: a-z, 0-9 and -.")],
    currency: Annotated[str, typer.Option(help="ISO 4217, such as BDT.")],
    timezone: Annotated[str, typer.Option(help="IANA name, such as Asia/Dhaka.")],
    weekend: Annotated[str, typer.Option(help="Weekly days off, 1 = Monday .. 7 = Sunday.")] = "6,7",
    cycle_start_day: Annotated[int, typer.Option(help="First day of the pay period, 1 to 28.")] = 1,
    week_start: Annotated[int, typer.Option(help="First day of the pay week, 1 = Monday .. 7 = Sunday.")] = 6,
    admin_email: Annotated[
        str | None, typer.Option(help="Who administers it once signed in with this address; nobody needs a key.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a tenant.

    Example: tenants create --name "Acme Garments" --slug acme --currency BDT --timezone Asia/Dhaka --weekend 5,6
    """
    new = NewTenant(
        name=name,
        slug=slug,
        currency=currency,
        timezone=timezone,
        weekend=_parse_weekdays(weekend),
        cycle_start_day=cycle_start_day,
        admin_email=admin_email,
    )
    patch = TenantPatch(week_start=week_start)
    with scopes.platform() as scope:
        created = actions.make_tenant(scope, new=new)
    if week_start != created.week_start:
        with scopes.operating(created.id) as tenant_scope:
            created = actions.change_settings(tenant_scope, patch=patch.sent_fields(), if_match=None)
    row = {name: getattr(created, name) for name in LISTED}
    if as_json:
        print_json(row)
    else:
        next_step = (
            f"{new.admin_email} administers it, signed in."
            if admin_email
            else (f"A key for its admin: api-keys create --tenant {slug} --role tenant_admin")
        )
        typer.echo(f"Made {slug}. {next_step}")


@tenants_app.command("list")
def list_tenants(as_json: AsJson = False) -> None:
    """List all tenants with their calendars.

    Example: tenants list --json
    """
    with scopes.platform() as scope:
        query = select(*(tenants.c[name] for name in LISTED)).order_by(tenants.c.slug)
        rows = [dict(row) for row in scope.session.execute(query).mappings()]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, columns=LISTED, empty="There is no tenant yet: see tenants create --help, or demo load.")


@keys_app.command("create")
def create_key(
    role: Annotated[Role, typer.Option(help="What the key may do. platform_admin has no tenant.")],
    tenant: Annotated[str | None, typer.Option(help="The tenant's slug.")] = None,
    user_email: Annotated[str | None, typer.Option(help="The person that the key acts for.")] = None,
    name: Annotated[
        str | None, typer.Option(help="What the key is for, unique in the tenant; left out, one is made up.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make an API key and print it, this once; only its hash is kept.

    Example: api-keys create --tenant acme --role employee --user-email rahim.uddin@acme.example
    """
    if role is Role.PLATFORM_ADMIN:
        if tenant or user_email:
            raise invalid("--role", "a platform admin belongs to no tenant and is nobody who is paid")
        key = make_platform_key(clean(name or "from the command line"))
    else:
        if tenant is None:
            raise invalid("--tenant", f"a key for the role {role} belongs to a tenant; name it")
        if role in ROLES_OF_A_USER and user_email is None:
            typer.secho(f"Without --user-email a key for the role {role} reaches nobody.", err=True, fg="yellow")
        # its name stands in the audit, and two keys of one name would look like one actor there
        key = _make_key(tenant, role, user_email, name or f"{role} key {secrets.token_hex(4)}")
    if as_json:
        print_json({"tenant": tenant, "role": role, "user_email": user_email, "key": key})
    else:
        typer.echo(key)


def make_platform_key(name: str, *, replace: bool = False) -> str:
    """Create a platform admin with a key; with `replace`, delete those of the same name first."""
    key = keys.make(None)
    with scopes.platform() as scope:
        if replace:
            scope.session.execute(delete(platform_admins).where(platform_admins.c.name == name))
        scope.session.execute(insert(platform_admins).values(name=name, key_hash=keys.digest(key)))
    return key


def _make_key(slug: str, role: TenantRole, user_email: str | None, name: str) -> str:
    """Create a tenant's API key, for the user with this e-mail address if there is one. Raises NotFound."""
    with scopes.operating(scopes.get_tenant_id(slug)) as scope:
        user_id = None
        if user_email is not None:
            user_id = scope.session.execute(
                text("select id from users where tenant_id = :tenant_id and email = lower(:email)"),
                {"tenant_id": scope.tenant_id, "email": user_email},
            ).scalar_one_or_none()
            if user_id is None:
                raise NotFound(f"Nobody in {slug} has the e-mail address {user_email}.")
        created = actions.make_api_key(scope, new=NewApiKey(name=name, role=role, user_id=user_id))
    return created.key


def _parse_weekdays(value: str) -> list[int]:
    try:
        return [int(day) for day in value.split(",") if day.strip()]
    except ValueError:
        raise invalid("--weekend", f"{value!r} is not a list of days such as 5,6") from None
