"""Hold worked examples a payroll officer can read and add to; loader.py says how they are written."""
