"""The one expression language: observation terms, rewards, terminations, envelopes. Knows no ROS, no numpy, no task.

``parse(text, joints)`` makes a tree that never changes, ``compile(expression, SignalLayout(joints, actuated_joints))``
a function of rows of numbers. Nothing of a text is ever executed by Python. The language: docs/expressions.md.

tokens.py         text into numbers, words, quoted names and signs
parser.py         those into a tree, by precedence climbing, with bounds on length, depth and memory
tree.py           what a tree is made of
expression.py     a tree, and what is asked of it: joints, signals, memory, canonical text
canonical.py      a tree as text: one spelling for one tree
functions.py      what each function and operator gives, also where Python would raise
evaluation.py     a tree as a function of rows of numbers
mirror.py         whether an expression keeps or changes its sign where all signals change theirs
signal_memory.py  the rows of the last control periods
"""

from sac_control.expression.evaluation import Row, Rows, SignalLayout, compile, compile_row  # noqa: A004  as in re
from sac_control.expression.expression import Expression
from sac_control.expression.functions import is_true
from sac_control.expression.mirror import mirror_sign
from sac_control.expression.parser import parse
from sac_control.expression.signal_memory import Arrival, SignalMemory
from sac_control.expression.tokens import quote

__all__ = [
    "Arrival", "Expression", "Row", "Rows", "SignalLayout", "SignalMemory", "compile", "compile_row", "is_true",
    "mirror_sign", "parse", "quote",
]  # fmt: skip
