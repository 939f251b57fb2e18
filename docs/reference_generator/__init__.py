"""The reference of the site, generated from the code; see `pages`.

markdown.py        tables, and text that stands for itself
wires.py           topics and services, who publishes and who listens; messages
settings.py        parameters of every node
commands.py        verbs with their options, launch arguments, exit codes
environment.py     environment variables
copies.py          pages that stand at the root of the repository
"""

from __future__ import annotations

from pathlib import Path

from reference_generator import commands, copies, environment, settings, wires

FOLDER = "reference"  # below docs/; generated, and so not kept


def pages() -> dict[str, str]:
    """Every generated page: name of its file and text."""
    return {
        "commands.md": commands.commands(),
        "launch.md": commands.launch_arguments(),
        "exit_codes.md": commands.exit_codes(),
        "parameters.md": settings.parameters(),
        "topics.md": wires.topics_and_services(),
        "messages.md": wires.messages(),
        "environment.md": environment.variables(),
        **copies.copies(),
    }


def write(docs: Path) -> None:
    """Write every page below `docs`; one that says what it said stays as old as it is."""
    folder = docs / FOLDER
    folder.mkdir(exist_ok=True)
    content = pages()
    for name, text in content.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    for path in folder.glob("*.md"):
        if path.name not in content:
            path.unlink()
