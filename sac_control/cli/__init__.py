"""The `sac_control` command, and what it shares with the launch files.

main.py           the command line: its verbs
options.py        what people choose for each, written once
choice.py         makes options of the command and launch arguments of that
plan.py           which nodes make a training, an evaluation or a deployment
node_description.py  how one of them is started, and started again
command_topic.py  on which topic a deployed policy commands
launch_arguments.py  what the launch files take, and the plans they make
runner.py         runs a plan without the launch library
launch_files.py   runs a plan with the launch library
robot_view.py     the robot that view.launch.py shows
aftermath.py      what is done when a training has ended
domain.py         a ROS domain of its own for every command
new_task.py       the verb that writes a first task file for a robot
check_task.py     the verb that tries a task out
info.py           what a run or a policy file is
"""
