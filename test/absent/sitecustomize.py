"""Hides the packages named in ABSENT from the process that finds this file, as if nobody had installed them."""

import os
from importlib.machinery import PathFinder
from importlib.metadata import MetadataPathFinder

ABSENT = os.environ["ABSENT"].split()
find_spec, find_distributions = PathFinder.find_spec, MetadataPathFinder.find_distributions


def find_what_is_not_hidden(name, path=None, target=None):
    return None if name.split(".")[0] in ABSENT else find_spec(name, path, target)


def distributions_that_are_not_hidden(context):
    return () if context.name in ABSENT else find_distributions(context)


PathFinder.find_spec = find_what_is_not_hidden  # type: ignore[method-assign]
MetadataPathFinder.find_distributions = distributions_that_are_not_hidden  # type: ignore
