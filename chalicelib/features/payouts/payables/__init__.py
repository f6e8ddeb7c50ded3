"""Reads of what employees are owed, and of where their money is."""
