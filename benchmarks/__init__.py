"""Measurements of the package as a user runs it, beside its peers on the same machine in the same run: `make bench`.

Each file in `rows/` is one row of the table. A row starts real processes, counts what fails as what works, and hands
back plain numbers; `results.py` keeps them in results.json, `report.py` makes docs/benchmarks.md of that file alone.
"""
