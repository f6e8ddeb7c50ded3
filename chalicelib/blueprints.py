"""Every door in one table."""

from chalice import Blueprint

from chalicelib.features.attendance import import_routes as attendance_import_routes
from chalicelib.features.attendance import request_routes as attendance_request_routes
from chalicelib.features.attendance import routes as attendance_routes
from chalicelib.features.balances import routes as balances_routes
from chalicelib.features.console import routes as console_routes
from chalicelib.features.console import schedules as console_schedules
from chalicelib.features.leave import routes as leave_routes
from chalicelib.features.pay_register import consumers as pay_register_consumers
from chalicelib.features.pay_register import routes as pay_register_routes
from chalicelib.features.pay_register import schedules as pay_register_schedules
from chalicelib.features.payouts import batch_routes as payouts_batch_routes
from chalicelib.features.payouts import consumers as payouts_consumers
from chalicelib.features.payouts import person_routes as payouts_person_routes
from chalicelib.features.payouts import routes as payouts_routes
from chalicelib.features.payouts import schedules as payouts_schedules
from chalicelib.features.people import calendar_routes as people_calendar_routes
from chalicelib.features.people import destination_routes as people_destination_routes
from chalicelib.features.people import organisation_routes as people_organisation_routes
from chalicelib.features.people import roster_routes as people_roster_routes
from chalicelib.features.people import routes as people_routes
from chalicelib.features.sales import import_routes as sales_import_routes
from chalicelib.features.sales import routes as sales_routes
from chalicelib.features.tenants import routes as tenants_routes
from chalicelib.features.webhooks import consumers as webhooks_consumers
from chalicelib.features.webhooks import routes as webhooks_routes
from chalicelib.features.webhooks import schedules as webhooks_schedules

BLUEPRINTS: tuple[Blueprint, ...] = (
    attendance_import_routes.blueprint,
    attendance_request_routes.blueprint,
    attendance_routes.blueprint,
    balances_routes.blueprint,
    console_routes.blueprint,
    console_schedules.blueprint,
    leave_routes.blueprint,
    pay_register_consumers.blueprint,
    pay_register_routes.blueprint,
    pay_register_schedules.blueprint,
    payouts_batch_routes.blueprint,
    payouts_consumers.blueprint,
    payouts_person_routes.blueprint,
    payouts_routes.blueprint,
    payouts_schedules.blueprint,
    people_calendar_routes.blueprint,
    people_destination_routes.blueprint,
    people_organisation_routes.blueprint,
    people_roster_routes.blueprint,
    people_routes.blueprint,
    sales_import_routes.blueprint,
    sales_routes.blueprint,
    tenants_routes.blueprint,
    webhooks_consumers.blueprint,
    webhooks_routes.blueprint,
    webhooks_schedules.blueprint,
)
