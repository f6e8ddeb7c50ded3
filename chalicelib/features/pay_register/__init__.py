"""The pay register: each employee, each day, two halves; projected from the facts, never stored by hand."""
