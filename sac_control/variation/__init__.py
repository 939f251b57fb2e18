"""What of a robot and its wires may differ from what their description says, and how much. Knows no physics.

fields.py   what can vary: masses, friction, gains, noise, latency, ..., each with its unit and what it is normally
ranges.py   how much of it: drawn anew for each episode of a training
plants.py   the plants of an exam: those of a report at the bounds of the ranges, those of the gate a little beyond
"""
