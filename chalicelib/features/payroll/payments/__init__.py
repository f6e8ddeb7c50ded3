"""Payment of an approved run: one payout per payslip, and the outcome of each."""
