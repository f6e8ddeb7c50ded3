"""What employees are owed, and where their money is.

    queries.py  everybody who is owed something, with the parts that explain it (sql/payables.sql)
    employee_routes.py, employee_queries.py, employee_schemas.py  one employee: balance by currency, and statement

Start with sql/payables.sql.
"""
