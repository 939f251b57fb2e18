"""Makes environments of Gymnasium, or says in one sentence why one cannot be made. Imports Gymnasium when asked."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any

from sac_control.errors import ConfigError
from sac_control.option import suggest
from sac_control.tasks.gymnasium_reference import PREFIX, GymnasiumReference

if TYPE_CHECKING:
    import gymnasium
    from gymnasium.envs.registration import EnvSpec

_EXTRAS = "gymnasium.envs."  # the modules below are the extras that they need
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def make(reference: GymnasiumReference, render_mode: str | None = None) -> gymnasium.Env[Any, Any]:
    """The environment, which never truncates but by itself: whoever steps it counts.

    Raises:
        ConfigError: it is not registered, a package is missing, or it refuses its arguments.
    """
    try:
        import gymnasium
        from gymnasium import error
    except ImportError:
        raise ConfigError(
            f"{reference.text} needs gymnasium, which is not installed: {sys.executable} -m pip install gymnasium"
        ) from None
    try:
        env = gymnasium.make(
            reference.id,
            max_episode_steps=-1,
            disable_env_checker=True,
            render_mode=render_mode,
            **reference.arguments,
        )
    except (error.UnregisteredEnv, error.DeprecatedEnv) as problem:
        raise ConfigError(_not_registered(reference, problem)) from None
    except (error.DependencyNotInstalled, ImportError) as problem:
        raise missing(reference, problem) from None
    except Exception as problem:
        _check_arguments(reference)
        raise ConfigError(f"{reference.text} cannot be made: {_on_one_line(problem)}") from problem
    try:
        _check_arguments(reference)
    except ConfigError:
        env.close()
        raise
    return env


def registered(env: gymnasium.Env[Any, Any]) -> EnvSpec:
    """What `env` was registered with: the length of its episodes, the return that counts as solved."""
    import gymnasium

    assert env.unwrapped.spec is not None
    return gymnasium.spec(env.unwrapped.spec.id)


def missing(reference: GymnasiumReference, problem: Exception) -> ConfigError:
    """That a package is missing, and the command that installs it."""
    module = _module(reference)
    extra = module.removeprefix(_EXTRAS).split(".")[0].replace("_", "-") if module.startswith(_EXTRAS) else ""
    if extra:
        return ConfigError(
            f"{reference.text} needs the extra {extra} of gymnasium, which is not installed: "
            f'{sys.executable} -m pip install "gymnasium[{extra}]"'
        )
    return ConfigError(f"{reference.text} needs a package that is missing: {_on_one_line(problem)}")


def with_box(reference: GymnasiumReference) -> str:
    """Which environment to choose in place of one whose spaces are no Box."""
    stem = _plain(reference.id).rpartition("-v")[0]
    found = [name for name in _names() if name.startswith(f"{stem}Continuous")]
    return f"{PREFIX}{max(found, key=_version)}" if found else f"one such as {PREFIX}Pendulum-v1"


def _not_registered(reference: GymnasiumReference, problem: Exception) -> str:
    name = _plain(reference.id)
    stem = name.rpartition("-v")[0] or name
    versions = [each for each in _names() if each.rpartition("-v")[0] == stem]
    if versions:
        return f"{reference.text} is not registered with Gymnasium; did you mean {', '.join(sorted(versions))}?"
    hint = "" if reference.names_module else f"; one of your own: {PREFIX}MODULE:{name}"
    return f"{reference.text} is not registered with Gymnasium; {suggest(name, _names())}{hint}"


def _check_arguments(reference: GymnasiumReference) -> None:
    """See that the environment takes each argument, as far as what makes it says what it takes."""
    from gymnasium.envs.registration import load_env_creator

    spec = _spec(reference)
    if spec is None or spec.entry_point is None:
        return
    creator = load_env_creator(spec.entry_point) if isinstance(spec.entry_point, str) else spec.entry_point
    parameters = inspect.signature(creator).parameters
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())
    known = [name for name in parameters if name not in ("render_mode", "args", "kwargs")]
    for name, value in reference.arguments.items():
        if name not in parameters and not takes_any:
            raise ConfigError(f"{reference.text}: {name} is not known; {suggest(name, known)}")
        default = spec.kwargs.get(name, parameters[name].default) if name in parameters else None
        if default is not None and not _fits(value, type(default)):
            raise ConfigError(f"{reference.text}: {name} is {value!r}, expected {_WORDS[type(default)]}")


def _fits(value: object, kind: type) -> bool:
    """Whether `value` may stand where a value of `kind` does by default."""
    if kind not in _WORDS:
        return True
    return type(value) is kind or (kind is float and type(value) is int)


def _module(reference: GymnasiumReference) -> str:
    """The module that makes the environment."""
    spec = _spec(reference)
    entry = spec.entry_point if spec is not None else ""
    return entry if isinstance(entry, str) else ""


def _spec(reference: GymnasiumReference) -> EnvSpec | None:
    """What is registered under its name, or under the newest version where it names none."""
    import gymnasium

    name = _plain(reference.id)
    versions = [each for each in gymnasium.registry if each == name or each.rpartition("-v")[0] == name]
    return gymnasium.registry[max(versions, key=_version)] if versions else None


def _version(name: str) -> int:
    number = name.rpartition("-v")[2]
    return int(number) if number.isdecimal() else 0


def _plain(name: str) -> str:
    """An id without the module that registers it."""
    return name.rpartition(":")[2]


def _names() -> list[str]:
    import gymnasium

    return sorted(gymnasium.registry)


def _on_one_line(problem: Exception) -> str:
    return " ".join(str(problem).split()) or type(problem).__name__
