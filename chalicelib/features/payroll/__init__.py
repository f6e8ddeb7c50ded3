"""Payroll: components that admins define, runs that turn a period into payslips, and their posting and payment.

From attendance to payout:
1. attendance/records  punches and corrections become one decided row per employee and day
2. pay_register/projection.py  facts become the register: one row per employee and period (sql/project.sql)
3. balances  the register becomes the salary earned, in the register's transaction
4. payroll/runs/actions.py, calculation.py  a run takes a snapshot of terms and components, and is calculated in chunks
5. payroll/payslips  inputs.py, evaluation.py, payslip_rows.py: numbers become payslips
6. payroll/approval/actions.py  another person approves the run: it is fixed, and its period locked
7. payroll/approval/posting.py  payslips are posted to the ledger (sql/post.sql)
8. payroll/payments/actions.py  `pay` starts one payout per payslip; payouts/__init__ has the way from there to the bank

Packages: components (definitions), runs (life of a run), payslips (computation), approval (approval and posting),
payments (what became of the money), documents (PDFs and exports). Start with payslips/__init__.
"""
