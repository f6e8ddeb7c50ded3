"""Every route, schedule and consumer in one table; importing this module registers what the table names.

A line has its columns two or more spaces apart, the last is the function: its module below `chalicelib.features`, or
`notifications`, which lies beside the features. The decorator at the function (@endpoint, @scheduled, @consumes) says
the rest: body, query, reply. tests/architecture/test_route_table.py holds this table against the decorators in both
directions. In Lambda the API does not import it: entry/lazy_loading.py.
"""

import re
from importlib import import_module
from typing import NamedTuple

from chalice import Blueprint

# method, path, permission of the caller (-: open to all), function
_ROUTES = """
GET     /payroll-adjustments                            adjustments.read        adjustments.routes.list_adjustments
POST    /payroll-adjustments                            adjustments.write       adjustments.routes.add_adjustment

POST    /attendance/import                              attendance.write        attendance.imports.routes.import_attendance
POST    /users/{user_id}/checkin                        attendance.punch        attendance.records.routes.check_in
PATCH   /users/{user_id}/checkout                       attendance.punch        attendance.records.routes.check_out
GET     /users/{user_id}/attendance                     attendance.read         attendance.records.routes.list_attendance
PUT     /users/{user_id}/attendance/{date}              attendance.write        attendance.records.routes.correct_attendance
DELETE  /users/{user_id}/attendance/{date}              attendance.write        attendance.records.routes.remove_attendance
GET     /on-duty                                        requests.read           attendance.requests.routes.list_on_duty
POST    /on-duty                                        requests.write          attendance.requests.routes.ask_for_on_duty
PATCH   /on-duty/{request_id}                           requests.decide         attendance.requests.routes.decide_on_duty
GET     /overtime                                       requests.read           attendance.requests.routes.list_overtime
POST    /overtime                                       requests.write          attendance.requests.routes.ask_for_overtime
PATCH   /overtime/{request_id}                          requests.decide         attendance.requests.routes.decide_overtime

GET     /balances/{month}                               balances.read           balances.routes.list_balances

GET     /health                                         -                       console.routes.get_health
GET     /openapi.json                                   -                       console.routes.get_openapi
GET     /docs                                           -                       console.routes.get_docs
GET     /jobs                                           jobs.read               console.routes.list_jobs
GET     /jobs/{job_id}                                  jobs.read               console.routes.get_job
GET     /audit-logs                                     audit.read              console.routes.list_audit_logs

POST    /forms/{form_id}/attachments                    forms.submit            forms.attachments.routes.announce_attachment
GET     /forms/attachments/{attachment_id}              form_submissions.read   forms.attachments.routes.get_attachment
GET     /forms                                          forms.read              forms.definitions.routes.list_forms
POST    /forms                                          forms.design            forms.definitions.routes.add_form
GET     /forms/{form_id}                                forms.read              forms.definitions.routes.get_form
PATCH   /forms/{form_id}                                forms.design            forms.definitions.routes.change_form
POST    /forms/{form_id}/submit                         forms.submit            forms.submissions.routes.submit
GET     /forms/{form_id}/submissions                    form_submissions.read   forms.submissions.routes.list_submissions
GET     /forms/{form_id}/submissions/export             form_submissions.read   forms.submissions.routes.export_submissions
GET     /forms/submissions/{submission_id}              form_submissions.read   forms.submissions.routes.get_submission
PATCH   /forms/submissions/{submission_id}              forms.review            forms.submissions.routes.change_submission

GET     /kpi-assignments                                kpis.read               kpis.assignments.routes.list_assignments
POST    /kpi-assignments                                kpis.assign             kpis.assignments.routes.assign
POST    /kpi-assignments/{assignment_id}/value          kpis.score              kpis.assignments.routes.enter_value
POST    /kpi-assignments/{assignment_id}/override       kpis.score              kpis.assignments.routes.override_value
DELETE  /kpi-assignments/{assignment_id}                kpis.assign             kpis.assignments.routes.take_back
GET     /kpi-scores                                     kpis.read               kpis.assignments.routes.list_scores
GET     /kpi-definitions                                kpis.read               kpis.definitions.routes.list_definitions
POST    /kpi-definitions                                kpis.define             kpis.definitions.routes.add_definition
POST    /kpi-definitions/preview                        kpis.define             kpis.definitions.routes.preview_definition
GET     /kpi-definitions/{definition_id}                kpis.read               kpis.definitions.routes.get_definition
PATCH   /kpi-definitions/{definition_id}                kpis.define             kpis.definitions.routes.change_definition

GET     /leave-allocations                              leave.read              leave.allocations.routes.list_allocations
POST    /leave-allocations                              leave.allocate          leave.allocations.routes.allocate
POST    /leave-allocations/bulk                         leave.allocate          leave.allocations.routes.allocate_many
GET     /leave-allocations/{allocation_id}              leave.read              leave.allocations.routes.get_allocation
PATCH   /leave-allocations/{allocation_id}              leave.allocate          leave.allocations.routes.correct_allocation
GET     /users/{user_id}/leave-balances                 leave.read              leave.allocations.routes.get_balances
GET     /leave-expiry-rules                             organisation.read       leave.expiry.routes.list_expiry_rules
POST    /leave-expiry-rules                             organisation.write      leave.expiry.routes.add_expiry_rule
GET     /leave-expiry-rules/{rule_id}                   organisation.read       leave.expiry.routes.get_expiry_rule
PATCH   /leave-expiry-rules/{rule_id}                   organisation.write      leave.expiry.routes.change_expiry_rule
POST    /leave-expiry/run                               leave.expire            leave.expiry.routes.run_expiry
GET     /leave-requests                                 leave.read              leave.requests.routes.list_leave_requests
POST    /leave-requests                                 leave.write             leave.requests.routes.ask_for_leave
GET     /leave-requests/{request_id}                    leave.read              leave.requests.routes.get_leave_request
PATCH   /leave-requests/{request_id}                    leave.decide            leave.requests.routes.change_leave_request
GET     /leave-types                                    organisation.read       leave.types.routes.list_leave_types
POST    /leave-types                                    organisation.write      leave.types.routes.add_leave_type
GET     /leave-types/{leave_type_id}                    organisation.read       leave.types.routes.get_leave_type
PATCH   /leave-types/{leave_type_id}                    organisation.write      leave.types.routes.change_leave_type

GET     /pay-register/{month}                           pay_register.read       pay_register.routes.get_grid
POST    /pay-register/{month}/sync                      pay_register.write      pay_register.routes.sync
POST    /pay-register/{month}/lock                      pay_register.lock       pay_register.routes.lock
POST    /pay-register/{month}/unlock                    pay_register.lock       pay_register.routes.unlock
GET     /pay-register/{month}/export                    pay_register.read       pay_register.routes.export
GET     /pay-register/{month}/{user_id}                 pay_register.read       pay_register.routes.get_row
POST    /pay-register/{month}/{user_id}                 pay_register.write      pay_register.routes.make_row
POST    /pay-register/{month}/{user_id}/recalculate     pay_register.write      pay_register.routes.recalculate
GET     /pay-register/{month}/{user_id}/history         pay_register.read       pay_register.routes.get_history
PUT     /pay-register/{month}/{user_id}/days/{day}      pay_register.write      pay_register.routes.edit_day
PATCH   /pay-register/{month}/{user_id}/days/{day}      pay_register.write      pay_register.routes.merge_day
DELETE  /pay-register/{month}/{user_id}/days/{day}      pay_register.write      pay_register.routes.clear_day

GET     /payouts/bank-file-settings                     payout_batches.read     payouts.batches.routes.get_bank_file_settings
PUT     /payouts/bank-file-settings                     payouts.decide          payouts.batches.routes.set_bank_file_settings
POST    /payouts/batches                                payouts.run             payouts.batches.routes.make_batch
GET     /payouts/batches                                payout_batches.read     payouts.batches.routes.list_batches
GET     /payouts/batches/{batch_id}                     payout_batches.read     payouts.batches.routes.get_batch
GET     /payouts/batches/{batch_id}/file                payout_batches.read     payouts.batches.routes.get_batch_file
POST    /payouts/batches/{batch_id}/answer              payouts.decide          payouts.batches.routes.take_answer
POST    /payouts/bank-reports                           payouts.decide          payouts.batches.routes.take_bank_report
GET     /users/{user_id}/balance                        balances.read           payouts.payables.employee_routes.get_balance
GET     /users/{user_id}/statement                      balances.read           payouts.payables.employee_routes.get_statement
GET     /payables                                       payouts.read            payouts.payables.routes.list_payables
POST    /payouts/advance/run                            payouts.run             payouts.runs.routes.run_advances
POST    /payouts/final/run                              payouts.run             payouts.runs.routes.run_finals
GET     /payouts                                        payouts.read            payouts.runs.routes.list_payouts
GET     /payouts/{payout_id}                            payouts.read            payouts.runs.routes.get_payout
POST    /payouts/{payout_id}/approve                    payouts.decide          payouts.runs.routes.approve
POST    /payouts/{payout_id}/reject                     payouts.decide          payouts.runs.routes.reject
POST    /payouts/{payout_id}/confirm                    payouts.decide          payouts.runs.routes.confirm
POST    /payouts/{payout_id}/retry                      payouts.run             payouts.runs.routes.retry
POST    /payouts/{payout_id}/return                     payouts.decide          payouts.runs.routes.take_back
POST    /payouts/{payout_id}/resolve                    payouts.decide          payouts.runs.routes.resolve

POST    /payroll-runs/{run_id}/approve                  payroll.approve         payroll.approval.routes.approve_payroll_run
GET     /payment-types                                  payment_types.read      payroll.components.routes.list_payment_types
POST    /payment-types                                  payment_types.write     payroll.components.routes.add_payment_type
POST    /payment-types/preview                          payment_types.write     payroll.components.routes.preview_payment_type
GET     /payment-types/{type_id}                        payment_types.read      payroll.components.routes.get_payment_type
PATCH   /payment-types/{type_id}                        payment_types.write     payroll.components.routes.change_payment_type
GET     /users/{user_id}/payment-types                  payment_types.read      payroll.components.routes.list_types_of_person
PUT     /users/{user_id}/payment-types/{type_id}        payment_types.write     payroll.components.routes.assign_payment_type
GET     /payslips/{payslip_id}/pdf                      payslips.read           payroll.documents.routes.get_payslip_pdf
GET     /payroll-runs/{run_id}/export                   payroll.read            payroll.documents.routes.export_payroll_run
POST    /payroll-runs/{run_id}/pay                      payroll.pay             payroll.payments.routes.pay_payroll_run
GET     /payroll-runs/{run_id}/payments                 payroll.read            payroll.payments.routes.list_payments
GET     /payroll-runs                                   payroll.read            payroll.runs.routes.list_runs
POST    /payroll-runs                                   payroll.write           payroll.runs.routes.create_run
GET     /payroll-runs/{run_id}                          payroll.read            payroll.runs.routes.get_run
POST    /payroll-runs/{run_id}/calculate                payroll.write           payroll.runs.routes.calculate_run
POST    /payroll-runs/{run_id}/cancel                   payroll.write           payroll.runs.routes.cancel_run
POST    /payroll-runs/{run_id}/amounts                  payroll.write           payroll.runs.routes.give_amounts
GET     /payroll-runs/{run_id}/payslips                 payroll.read            payroll.runs.routes.list_run_payslips
GET     /payslips                                       payslips.read           payroll.runs.routes.list_payslips
GET     /payslips/{payslip_id}                          payslips.read           payroll.runs.routes.get_payslip

GET     /holidays                                       organisation.read       people.calendar.routes.list_holidays
POST    /holidays                                       organisation.write      people.calendar.routes.add_holiday
POST    /holidays/import                                organisation.write      people.calendar.routes.import_holidays
PATCH   /holidays/{holiday_id}                          organisation.write      people.calendar.routes.change_holiday
DELETE  /holidays/{holiday_id}                          organisation.write      people.calendar.routes.remove_holiday
GET     /shifts                                         organisation.read       people.calendar.routes.list_shifts
POST    /shifts                                         organisation.write      people.calendar.routes.add_shift
PATCH   /shifts/{shift_id}                              organisation.write      people.calendar.routes.change_shift
GET     /users/{user_id}/payout-destination             destinations.read       people.destinations.routes.get_payout_destination
PUT     /users/{user_id}/payout-destination             destinations.write      people.destinations.routes.set_payout_destination
POST    /users/{user_id}/payout-destination/confirm     destinations.write      people.destinations.routes.confirm_payout_destination
POST    /me/payout-destination                          destinations.request    people.destinations.routes.request_payout_destination
GET     /payout-destination-requests                    destinations.read       people.destinations.routes.list_payout_destination_requests
GET     /branches                                       organisation.read       people.organisation.routes.list_branches
POST    /branches                                       organisation.write      people.organisation.routes.add_branch
PATCH   /branches/{branch_id}                           organisation.write      people.organisation.routes.change_branch
GET     /departments                                    organisation.read       people.organisation.routes.list_departments
POST    /departments                                    organisation.write      people.organisation.routes.add_department
PATCH   /departments/{department_id}                    organisation.write      people.organisation.routes.change_department
GET     /divisions                                      organisation.read       people.organisation.routes.list_divisions
POST    /divisions                                      organisation.write      people.organisation.routes.add_division
PATCH   /divisions/{division_id}                        organisation.write      people.organisation.routes.change_division
GET     /users/{user_id}/roster                         people.read             people.rosters.routes.list_roster
PUT     /users/{user_id}/roster                         roster.write            people.rosters.routes.plan_roster
GET     /users                                          people.read             people.users.routes.list_users
POST    /users                                          people.write            people.users.routes.add_user
POST    /users/import                                   people.write            people.users.routes.import_users
GET     /users/{user_id}                                people.read             people.users.routes.get_user
PATCH   /users/{user_id}                                people.write            people.users.routes.change_user
PUT     /users/{user_id}/employment                     people.write            people.users.routes.employ
GET     /users/{user_id}/salaries                       salaries.read           people.users.routes.list_salaries
POST    /users/{user_id}/salaries                       salaries.write          people.users.routes.set_salary

POST    /sales/import                                   sales.write             sales.import_routes.import_sales
POST    /sales/user                                     people.write            sales.routes.add_seller
POST    /sales                                          sales.write             sales.routes.add_sale
GET     /sales                                          sales.read              sales.routes.list_sales
GET     /sales/{sale_id}                                sales.read              sales.routes.get_sale
POST    /reconcile                                      sales.decide            sales.routes.reconcile

GET     /me                                             me.read                 tenants.routes.get_me
GET     /tenant                                         tenant.read             tenants.routes.get_tenant
PATCH   /tenant                                         tenant.write            tenants.routes.change_tenant
GET     /members                                        access.read             tenants.routes.list_members
POST    /members                                        access.write            tenants.routes.add_member
PATCH   /members/{member_id}                            access.write            tenants.routes.change_member
GET     /api-keys                                       access.read             tenants.routes.list_api_keys
POST    /api-keys                                       access.write            tenants.routes.make_api_key
DELETE  /api-keys/{key_id}                              access.write            tenants.routes.revoke_api_key
GET     /tenants                                        platform.tenants        tenants.routes.list_tenants
POST    /tenants                                        platform.tenants        tenants.routes.make_tenant
GET     /tenants/{tenant_id}                            platform.tenants        tenants.routes.get_platform_tenant
PATCH   /tenants/{tenant_id}                            platform.tenants        tenants.routes.change_platform_tenant

GET     /webhook-endpoints                              webhooks.read           webhooks.routes.list_endpoints
POST    /webhook-endpoints                              webhooks.write          webhooks.routes.add_endpoint
GET     /webhook-endpoints/{endpoint_id}                webhooks.read           webhooks.routes.get_endpoint
PATCH   /webhook-endpoints/{endpoint_id}                webhooks.write          webhooks.routes.change_endpoint
POST    /webhook-endpoints/{endpoint_id}/rotate-secret  webhooks.write          webhooks.routes.rotate_secret
POST    /webhook-endpoints/{endpoint_id}/test           webhooks.write          webhooks.routes.test_endpoint
GET     /webhook-deliveries                             webhooks.read           webhooks.routes.list_deliveries
GET     /webhook-deliveries/{delivery_id}               webhooks.read           webhooks.routes.get_delivery
POST    /webhook-deliveries/{delivery_id}/replay        webhooks.write          webhooks.routes.replay
DELETE  /webhook-endpoints/{endpoint_id}                webhooks.write          webhooks.routes.delete_endpoint

GET     /notifications                                  notifications.read      notifications.routes.list_notifications
POST    /notifications                                  notifications.send      notifications.routes.announce
POST    /notifications/{notification_id}/open           notifications.write     notifications.routes.open_notification
GET     /notifications/unsubscribe/{token}              -                       notifications.routes.ask_to_stop
POST    /notifications/unsubscribe/{token}              -                       notifications.routes.stop
GET     /notification-preferences                       notifications.read      notifications.routes.get_preferences
PUT     /notification-preferences                       notifications.write     notifications.routes.set_preferences
GET     /notification-logs                              notification_logs.read  notifications.routes.list_logs
GET     /notification-suppressions                      suppressions.read       notifications.routes.list_suppressions
DELETE  /notification-suppressions/{suppression_id}     suppressions.write      notifications.routes.lift_suppression
"""  # noqa: E501 - a table is read by its columns

