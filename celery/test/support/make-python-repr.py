"""Writes celery/test/fixtures/python-repr.json: how Python and the real Celery show values.

Run it with a Python that has Celery installed, from anywhere:

    python3 celery/test/support/make-python-repr.py
"""
import json
from pathlib import Path

import celery
from celery.utils.saferepr import saferepr

VALUES = [
    [], [1], [1, 2], ["it's"],
    [None, True, False, 1.5, 1e-7, 1e16, 123456789.125, 0.1, -0.0001, 1e100, 2.5e-5],
    {"a": 1, "b'c": [1, {"x": {}}]},
    ["a" * 2000], ["a b " * 500], [list(range(500))], [[[[]]]], {"k": {"k": {"k": {"k": 1}}}},
    "plain", "a\nb", {"x": "y" * 1020, "z": 1},
    [["a" * 1015], ["b"], {"c": 1}], [["a" * 1014], ["b"], {"c": 1}],
]
# JavaScript has one kind of number: floats that are whole are tested by themselves.
FLOATS = [0.1, 1e16, 123456789012345680.0, 1e-5, 1.5e-5, 0.0001, 1e15, 1e22, 5e-324,
          1.7976931348623157e308, -2.5, 3.0, 1e21, 123456.789e3]
STRINGS = ["boom", "it's", 'say "x"', 'both \' and "', "a\nb\t\\", "\x00\x7f\x9f\xa0é\u2028\U0001f600"]

cases = []
for value in VALUES:
    cases.append({"json": json.dumps(value), "repr": saferepr(value, 1024, 3)})
    if isinstance(value, list):
        cases.append({"json": json.dumps(value), "tuple": saferepr(tuple(value), 1024, 3)})
cases += [{"float": json.dumps(value), "repr": repr(value)} for value in FLOATS]
cases += [{"string": json.dumps(value), "repr": repr(value)} for value in STRINGS]

target = Path(__file__).parent.parent / "fixtures" / "python-repr.json"
target.write_text(json.dumps({"celery": celery.__version__, "cases": cases}, indent=1))
