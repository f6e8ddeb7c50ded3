"""Measured figures, with their commands; rates are one worker's, on the machine of docs/performance.md."""

# `python -m infra.labs.growth measure`: 10,000 people of one tenant, a month of facts, PostgreSQL 18.4
BYTES_PER_ROW = {  # with indexes
    "users": 292,
    "employments": 240,
    "salaries": 158,
    "attendance": 181,
    "leave_days": 182,
    "pay_registers": 1272,
    "balances": 1051,
    "payslips": 607,
}
ROWS_PER_PERSON = {  # of a month where a month has its own, otherwise one for as long as a person is there
    "users": 1.0,
    "employments": 1.0,
    "salaries": 1.03,
    "attendance": 30.47,
    "leave_days": 1.17,
    "pay_registers": 1.0,
    "balances": 1.0,
    "payslips": 1.0,
}
ONCE = ("users", "employments", "salaries")  # not again every month
LOG_PER_NIGHT = 1266  # bytes of write-ahead log for one person's register and balance, rewritten by a night
LOG_PER_PAYSLIP = 696

# `make bench`, a second, one worker
REGISTERS = 18_300
BALANCES = 63_000
PAYSLIPS = 23_600
PAYSLIPS_ANEW = 8_600  # with the month's register and balances computed first
PAYOUTS_MADE = 67_000 / 10  # of decided sales, ten to a person
