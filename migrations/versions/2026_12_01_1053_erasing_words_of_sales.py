"""An erasure takes the free text of sales: brand, reasons of decisions, and the person's name in the shop's id."""

from migrations.helpers import run

revision = "2026_12_01_1053"
down_revision = "2026_12_01_1052"


def upgrade() -> None:
    # The shop's id stays, because accounts refer to it, without the person's name and addresses; what takes their
    # place is the sale's own id, so that ids stay unique. Its step is the first, while the name is still known.
    run(r"""
        update personal_data set treatment = 'cleared', becomes = 'null'
        where table_name = 'sales' and column_name = 'brand';

        update personal_data
        set treatment = 'cleared', becomes = 'case when t.revision > 1 then ''erased'' end'
        where table_name = 'sale_decisions' and column_name = 'reason';

        update personal_data
        set treatment = 'blanked', step = (select min(step) - 1 from personal_data),
            becomes = 'regexp_replace(t.external_id,'
                ' (select p.pattern from person_pattern(t.tenant_id, $1, $2) p), t.id::text, ''gi'')'
        where table_name = 'sales' and column_name = 'external_id';
    """)
