"""The pay register: each employee, each day, two halves; projected from the facts, never stored by hand.

The path from attendance to register row and balance:
1. attendance.records.actions, attendance.imports.actions  write what happened on a day
2. periods.facts.changing or periods.periods.touch  lock the employees, then the pay period; after the write the
   change is either computed at once (followers.py) or the period is marked stale
3. calculation.py  computes a stale period: by the nightly job (nightly_job.py), by POST .../sync, or before it is
   locked (actions.py); chunk by chunk, each chunk one transaction that locks its employees first
4. attendance.records.actions.decide_days  decides anew which halves count as present, where policy or shifts changed
5. projection.project, sql/project.sql  turn attendance, leave, on-duty, overtime, rosters, holidays and edits into one
   row per employee and period, with a bit per half
6. projection.FOLLOWERS  compute what is derived from the rows: balances.followers, balances/sql/earn.sql
7. queries.py, sql/grid.sql  read rows as pages, and rules.py writes their codes as records of days
8. payroll.payslips.inputs  reads rows and balances for payslips

Edits by hand enter at 2 (edit_actions.py); they win over the facts in 5 until they are cleared. Start with
sql/project.sql, which is the whole calculation.

Beside the files that every package has:
    calculation.py  one computation: a period's chunks, from claim to last chunk
    exports.py  the register as CSV and XLSX
    followers.py  what the register does when facts of employees change
    nightly_job.py  every night: the months that are behind, up to yesterday
    projection.py  the bulk path: rows from facts, and who follows them
"""
