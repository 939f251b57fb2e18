"""Inference with numpy alone: no torch, no ROS, no pybullet. What a robot runs.

policy.py       observation in, action out: the actor's forward pass
state_dependent_noise.py    exploration by a matrix that is kept for some ticks, where the policy asks for it
pieces.py       long work in short pieces, so that a tick can come between
policy_file.py  the one format of a policy, on disk and on the wire, with every check it must pass
hot_swap.py     the policy in force, and how a new one takes its place
safety.py       what stands between an action and a force: limits and the state watchdog
controller.py   joint state in, limited effort out: the four above in one object, which a node owns
"""
