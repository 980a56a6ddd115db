"""The builder's rows: a condition as choices that read as a sentence, and what was chosen back as JSON. Pure.

Names of form fields are places in the JSON (``where.0.op``, ``sequence.1.of``), so that one and the same code reads a filter wherever it
stands. What relations, fields, measures and comparisons there are is read from ``foundation.relations``: a new one appears by itself.
What is chosen may not fit yet: then the row keeps what it can, and ``conditions.reading`` says what is missing.
"""
