# make demo    sample a pretrained model, then train a small one on cartoon faces
# make test    the test suite but for its slow tests; all of it with PYTEST="-m ''"
# make fuzz    seeded nonsense and kills for MINUTES, on $KERAS_BACKEND
# make lint    the formatter and the linter
# make docs    the documentation, into site/
# make docs-figures  its tables and pictures, from stored results and the presets; with TRAININGS=1
#                    all presets and comparisons are trained again first, which takes hours
# make preset-NAME   train a preset of the zoo again into runs/NAME, measure it, write its folder
# make wheel   the package, presets included
# All of them set up a virtual environment in $(VENV) first.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PRESETS := $(notdir $(patsubst %/recipe.json,%,$(wildcard zoo/*/recipe.json)))

# On some processors TensorFlow has to be told, and scripts may import Keras first.
export TF_ENABLE_ONEDNN_OPTS ?= 1

.PHONY: demo test fuzz lint docs docs-figures trainings wheel clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[avatars,test]'
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: $(VENV)/.installed
	mkdir -p demo
	$(BIN)/kerasgan sample wgan_gp_fashion_mnist -n 100 --seed 7 --scale 2 --out demo/fashion.png --overwrite
	$(BIN)/kerasgan train wgan_gp --data avatars --image-size 32 --limit 4096 --width 24 \
		--n-critic 2 --lr 5e-4 --ema 0.99 --epochs 20 --run-dir demo/runs
	@echo "Look at demo/fashion.png and at the pictures in demo/runs/*/samples/"

MINUTES ?= 30

fuzz: $(VENV)/.installed
	PYTHONPATH=tests $(BIN)/python tests/robustness/fuzz.py --minutes $(MINUTES)

test: $(VENV)/.installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist loadgroup -m "not slow" $(PYTEST)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

docs: $(VENV)/.installed-dev
	$(BIN)/mkdocs build --strict

docs-figures: $(VENV)/.installed-dev $(if $(TRAININGS),trainings)
	$(BIN)/python benchmarks/divergences.py
	$(BIN)/python benchmarks/two_gaussians.py
	$(BIN)/python tools/docs/pages.py
	$(BIN)/python tools/docs/figures.py

preset-%: $(VENV)/.installed-dev
	rm -rf runs/$*
	$(BIN)/kerasgan zoo train $* --run-dir runs/$* \
		|| [ $$? -eq 3 -a $* = gan_collapsed_fashion_mnist ]  # Which is to collapse.
	$(BIN)/python tools/publish_preset.py $* runs/$*/*

# flow_objectives.py and cures.py keep the trainings that are in their results, so they can continue
# where they stopped. Remove the results to train all again.
trainings: $(VENV)/.installed-dev $(PRESETS:%=preset-%)
	$(BIN)/python benchmarks/fine_tuning.py
	$(BIN)/python benchmarks/flow_objectives.py
	for seed in 0 1 2; do \
		$(BIN)/python benchmarks/gan_against_wgan.py --seed $$seed && \
		$(BIN)/python benchmarks/cures.py few_images --seed $$seed || exit 1; \
	done
	for seed in 0 1; do $(BIN)/python benchmarks/cures.py healthy --seed $$seed || exit 1; done
	for plan in few_images healthy; do $(BIN)/python benchmarks/cures.py $$plan --costs || exit 1; done

wheel: $(VENV)/.installed-dev
	$(BIN)/python -m build --wheel

clean:
	rm -rf build dist demo runs site .pytest_cache .ruff_cache
