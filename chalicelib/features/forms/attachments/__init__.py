"""Attachments: upload, checks, and removal."""
