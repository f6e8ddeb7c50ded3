"""Attachments: files that are uploaded to quarantine, checked, kept under the hash of their content, and submitted.

The path of a file:
1. actions.announce  checks the announced name, type and size against its field, and signs an upload to the quarantine
   in S3
2. consumers.check_upload  takes S3's event; check_actions.CHECKS (chalicelib/delivery) checks the content once:
   type_rules, pdf_rules, office_rules, the virus scanner; what passes is kept, and the quarantine emptied
3. actions.attach  takes a person's files into a submission; one whose event has not come yet is checked now
4. actions.open_attachment  gives a link to a clean file
5. schedules.py, removal_actions.py  removes what nobody submitted

Beside the files that every package has:
    check_actions.py  the check of one upload
    office_rules.py  what an office document may hold
    pdf_rules.py  what a PDF may hold
    removal_actions.py  removal of files that were never submitted
    type_rules.py  the types of file, and what each looks like
"""
