"""KPI scores: measured by the nightly job, entered and overridden.

The path of a formula's score:
1. definitions.actions.add_definition  checks the formula when it is saved (calculation.check_formula)
2. nightly_job.py  a chunk of employees (sql/candidates.sql, jobs); sql/due.sql: their assignments to be calculated
3. measurement.measure, sql/measure.sql  the numbers of each employee and span, in one statement for all
4. calculation.Scorer  compiles the definition once, and scores each employee
5. sql/write.sql  writes what changed, with the explanation; achievement and weighted score are the table's own
   computed columns (kpi_share)
6. queries.to_reply  the score as callers see it; an override counts instead of the value

A value by hand skips 2 to 5: actions.enter_value, or form_handler.py from an approved appraisal. The nightly job scores
it against later targets and weights, too (sql/rescore.sql).

Beside the files that every package has:
    calculation.py  what a definition makes of measured numbers
    form_handler.py  the handler of appraisal forms
    measurement.py  the bulk path: numbers of many people and spans of days
    nightly_job.py  the nightly job: from a chunk of employees to scores
    reminders.py  reminders of values that are due and missing
"""
