"""Formats of files for banks and of the banks' answers. Pure functions: text and bytes in, text and bytes out.

Written:
    orders.py        an order to a bank: on which day, how much, to whom; every format is written from it
    pain001.py       ISO 20022 customer credit transfer initiation
    delimited.py     delimited files by a tenant's template, and the rows of their answers
    wording.py       names and texts in the characters that banks accept
Read:
    documents.py     the messages in a document, and their readers
    reports.py       XML read by structure, whatever its version, namespace or order
    pain002.py       ISO 20022 payment status report
    camt.py          ISO 20022 account statement (camt.053) and notification (camt.054)
    status_reasons.csv  ISO 20022 reason codes, and what each means for a payout
"""
