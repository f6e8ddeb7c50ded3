"""Names and business keys that came in before texts were cleaned are what they would be if they came in today.

Otherwise the next import of the same file would not know them again, and a sale sent twice would be two. A row whose
clean text another row of the tenant has already stays as it is; so do remarks, which are cleaned when they are shown.
"""

from migrations.helpers import run

revision = "2026_12_01_1081"
down_revision = "2026_12_01_1080"

COLUMNS = (
    "tenants.name", "users.name", "employments.employee_no", "branches.name", "departments.name", "divisions.name",
    "shifts.name", "holidays.name", "leave_types.name", "leave_expiry_rules.name", "payment_types.name",
    "kpi_definitions.name", "forms.name", "sales.external_id", "sales.brand",
)  # fmt: skip

# chalicelib.kernel.text.clean_line as it is on the day of this migration, with direction overrides removed instead of
# refused; what is refused for other reasons stays.
CLEAN = r"""
    create function pg_temp.clean_line(value text) returns text language sql immutable as $$
        select btrim(regexp_replace(normalize(regexp_replace(regexp_replace(value,
            '(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)'
            '|\u001b[PX^_][^\u001b\u009c]*(?:\u001b\\|\u009c)|\u001b[ -/]*[0-~]', '', 'g'),
            '[\u0001-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e'
            '\u2060-\u206f\ufeff\ufff0-\ufffb\U000e0000-\U000e007f]', '', 'g'), nfc),
            '[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+',
            ' ', 'g'), ' ')
    $$;"""


def upgrade() -> None:
    run(CLEAN)
    for column in COLUMNS:
        table, name = column.split(".")
        run(f"""
            alter table {table} no force row level security;
            do $$
            declare
                at record;
            begin
                for at in
                    select ctid as place, pg_temp.clean_line({name}) as clean from {table}
                    where {name} !~ '^[!-~]+( [!-~]+)*$' and pg_temp.clean_line({name}) not in ('', {name})
                    order by {"id" if table == "tenants" else "tenant_id"}, {name} for update
                loop
                    begin
                        update {table} set {name} = at.clean where ctid = at.place;
                    exception when unique_violation then
                        null;  -- another row has it: two that only look alike stay two
                    end;
                end loop;
            end $$;
            alter table {table} force row level security;""")
