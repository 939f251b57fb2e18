"""A simulator but for its wires: what the simulator node owns. Knows no ROS.

simulator_config.py  its settings
episode_runner.py    episodes in a row, with stamps and numbers
exchange.py          lockstep: which state awaits an answer, what is allowed, what is overdue
joint_topics.py      on which topic each joint goes by its name, for plots
periods.py           realtime: which control periods are over, late, unanswered
"""
