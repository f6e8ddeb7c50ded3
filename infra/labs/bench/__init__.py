"""The bench: the main jobs on a large, uneven set of tenants, beside yardsticks measured in the same run.

The path of a run, in order:

1. `__main__`: the parts and sizes.
2. `data`: a server filled by facts/*.sql; a part in a folder has its own `data` and facts.
3. `measures`, or the `part` of a folder: what is measured, in order, as lines of the table.
4. `product`, `workers`, `calls`: the product's own functions, in worker processes, and through the API function.
5. Yardsticks: `rowwise` (a row at a time by hand), `yardsticks` and `bare` (the least that the database needs).
6. `table`: the output, for people and as JSON.

`formulas` is the part without a database.
"""
