"""From the register and a calculation snapshot to payslip rows and their lines.

Beside the files that every package has:
    adjustment_lines.py  lines of a payslip that no component made
    arrears.py  what periods that were paid are worth by now
    arrears_lines.py  arrears as lines of a payslip, one per component
    evaluation.py  the one place where pay is computed
    inputs.py  what a run computes from, read set by set
    lines.py  a payslip as people read it
    payslip_rows.py  the bulk path: payslips made and written
"""
