"""Every door in one table."""

from chalice import Blueprint

from chalicelib.features.console import routes as console_routes
from chalicelib.features.tenants import routes as tenants_routes

BLUEPRINTS: tuple[Blueprint, ...] = (
    console_routes.blueprint,
    tenants_routes.blueprint,
)
