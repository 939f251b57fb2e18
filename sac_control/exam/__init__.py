"""The exam of a policy: other plants than the one it was trained on, in several engines. No ROS, no algorithm.

examination.py    the whole exam: what is asked, answered by workers, and what comes out
findings.py       what comes out: of plants, pushes, motion and hours; when it is passed
measures.py       how one of these is found, in an environment
jobs.py           what a worker is asked
workers.py        processes that answer side by side; worker.py is what runs in each
table.py          what comes out, as text; picture.py draws it
filing.py         where it is written: beside the policy, and its verdict into the policy file
"""
