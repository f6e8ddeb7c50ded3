"""What happened on a day: punches, corrections and imports, on-duty and overtime."""
