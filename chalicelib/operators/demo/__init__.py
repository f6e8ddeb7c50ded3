"""The demo: two tenants with the worked numbers of rules.md in January 2026, recent weeks of attendance, and sales.

`commands` is the command, and `load` its order: `staff` (employees of `companies`), `facts` (attendance and leave; the
story of `story`), `away` (leave by forms), `paying` (a payroll run), `selling` (sales and payouts; the story of
`market`), `keys`. `rows` inserts many rows with one statement; ids are made of names, so that loading again changes
nothing.
"""
