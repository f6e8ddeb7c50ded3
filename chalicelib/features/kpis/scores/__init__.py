"""KPI scores: measured by the nightly job, entered and overridden.

Beside the files that every package has:
    calculation.py  what a definition makes of measured numbers
    form_handler.py  what a form of the type appraisal means
    measurement.py  the bulk path: numbers of many people and spans of days
    nightly_job.py  one night: its chunks, from measuring to scores
    reminders.py  who is reminded of values that are due and missing
"""
