"""Payroll: components that admins define, runs that turn a period into payslips, and what paying them needs."""
