"""sac_control learns a controller by Soft Actor-Critic, and then is the controller: ROS 2 nodes, hot-swapped weights.

                 joint_states                                        A policy answers joint states with commands; it
    ┌───────────┐ ─────────────────────────────────▶ ┌────────┐      is the same node in simulation and on a robot,
    │ simulator │ ◀───────────────────────────────── │ policy │      where ros2_control takes the simulator's place.
    └───────────┘  policy/action                     └────────┘
       │     ▲ learner/credit       policy_weights      ▲           The learner turns transitions into better weights
       ▼     │                                          │           and puts them into the running policy node,
    transitions ────────────▶ ┌─────────┐ ──────────────┘           between two control ticks.
                              │ learner │ ──▶ runs/<run>/
                              └─────────┘

Where things live; each folder's `__init__` is its map, and imports go upwards in this list alone:

    cli/          the command `sac_control` and the launch files: which nodes run, with which parameters
    nodes/        ROS 2 alone: topics, messages, event loop; each node owns one object of the folders below
    training/     a whole training without ROS: transitions in, updates, evaluation, publication, verdict
    watch/        a live view of all that in the browser
    exam/         a policy on other plants and in other engines, and how it does there
    video/        a policy at work as a GIF or MP4, without a window
    bags/         recorded messages: written as they come, and read without ROS
    store/        the disk: run directory, checkpoints, replay rows, tables
    policy/       what runs on a robot: inference, policy file, hot swap, safety, limits. numpy alone
    algorithms/   what learns: Soft Actor-Critic and others. Knows no physics
    simulation/   what a simulator node owns: episodes in a row, lockstep, realtime
    envs/         an environment: a robot's task in a world, or one of Gymnasium's
    worlds/       physics: commands in, joint states out
    tasks/        what is asked: starts, rewards, failures
    robots/       URDFs of the built-in robots
    health/ system/    what a node says of itself; the process and its machine
    variation/    what of a robot may differ from its description, and how much
    expression/   the language of observation terms, rewards and bounds
    start.py __main__.py    entry points
    types.py errors.py identity.py option.py per_joint.py plug_ins.py ros_parameters.py observation.py    ground
                  floor: values, errors, which run something belongs to, what a setting is, what others offer

Begin with `algorithms/sac/readable/soft_actor_critic.py`, one update on one page; then `policy/controller.py`, one
control tick; then `training/training_run.py`, what is due when; then `nodes/policy.py`. docs/design.md has
contracts and decisions.
"""

from pkgutil import extend_path

# The compiled messages (sac_control.msg) are always installed; the Python beside this file may be a source tree.
# The two are one package.
__path__ = extend_path(__path__, __name__)
