"""The `sac_control` command, and what it shares with the launch files.

main.py                the command line: its verbs
  new_task.py check_task.py  the verbs about task files
  exam.py              the verb that examines a policy
  plot.py              the verb that draws a run, or compares several
  report.py            the verb that writes one page about a run
  export.py            the verb that writes a policy into one file
  replay.py            the verb that compares a policy with a bag
  watch.py             the verb that shows a run or a robot in the browser
  watch_page.py        the process that serves the page
  info.py                what a run or a policy file is
options.py             what people choose for each, written once
choice.py              makes options of the command and launch arguments of that
plan.py                which nodes make a training, an evaluation or a deployment
plan_checks.py         what is refused before they start
named.py               the run, policy or task that people name
recording.py           the recorder beside them
config_file.py         the complete configuration of a run, as a ROS parameter file
parameter_file.py      ROS parameter files, by the rules of ROS
node_description.py    how one node is started, and started again
plotting.py            what --plot needs, and the process that draws
command_topic.py       on which topic a deployed policy commands
launch_arguments.py    what the launch files take, and the plans they make
runner.py              runs a plan without the launch library
voice.py live_table.py  who tells how a training goes; the table on a terminal
completion.py          what the shell may complete at Tab
launch_files.py        runs a plan with the launch library
ending.py              how long processes that were asked to end may take
aftermath.py           what is done when a training has ended
filming.py             videos that the command makes
next_commands.py       what people may do then
domain.py              a ROS domain of its own for every command
robot_view.py          the robot that view.launch.py shows
"""
