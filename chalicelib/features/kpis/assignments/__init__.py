"""KPI assignments: a KPI for an employee and a cycle.

routes -> actions -> sql/assign.sql (one statement for one employee or many) -> queries (with definition and score)
"""
