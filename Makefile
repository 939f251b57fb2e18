# Development and first use on a machine without a ROS installation: Linux x86-64, Python 3.10 to 3.13, a C++ compiler.
# In a ROS 2 workspace none of this is needed: colcon build.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help setup train test faults lint format type bench docs colcon clean another_python

BIN := .venv/bin

# ROS=jazzy chooses the distribution, PYTHON=/path/to/python3.12 the interpreter; .venv is made anew where it has another.
# Not ROS_DISTRO: a shell in which an installed ROS was sourced has that.
ROS := $(or $(shell cat .venv/.distribution 2>/dev/null),kilted)
# Two sets of packages: what the command `sac_control` needs for what README does first, and all there is.
USE := .venv/.installed-$(ROS)
ALL := .venv/.installed-all-$(ROS)
version_of = $(shell $1 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
FORM := full

# Tests mostly wait, for processes and for time to pass: one worker more than there are processors. Eight at most, each has
# torch and a few nodes. What must not run side by side: test/conftest.py.
unexport PYTHONDONTWRITEBYTECODE  # hundreds of processes load the same files
SIDE_BY_SIDE := -n $(shell n=$$(nproc) && echo $$((n < 7 ? n + 1 : 8)))

# The virtual environment is a ROS installation (an "ament prefix"): this is where tools look packages up.
export AMENT_PREFIX_PATH := $(CURDIR)/.venv
export CMAKE_PREFIX_PATH := $(CURDIR)/.venv

help:  ## this list
	@echo 'make TARGET [ARGS="..."]'
	sed -nE 's/^([a-z]+):.*## (.*)/  \1\t\2/p' Makefile | expand -t 12

setup: $(ALL)  ## put everything into .venv; each target below does it on first use, `train` the smaller part of it

train: $(USE)  ## train the pendulum until solved and hardened (ARGS="--seed 3")
	@$(BIN)/sac_control train $(ARGS)

test: $(ALL)  ## run the tests, each promise once, minutes (ARGS="-x -k swap", ARGS="-n 0 -s" in one process)
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not long" $(ARGS)

faults: $(ALL)  ## every fault at full length, over an hour (ARGS="-k soak"); FORM=short: what `make test` leaves out
	@export SAC_CONTROL_FAULTS=$(FORM)
	case $(FORM) in
	    full) $(BIN)/python -m pytest -s -m "faults or long" $(ARGS) ;;  # one by one: the figures are printed
	    short) $(BIN)/python -m pytest $(SIDE_BY_SIDE) -m long $(ARGS) ;;
	    *) echo "make faults: FORM is '$(FORM)', expected full or short" >&2; exit 2 ;;
	esac

lint: $(ALL)  ## check style and format
	@$(BIN)/ruff check
	$(BIN)/ruff format --check

format: $(ALL)  ## bring the code into format, repair what can be repaired
	@$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

type: $(ALL)  ## check types
	@$(BIN)/mypy

bench: $(ALL)  ## measure beside the peers, which it installs into build/peers (ARGS="--quick" or "--list")
	@$(BIN)/python -m benchmarks $(ARGS)

docs: $(ALL) build/docs/.installed  ## build the site of docs/, with a generated reference, in build/docs/html
	@PYTHONPATH=build/docs/packages $(BIN)/python -m sphinx -q -W --keep-going -d build/docs/doctrees docs build/docs/html
	echo "the site: build/docs/html/index.html"

colcon: $(ALL)  ## build as a ROS 2 workspace does, in build/colcon (ARGS="--symlink-install")
	@mkdir -p build/colcon
	cd build/colcon
	../../$(BIN)/colcon build --base-paths ../.. $(ARGS)
	echo "now: source build/colcon/install/setup.bash"

clean:  ## remove .venv and everything built; runs/ stays
	@rm -rf .venv build docs/reference *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

# Beside .venv, not in it: Sphinx wants another docutils than colcon does, and tests need neither.
build/docs/.installed: docs/requirements.txt | $(ALL)
	@rm -rf build/docs/packages
	echo "docs: packages of the site (95 MB)"
	$(BIN)/python -m pip install -qq --disable-pip-version-check --target build/docs/packages -r docs/requirements.txt
	touch $@

# A stamp comes last: what was interrupted is done again.
REQUIREMENTS := -r .ci/requirements.txt -r .ci/requirements-$(ROS).txt
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
$(USE): .ci/requirements.txt .ci/requirements-$(ROS).txt requirements.txt setup.py setup.cfg CMakeLists.txt package.xml \
    $(wildcard msg/*.msg launch/*.py config/* sac_control/robots/*.urdf sac_control/algorithms/sac/native/*) \
    $(if $(PYTHON),$(if $(filter $(call version_of,$(PYTHON)),$(call version_of,$(BIN)/python)),,another_python))
	@rm -f .venv/.installed*
	die() { echo "make setup: $$*" >&2; exit 1; }
	version_of() { "$$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo "does not run"; }
	machine="$$(uname -s) $$(uname -m)"
	[ "$$machine" = "Linux x86_64" ] || die "this is $$machine, the ROS 2 wheels are for Linux x86_64;" \
	    "anywhere else, build in a ROS 2 workspace with colcon."
	command -v c++ >/dev/null || die "no C++ compiler (c++) was found, the messages need one: apt install g++"
	distribution=$$(cat .venv/.distribution 2>/dev/null || echo kilted)
	version=$$(version_of $(BIN)/python)
	if [[ "$$version" != 3.1[0-3] || "$$distribution" != $(ROS) || \
	    ( -n "$(PYTHON)" && "$$version" != "$$(version_of "$(PYTHON)")" ) ]]; then
	    python= found=
	    for candidate in $(or $(PYTHON),python3.11 python3.10 python3.12 python3.13 python3); do
	        version=$$(version_of "$$candidate")
	        if [[ "$$version" = 3.1[0-3] ]]; then python=$$candidate; break; fi
	        found="$$found, $$candidate ($$version)"
	    done
	    [ -n "$$python" ] || die "Python 3.10 to 3.13 is needed; found: $${found#, }." \
	        "Install one (apt install python3.11-venv) or name it: make PYTHON=/path/to/python3.11"
	    echo "setup 1/3: .venv with Python $$version and ROS 2 $(ROS)"
	    "$$python" -m venv --clear .venv
	    echo $(ROS) >.venv/.distribution
	fi
	echo "setup 2/3: packages (1 GB, of which 0.3 GB are downloaded; minutes on first use)"
	$(PIP) $(REQUIREMENTS)
	echo "setup 3/3: sac_control and its messages (a minute on first use)"
	$(PIP) --no-build-isolation --no-deps -e .
	touch $@

$(ALL): $(USE) .ci/requirements-dev.txt
	@echo "setup: and what tests, checks, benchmarks and extras need (1.2 GB more, torch among it; minutes on first use)"
	$(PIP) $(REQUIREMENTS) -r .ci/requirements-dev.txt
	touch $@

# What there is no file of: an unknown distribution is told by name.
.ci/requirements-%.txt:
	@echo "make setup: ROS=$* is unknown: expected $(patsubst .ci/requirements-%.txt,%,$(wildcard .ci/requirements-*.txt))" >&2
	exit 1
