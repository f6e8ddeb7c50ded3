"""Payslips: from the register and a run's calculation snapshot to rows, and to lines that explain themselves.

How the amount of a line comes about:
1. inputs.py  one row of numbers per employee of the period: salary, days, hours (sql/inputs.sql reads register and
   balance), and what only some employees have: overrides, amounts of the run, adjustments, carried pay
2. evaluation.py  computes the components that apply to the employee from these numbers, rounds each once, and sums
   them by category; the only place where pay is computed
3. lines.py  shows a stored payslip: each line with its formula, the values it took, and its amount

Beside this path:
    adjustment_lines.py  lines that no component made: adjustments, arrears, negative pay carried over
    arrears.py  recalculates paid periods whose facts have changed
    arrears_lines.py  compares a paid period with its recalculation: one line per component that differs
    payslip_rows.py  builds and inserts the payslips of a chunk of employees (the hot path of a run)

Start with evaluation.py.
"""
