"""Payslips as PDF files, and their delivery to employees.

Beside the files that every package has:
    rendering.py  a payslip as a PDF
    templates  how a payslip looks on paper
    wording.py  what a payslip says on paper
"""
