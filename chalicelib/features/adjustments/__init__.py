"""Adjustments: one-off amounts with a reason, to be paid with the next payroll."""
