PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export MLFLOW_DISABLE_TELEMETRY := true
export OMP_WAIT_POLICY ?= active

.PHONY: demo test check check-house fingerprint bench scale benchmark slow ui publish serve stop doctor

demo: $(if $(wildcard .venv/installed),.venv/installed,.venv/demo)  ## a trained model at once, then from data to an evaluated model and its table
	@mkdir -p results
	@python -m pipelines.tools.first_look results/swaps.mp4
	@s3vae explore --model dsprites -o results/explorer.html --force
	@echo "A first look: results/swaps.mp4 and results/explorer.html. Now the pipeline:"
	dvc pull --quiet --remote judges judge@dsprites || echo "The judge of the project was not taken: dvc repro trains it if need be."
	dvc repro evaluate@dsprites-s3vae-plus
	dvc repro --single-item table
	@cat results/table.md
	@echo "Look next: results/scores/dsprites/s3vae-plus/pictures/swap.gif; then: dvc repro (adds faces), make ui"

# active waiting would occupy cores that the processes of the tests need
test slow: export OMP_WAIT_POLICY = passive

test: .venv/installed
	OMP_NUM_THREADS=1 pytest --numprocesses auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder

slow: .venv/installed  ## tests that take minutes or need a server
	pytest -m slow

check: .venv/installed
	ruff check .
	ruff format --check .
	mypy s3vae pipelines
	lint-imports
	sed 's/cache: true/cache: false/' dvc.yaml | cmp - benchmark/dvc.yaml  # make benchmark/dvc.yaml

check-house: .venv/installed  ## sizes of code and docs beside their bars
	@python -m pipelines.tools.house

fingerprint: .venv/installed  ## hash every method's weights after six steps, to compare before and after a change
	@python -m pipelines.tools.fingerprint

bench: .venv/installed  ## measure throughput, each alternative in the same run
	python -m pipelines.tools.bench
	python -m pipelines.tools.bench_use

scale: .venv/installed  ## measure every stage at 1, 4 and 16 times the data, for docs/scale.md
	python -m pipelines.tools.scale

benchmark/dvc.yaml: dvc.yaml  ## the same DAG with another params.yaml
	sed 's/cache: true/cache: false/' dvc.yaml > $@

benchmark: .venv/installed benchmark/dvc.yaml  ## print the remaining stages and their time, then compute the paper's table
	python -m pipelines.tools.remaining
	dvc repro benchmark/dvc.yaml
	dvc repro --single-item docs/dvc.yaml:report

publish: .venv/installed  ## log to MLflow the results that came from a cache or a clone
	python -m pipelines.tracking.publish

serve: .venv/installed  ## start Prefect's server and a worker on this machine, and deploy prefect.yaml
	python -m pipelines.tools.serve start

stop: .venv/installed
	python -m pipelines.tools.serve stop

doctor: .venv/installed  ## report problems of this installation and their remedies
	python -m pipelines.tools.doctor

ui: .venv/installed
	@echo "http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning"
	MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false mlflow ui --workers 1 --backend-store-uri sqlite:///mlflow.db

INSTALL = $(if $(shell command -v uv),uv pip install --python $(BIN)/python,$(BIN)/pip install)
.venv/demo: EXTRAS := pipeline,export
.venv/installed: EXTRAS := dev
.venv/demo .venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(INSTALL) --quiet --editable '.[$(EXTRAS)]' --constraint constraints.txt
	touch $@
