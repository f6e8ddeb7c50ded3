"""Every door in one table."""

from chalice import Blueprint

from chalicelib.features.adjustments import routes as adjustments_routes
from chalicelib.features.attendance.imports import routes as attendance_import_routes
from chalicelib.features.attendance.records import routes as attendance_routes
from chalicelib.features.attendance.requests import routes as attendance_request_routes
from chalicelib.features.balances import routes as balances_routes
from chalicelib.features.console import routes as console_routes
from chalicelib.features.console import schedules as console_schedules
from chalicelib.features.forms.attachments import consumers as forms_attachment_consumers
from chalicelib.features.forms.attachments import routes as forms_attachment_routes
from chalicelib.features.forms.attachments import schedules as forms_attachment_schedules
from chalicelib.features.forms.definitions import routes as forms_routes
from chalicelib.features.forms.submissions import routes as forms_submission_routes
from chalicelib.features.kpis.assignments import routes as kpis_assignment_routes
from chalicelib.features.kpis.definitions import routes as kpis_definition_routes
from chalicelib.features.kpis.scores import nightly_job as kpis_nightly_job
from chalicelib.features.leave.allocations import routes as leave_allocation_routes
from chalicelib.features.leave.expiry import nightly_job as leave_expiry_nightly_job
from chalicelib.features.leave.expiry import routes as leave_expiry_routes
from chalicelib.features.leave.requests import routes as leave_request_routes
from chalicelib.features.leave.types import routes as leave_routes
from chalicelib.features.pay_register import consumers as pay_register_consumers
from chalicelib.features.pay_register import nightly_job as pay_register_nightly_job
from chalicelib.features.pay_register import routes as pay_register_routes
from chalicelib.features.payouts.batches import routes as payouts_batch_routes
from chalicelib.features.payouts.payables import employee_routes as payouts_person_routes
from chalicelib.features.payouts.payables import routes as payouts_payable_routes
from chalicelib.features.payouts.runs import consumers as payouts_consumers
from chalicelib.features.payouts.runs import routes as payouts_routes
from chalicelib.features.payouts.runs import schedules as payouts_schedules
from chalicelib.features.payroll.approval import consumers as payroll_approval_consumers
from chalicelib.features.payroll.approval import routes as payroll_approval_routes
from chalicelib.features.payroll.components import routes as payroll_type_routes
from chalicelib.features.payroll.documents import consumers as payroll_document_consumers
from chalicelib.features.payroll.documents import routes as payroll_document_routes
from chalicelib.features.payroll.payments import consumers as payroll_payment_consumers
from chalicelib.features.payroll.payments import routes as payroll_payment_routes
from chalicelib.features.payroll.runs import consumers as payroll_consumers
from chalicelib.features.payroll.runs import routes as payroll_run_routes
from chalicelib.features.people.calendar import routes as people_calendar_routes
from chalicelib.features.people.destinations import routes as people_destination_routes
from chalicelib.features.people.organisation import routes as people_organisation_routes
from chalicelib.features.people.rosters import routes as people_roster_routes
from chalicelib.features.people.users import routes as people_routes
from chalicelib.features.sales import import_routes as sales_import_routes
from chalicelib.features.sales import routes as sales_routes
from chalicelib.features.tenants import routes as tenants_routes
from chalicelib.features.webhooks import consumers as webhooks_consumers
from chalicelib.features.webhooks import routes as webhooks_routes
from chalicelib.features.webhooks import schedules as webhooks_schedules
from chalicelib.notifications import consumers as notifications_consumers
from chalicelib.notifications import routes as notifications_routes
from chalicelib.notifications import schedules as notifications_schedules

BLUEPRINTS: tuple[Blueprint, ...] = (
    adjustments_routes.blueprint,
    attendance_import_routes.blueprint,
    attendance_request_routes.blueprint,
    attendance_routes.blueprint,
    balances_routes.blueprint,
    console_routes.blueprint,
    console_schedules.blueprint,
    forms_attachment_consumers.blueprint,
    forms_attachment_routes.blueprint,
    forms_attachment_schedules.blueprint,
    forms_routes.blueprint,
    forms_submission_routes.blueprint,
    kpis_assignment_routes.blueprint,
    kpis_definition_routes.blueprint,
    kpis_nightly_job.blueprint,
    leave_allocation_routes.blueprint,
    leave_expiry_nightly_job.blueprint,
    leave_expiry_routes.blueprint,
    leave_request_routes.blueprint,
    leave_routes.blueprint,
    notifications_consumers.blueprint,
    notifications_routes.blueprint,
    notifications_schedules.blueprint,
    pay_register_consumers.blueprint,
    pay_register_nightly_job.blueprint,
    pay_register_routes.blueprint,
    payouts_batch_routes.blueprint,
    payouts_consumers.blueprint,
    payouts_payable_routes.blueprint,
    payouts_person_routes.blueprint,
    payouts_routes.blueprint,
    payouts_schedules.blueprint,
    payroll_approval_consumers.blueprint,
    payroll_approval_routes.blueprint,
    payroll_type_routes.blueprint,
    payroll_consumers.blueprint,
    payroll_payment_consumers.blueprint,
    payroll_payment_routes.blueprint,
    payroll_run_routes.blueprint,
    payroll_document_consumers.blueprint,
    payroll_document_routes.blueprint,
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