# name, expression of EventBridge (UTC), function
_SCHEDULES = """
sweep-outbox              rate(1 minute)      console.schedules.sweep_outbox
forget-answers            rate(1 hour)        console.schedules.forget_answers
remove-attachments        rate(1 hour)        forms.attachments.schedules.send_attachments_to_remove
kpi                       rate(15 minutes)    kpis.scores.nightly_job.send_due_tenants
leave-expiry              rate(15 minutes)    leave.expiry.nightly_job.send_due_nights
balance                   rate(15 minutes)    pay_register.nightly_job.send_due_nights
advance-payouts           cron(0 * * * ? *)   payouts.runs.schedules.send_advance_runs
final-payouts             cron(30 * * * ? *)  payouts.runs.schedules.send_final_runs
payouts-to-look-at        rate(1 minute)      payouts.runs.schedules.send_due_payouts
webhooks-to-look-at       rate(1 minute)      webhooks.schedules.send_due_webhooks
forget-webhooks           rate(1 hour)        webhooks.schedules.delete_old_webhooks
notifications-to-look-at  rate(1 minute)      notifications.schedules.send_due_notifications
"""

# queue, function that consumes its messages
_CONSUMERS = """
uploads             forms.attachments.consumers.check_upload
attachment-removal  forms.attachments.consumers.remove_left_over
kpi                 kpis.scores.nightly_job.calculate_kpi_scores
leave-expiry        leave.expiry.nightly_job.do_night
balances            pay_register.nightly_job.compute_night
pay-register        pay_register.consumers.compute_chunk
payout-runs         payouts.runs.consumers.run_payouts
payouts             payouts.runs.consumers.move_payout
payroll-posting     payroll.approval.consumers.post_payslips
payslip-documents   payroll.documents.consumers.make_payslip_documents
payroll-payments    payroll.payments.consumers.settle_payroll
payroll             payroll.runs.consumers.calculate_chunk
webhooks            webhooks.consumers.deliver_webhook
notifications       notifications.consumers.send_notification
mail-events         notifications.consumers.note_mail_event
"""

