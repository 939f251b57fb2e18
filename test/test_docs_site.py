"""The pages hang together, as far as that is seen without Sphinx: `make docs` builds them, warnings being errors."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from doc_pages import DOCS, PAGES, ROOT, Page, read
from reference_generator import FOLDER, pages, wires, write
from reference_generator.copies import COPIED

GENERATED = {f"{FOLDER}/{name}" for name in pages()}
by_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)


def listed() -> list[str]:
    """Pages that the tables of contents name."""
    blocks = [text for language, text in read(DOCS / "index.md").blocks if language == "{toctree}"]
    return [line for block in blocks for line in block.splitlines() if line and not line.startswith(":")]


def test_each_page_is_in_a_table_of_contents_once() -> None:
    there = {path.stem for path in DOCS.glob("*.md")} - {"index"} | {name.removesuffix(".md") for name in GENERATED}
    assert sorted(listed()) == sorted(there)


def target(page: Path, link: str) -> tuple[Page | None, str]:
    """The page that a link leads to, None where it is no page, and its anchor; it must exist."""
    path, _, anchor = link.partition("#")
    file = (page.parent / path).resolve() if path else page
    assert not file.is_relative_to(DOCS / FOLDER), f"{page.name}: {link} exists on the site alone"
    assert file.exists(), f"{page.name}: {link}"
    assert file.is_relative_to(ROOT), link
    return (read(file) if file.suffix == ".md" else None), anchor


@by_page
def test_each_link_and_anchor_resolves(path: Path) -> None:
    for link in read(path).links():
        if not re.match(r"https?:|mailto:", link):
            page, anchor = target(path, link)
            assert not anchor or (page is not None and anchor in page.anchors()), f"{path.name}: {link}"


@by_page
def test_each_picture_is_a_file_beside_the_pages(path: Path) -> None:
    for picture in read(path).pictures():
        assert not re.match(r"https?:", picture), "a page loads nothing from other machines"
        assert (path.parent / picture).resolve().parent == DOCS, picture


def test_links_of_the_site_that_leave_its_folder_lead_to_pages_that_are_copied_or_to_files_of_the_package() -> None:
    for path in DOCS.glob("*.md"):
        for link in read(path).links():
            if link.startswith("../"):
                name = link.removeprefix("../").partition("#")[0]
                is_named = name == "README.md" or re.match(r"(test|config|sac_control)/", name)
                assert name in COPIED or is_named, f"{path.name}: {link}"


def test_copied_pages_lead_where_the_originals_do() -> None:
    for source, name in COPIED.items():
        page = read(ROOT / source)
        copy = pages()[name]
        for link in page.links():
            if not link.startswith("http"):
                moved = f"../{link.removeprefix('docs/')}" if link.startswith("docs/") else f"../../{link}"
                assert f"]({moved})" in copy


def test_reference_is_written_where_no_checkout_keeps_it_and_stays_as_old_as_it_is(tmp_path: Path) -> None:
    write(tmp_path)
    assert {f"{FOLDER}/{path.name}" for path in (tmp_path / FOLDER).iterdir()} == GENERATED
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / FOLDER).iterdir()}
    (tmp_path / FOLDER / "of_before.md").touch()
    write(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / FOLDER).iterdir()} == before
    assert f"/docs/{FOLDER}/" in (ROOT / ".gitignore").read_text().split()


def test_pictures_of_the_concepts_name_topics_nodes_and_folders_that_exist() -> None:
    def words(name: str) -> set[str]:
        return {text.text or "" for text in ElementTree.parse(DOCS / name).iter("{http://www.w3.org/2000/svg}text")}

    nodes = words("nodes.svg")
    shown = {"joint_states", "policy/action", "transitions", "learner/credit", "policy_weights"}
    assert shown <= nodes & {topic.name for topic in wires.all_topics()}
    assert {"simulator", "policy", "learner"} <= nodes & set(wires.NODES)
    folders = {word for text in words("imports.svg") for word in re.findall(r"(\w+)/", text)}
    assert folders == {path.parent.name for path in (ROOT / "sac_control").glob("*/__init__.py")}


def test_configuration_asks_for_what_make_docs_installs_and_the_extra_names() -> None:
    pinned = dict(re.findall(r"^([\w-]+)==([\w.]+)", (DOCS / "requirements.txt").read_text(), re.MULTILINE))
    assert set(pinned) == {"sphinx", "myst-parser", "furo", "latex2mathml"}
    extra = re.search(r'"docs": (\[.*?\])', (ROOT / "setup.py").read_text())
    assert extra is not None
    assert {re.split(r"[>=<]", each)[0] for each in ast.literal_eval(extra[1])} == set(pinned)
    assert not set(pinned) & set(
        re.findall(r"^([\w-]+)==", (ROOT / ".ci" / "requirements.txt").read_text(), re.MULTILINE)
    )
