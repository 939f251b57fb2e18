"""Inference with numpy alone: no torch, no ROS, no pybullet. What a robot runs.

policy_config.py  settings of the policy node
policy.py       observation in, action out: the actor's forward pass
correlated_noise.py, state_dependent_noise.py   exploration that lasts for several ticks, where the policy asks for it
pieces.py       long work in short pieces, so that a tick can come between
policy_file.py  the one format of a policy, on disk and on the wire, with every check it must pass
policy_header.py   its text part, untrusted input; format_1.py reads that of older files
region.py       its region of joint states that were seen in training
signature.py    who made a policy: keys that sign, keys that are trusted
exam_verdict.py how a policy did in its exam; sealing.py: a policy file with such a verdict, or signed
onnx_model.py   a policy as an ONNX model, for other programs
requirements.py what a robot demands of a policy
hot_swap.py     the policy in force, how a new one takes its place, and the way back
safety.py       may the policy move anything? five modes, what arms, what disarms, what latches
own_states.py   which joint states are for us
state_sources.py  whether they have several publishers at once
row_observer.py what a joint state alone does not hold: efforts, actions, and what was some control periods ago
admission.py    which of them are rejected, and where nothing may move
freshness.py    which joint states can be used at all: finite, in order, not stale
envelope.py     the region of joint states in which anything may move
objections.py   what else speaks against moving anything, as these judge:
frozen_joints.py, period_watch.py, arming_region.py   encoders that stand still, rate, region of training
reasons.py, unused_states.py   why nothing moves, for people
safe_command.py what is commanded where nothing may move
limits.py       what a command must fit into on its way out
joint_limits.py what the settings make of that, joint by joint
command_limiter.py  what may be commanded just now: these, by the time that passed and the ramp after arming
robot_joints.py names, zeros and directions of the robot, in and out
live_limits.py  which of these may be set at run time, and how
faults.py, tick_statistics.py   counted for the diagnostics
shadow_process.py       a second policy in a process of its own, for its hypothetical actions
controller.py   joint state in, limited command out: all of the above in one object, which a node owns
"""
