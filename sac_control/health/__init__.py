"""What a node tells people of its health, in words. Knows no ROS.

waiting.py     what it has been waiting for, once that is long
standstill.py  why nothing moves
diagnosis.py   level and sentence of its diagnostics, the worst first
aside.py       what is done for those who watch: it may fail, and control goes on
"""
