"""A month's payroll run, as a part of the bench."""
