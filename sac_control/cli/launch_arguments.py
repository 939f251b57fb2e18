"""What the launch files are: their arguments and plans. Needs no launch library: launch_files.py does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sac_control.cli.choice import Argument, choices_of, from_launch, launch_arguments
from sac_control.cli.options import DeploymentOptions, EvaluationOptions, TrainingOptions
from sac_control.cli.plan import Plan, plan_deployment, plan_evaluation, plan_training
from sac_control.errors import ConfigError, SacControlError
from sac_control.option import suggest
from sac_control.system.preflight import CONTROL, SIMULATION


@dataclass(frozen=True, kw_only=True)
class LaunchFile:
    """What a launch file takes and which plan it makes of it."""

    name: str  # of the file
    options: type[Any]  # what may be chosen
    make_plan: Callable[[Any], Plan]  # from those options
    packages: tuple[str, ...] = (*CONTROL, *SIMULATION)  # that its nodes need beside ROS

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """What it takes."""
        return tuple(
            Argument(name=each.name, help=in_launch_words(each.help), default=each.default, choices=each.choices)
            for each in launch_arguments(self.options)
        )

    def plan(self, values: Mapping[str, str]) -> Plan:
        """The plan that all arguments, given or not, make.

        Raises:
            SacControlError: something is refused; where it names an option of the command, its launch argument.
        """
        try:
            return self.make_plan(from_launch(self.options, values))
        except SacControlError as error:
            raise type(error)(in_launch_words(str(error))) from None

    def check_names(self, given: Iterable[str]) -> None:
        """Refuse an argument that does not exist: launch itself would ignore it.

        Raises:
            ConfigError: the first such one, with the nearest that exists.
        """
        names = [argument.name for argument in self.arguments]
        for name in given:
            if name not in names and not name.startswith("launch-prefix"):  # which are arguments of launch itself
                raise ConfigError(f"launch argument {name!r} is not known; {suggest(name, names)}")


TRAIN = LaunchFile(name="train.launch.py", options=TrainingOptions, make_plan=plan_training)
EVALUATE = LaunchFile(name="evaluate.launch.py", options=EvaluationOptions, make_plan=plan_evaluation)
DEPLOY = LaunchFile(name="deploy.launch.py", options=DeploymentOptions, make_plan=plan_deployment, packages=CONTROL)
_LAUNCH_WORDS = {
    each.option: each.in_launch_words
    for file in (TRAIN, EVALUATE, DEPLOY)
    for each in choices_of(file.options)
    if each.about.is_for_launch
}


def in_launch_words(text: str) -> str:
    """A sentence with launch arguments in place of the command's options."""
    return re.sub(r"--([a-z]+(?:-[a-z]+)*)", lambda found: _LAUNCH_WORDS.get(found[1], found[0]), text)
