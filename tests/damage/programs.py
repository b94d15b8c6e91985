# SPDX-License-Identifier: BSD-2-Clause
"""The programs of this folder as modules."""
import importlib.machinery
import importlib.util
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def load(name, file):
    """The script `file` of this folder as module `name`."""
    if name not in sys.modules:
        loader = importlib.machinery.SourceFileLoader(name, os.path.join(HERE, file))
        module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
        sys.modules[name] = module
        loader.exec_module(module)
    return sys.modules[name]


def runner():
    return load("damage_run", "run")


_provoke = load("damage_provoke", "provoke")
all_ids, read_list, try_one, read_recipes = _provoke.all_ids, _provoke.read_list, _provoke.try_one, _provoke.read_recipes