# What all routes together need of AWS beside queues and the database, as a consumer's `uses=` says it of one queue.
API_USES = ("files", "vault")


class RouteLine(NamedTuple):
    """One line of the table of routes; a permission of None: open to all."""

    method: str
    path: str
    permission: str | None
    function: str


class ScheduleLine(NamedTuple):
    """One line of the table of schedules."""

    name: str
    expression: str
    function: str


class ConsumerLine(NamedTuple):
    """One line of the table of consumers."""

    queue: str
    function: str


def full_name(function: str) -> str:
    """Return the importable name of a function of the table."""
    package = "chalicelib" if function.startswith("notifications.") else "chalicelib.features"
    return f"{package}.{function}"


def _lines(table: str) -> list[list[str]]:
    return [re.split(r" {2,}", line) for line in table.splitlines() if line]


def _blueprint(module: str) -> Blueprint:
    blueprint: Blueprint = import_module(module).blueprint
    return blueprint


ROUTES = [RouteLine(method, path, None if may == "-" else may, name) for method, path, may, name in _lines(_ROUTES)]
SCHEDULES = [ScheduleLine(*line) for line in _lines(_SCHEDULES)]
CONSUMERS = [ConsumerLine(*line) for line in _lines(_CONSUMERS)]

_FUNCTIONS = (
    [one.function for one in ROUTES] + [one.function for one in SCHEDULES] + [one.function for one in CONSUMERS]
)
_MODULES = dict.fromkeys(full_name(function).rpartition(".")[0] for function in _FUNCTIONS)
BLUEPRINTS: tuple[Blueprint, ...] = tuple(_blueprint(module) for module in _MODULES)
