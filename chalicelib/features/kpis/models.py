"""Tables of KPIs. Targets and values are in the definition's unit, weights in percent of the whole (0 to 100)."""

from sqlalchemy import Boolean, Column, Computed, Date, DateTime, Integer, Numeric, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from chalicelib.backing.database import id_column, metadata, tenant_column

kpi_definitions = Table(
    "kpi_definitions",
    metadata,
    tenant_column(),
    id_column(),
    Column("code", Text, doc="names it in appraisal forms, and never changes"),
    Column("name", Text),
    Column("description", Text),
    Column("metric_type", Text, doc="rules.MetricType"),
    Column("target", Numeric, doc="null or 0: there is no achievement"),
    Column("direction", Text, doc="rules.Direction"),
    Column("unit", Text, doc="for people to read"),
    Column("weight", Numeric, doc="null: there is no weighted score"),
    Column("scale_from", Numeric, doc="of a rating: the least there is"),
    Column("scale_to", Numeric, doc="of a rating: the most"),
    Column("source", Text, doc="rules.Source"),
    Column("metric", Text, doc="of a system metric: rules.METRICS"),
    Column("formula", Text, doc="over the metrics by name"),
    Column("is_active", Boolean, doc="false: nobody is given it any more, and it is not calculated"),
    Column("version", Integer),
    Column("created_by", Text, doc="the actor's name"),
    Column("created_at", DateTime(timezone=True)),
)

kpi_assignments = Table(
    "kpi_assignments",
    metadata,
    tenant_column(),
    id_column(),
    Column("definition_id", Uuid),
    Column("user_id", Uuid, doc="who is measured"),
    Column("cycle_start_on", Date),
    Column("cycle_end_on", Date, doc="last day, included; cycles of one KPI and person never overlap"),
    Column("target", Numeric, doc="null: the definition's"),
    Column("weight", Numeric, doc="null: the definition's"),
    Column("due_on", Date, doc="until when a value is to be entered by hand; null: the cycle's end"),
    Column("notes", Text),
    Column("assigned_by", Text, doc="the actor's name"),
    Column("assigned_at", DateTime(timezone=True)),
)

kpi_scores = Table(
    "kpi_scores",
    metadata,
    tenant_column(),
    Column("assignment_id", Uuid, primary_key=True),
    Column("value", Numeric, doc="as calculated or entered, never the override; null: there is none"),
    Column("text_value", Text, doc="of a KPI in words, instead of a number"),
    Column("target", Numeric, doc="what it was scored against, when it was calculated"),
    Column("weight", Numeric, doc="likewise"),
    Column("direction", Text, doc="likewise: rules.Direction"),
    Column("explanation", JSONB, doc="what it was calculated from: formula, inputs (as text), warnings, notes"),
    Column("as_of", Date, doc="last day that counts; null: nothing was calculated"),
    Column("calculated_at", DateTime(timezone=True)),
    Column("entered_by", Text, doc="the actor's name, where the value was entered by hand"),
    Column("entered_at", DateTime(timezone=True)),
    Column("note", Text, doc="of whoever entered the value"),
    Column("submission_id", Uuid, doc="the appraisal that entered the value; null: it was entered directly"),
    Column("override_value", Numeric, doc="counts instead of the value, whatever is calculated; null: not overridden"),
    Column("override_reason", Text),
    Column("overridden_by", Text, doc="the actor's name"),
    Column("overridden_at", DateTime(timezone=True)),
    # what follows is kept by the database; the application cannot write it
    Column(
        "achievement",
        Numeric,
        Computed("kpi_share(...)", persisted=True),
        doc="value in percent of the target, by direction",
    ),
    Column(
        "weighted",
        Numeric,
        Computed("kpi_share(...)", persisted=True),
        doc="weight x achievement, rounded once by itself",
    ),
)
