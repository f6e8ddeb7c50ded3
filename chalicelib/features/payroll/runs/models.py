"""Tables of payroll runs and their payslips."""

from enum import StrEnum

from sqlalchemy import ARRAY, Boolean, Column, DateTime, Integer, Numeric, SmallInteger, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from chalicelib.backing.database import id_column, metadata, tenant_column
from chalicelib.features.payroll.components.categories import CATEGORIES


class RunKind(StrEnum):
    """What a run pays."""

    REGULAR = "regular"  # a month: salaries and every component; locks the period
    OFF_CYCLE = "off_cycle"  # what cannot wait: adjustments, arrears, chosen components; no salary


payroll_runs = Table(
    "payroll_runs",
    metadata,
    tenant_column(),
    id_column(),
    Column("month", Text, doc="YYYY-MM"),
    Column("kind", Text, doc="RunKind"),
    Column("title", Text, doc="what an off-cycle run is for"),
    Column("status", Text, doc="kernel.states.PayrollStatus"),
    Column("user_ids", ARRAY(Uuid), doc="of an off-cycle run: whom it is for; null: everybody"),
    Column("payment_type_ids", ARRAY(Uuid), doc="of an off-cycle run: which components; null: the dynamic ones"),
    Column("calculation", Integer, doc="counts calculations up; a message of an older one does nothing"),
    Column("job_id", Uuid, doc="the latest job: calculating or posting"),
    Column("plan", JSONB, doc="terms, inputs and components that it was calculated with: plan.Plan"),
    Column("calculated_since", DateTime(timezone=True), doc="when the latest calculation began, by the database"),
    Column("calculated_at", DateTime(timezone=True), doc="when it was finished"),
    Column("summary", JSONB, doc="per currency: totals, difference to the run before, anomalies"),
    Column("created_by", Text),
    Column("created_by_ids", ARRAY(Uuid), doc="all ids of who made it; empty: nobody's hand"),
    Column("created_at", DateTime(timezone=True)),
    Column("calculated_by", Text),
    Column("calculated_by_user_id", Uuid, doc="in calculated_by_ids since 2026-12"),
    Column("calculated_by_ids", ARRAY(Uuid), doc="of everybody who calculated the payslips that stand"),
    Column("approved_by", Text),
    Column("approved_by_ids", ARRAY(Uuid)),
    Column("four_eyes", Boolean, doc="whether four eyes were required when it was approved; null: it is not"),
    Column("approved_at", DateTime(timezone=True)),
    Column("posted_at", DateTime(timezone=True), doc="when all of it was in the ledger"),
    Column("paid_by", Text, doc="who had it paid last"),
    Column("paid_by_ids", ARRAY(Uuid)),
    Column("paid_at", DateTime(timezone=True), doc="when the last of its payslips was paid"),
    Column("cancelled_by", Text),
    Column("cancelled_at", DateTime(timezone=True)),
    Column("cancel_reason", Text),
)

payslips = Table(
    "payslips",
    metadata,
    tenant_column(),
    Column("id", Uuid, server_default=text("uuidv7()")),
    Column("run_id", Uuid, primary_key=True),
    Column("user_id", Uuid, primary_key=True),
    Column("currency", Text, doc="ISO 4217"),
    Column("inputs", ARRAY(Numeric), doc="one for each of the plan's inputs; null: there was no value"),
    Column("amounts", ARRAY(Numeric), doc="one for each of the plan's components; null: it is not for this person"),
    Column("given", JSONB, doc="component code -> what stood in the place of its own amount or percent"),
    Column("warnings", JSONB, doc="list of {component, code, name}: why a line has no value"),
    Column("anomalies", ARRAY(Text), doc="rules.Anomaly; null: none"),
    # gross, deductions, taxes, benefits
    *(
        Column(rule.total, Numeric, doc=f"sum of the {rule.category} lines; below 0 where arrears take back more")
        for rule in CATEGORIES
    ),
    Column("net", Numeric, doc="gross - deductions - taxes; below 0 it is carried into the next run"),
    Column("previous_net", Numeric, doc="of the person's payslip in the regular run before; null: there was none"),
    Column("calculated_at", DateTime(timezone=True), doc="when its calculation began, by the database"),
    Column("carried_into", Uuid, doc="the approved payslip that deducted what was missing here"),
)

payslip_one_offs = Table(
    "payslip_one_offs",
    metadata,
    tenant_column(),
    Column("run_id", Uuid, primary_key=True),
    Column("user_id", Uuid, primary_key=True),
    Column("number", SmallInteger, primary_key=True, doc="the order of a payslip's one-off lines, from 1"),
    Column("kind", Text, doc="arrears, adjustment or carried_over"),
    Column("category", Text, doc="type_rules.Category; of anything but arrears, earning or deduction"),
    Column("name", Text, doc="of arrears: the component's"),
    Column("amount", Numeric, doc="below 0 only of arrears with a code"),
    Column("month", Text, doc="of arrears: the period that is paid anew"),
    Column("code", Text, doc="of arrears: the component's, or earned_salary; null: a net line of before 2026-12"),
    Column("adjustment_id", Uuid),
    Column("payslip_id", Uuid, doc="of what is carried over: the payslip whose net was below 0"),
    # of a net line of arrears, which no run makes any more
    Column("gross", Numeric, doc="by how much that period's gross differs from what was paid"),
    Column("deductions", Numeric, doc="likewise"),
    Column("taxes", Numeric, doc="likewise"),
    Column("parts", JSONB, doc="code of a component -> how much of the line is its"),
    Column("detail", JSONB, doc="how the amount came about"),
)

payroll_amounts = Table(
    "payroll_amounts",
    metadata,
    tenant_column(),
    Column("run_id", Uuid, primary_key=True),
    Column("user_id", Uuid, primary_key=True),
    Column("type_id", Uuid, primary_key=True),
    Column("amount", Numeric, doc="what the dynamic component comes to in this run"),
    Column("given_by", Text),
    Column("given_by_ids", ARRAY(Uuid), doc="all ids of everybody who gave it; empty: nobody's hand"),
    Column("given_at", DateTime(timezone=True)),
)
