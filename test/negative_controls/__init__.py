"""Protections of the package, what takes their place, and the test that must then fail. Each table says of what kind.

``LONG`` tables take minutes, and run in the full form alone.
"""

# By the files with the tests: file of the package, what protects, what takes its place, the name of the test.
Controls = dict[tuple[str, ...], list[tuple[str, str, str, str]]]
