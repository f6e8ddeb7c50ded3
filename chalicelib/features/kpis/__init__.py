"""KPIs: what is measured, for whom and how long, and the scores that come of it (rules.md, section 9).

    definitions/  what people are measured by: a metric of the system, a formula over metrics, or a value by hand
    assignments/  a KPI for one employee and cycle
    scores/  values, calculated by the nightly job or entered, and overrides

    rules.py  pure functions: metrics, codes, values
    models.py  the tables of all three

Payroll stands above: its formulas read scores by the SQL function kpi_score_of. Start with scores/__init__.py.
"""
