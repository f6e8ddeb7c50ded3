"""Payment of an approved run: one payout per payslip, and what became of each."""
