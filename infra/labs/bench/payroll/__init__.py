"""A month's payroll as a part of the bench."""
