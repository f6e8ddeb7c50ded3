"""Forms that a tenant designs for itself: their versions, what people submit with them, and its review.

    definitions/  forms, their fields and versions; what a form's type means (handlers)
    attachments/  files: announced, uploaded, checked, kept
    submissions/  values and files that are submitted, and their decisions

Start with submissions/__init__.py: the path of a submission leads through all three.
"""
