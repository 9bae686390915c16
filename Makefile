# Targets for people and for CI; both call the same ones. Needs Python 3.11 or newer, make and git.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
HOST ?= 127.0.0.1
PORT ?= 8000
MODEL_CHANGE := var/model-change
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
# Each test starts from what was compiled before, and so do the processes that tests start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help database setup run check audit test messages functional looks realdata postgres bench bench-predict bench-explain bench-quality bench-baselines bench-monitor bench-alarms bench-lab bench-page bench-whole bench-http bench-bulk simulate-review soak soak-registry soak-corrections soak-writers soak-api model-change drill explore extension cortex-context check-manifests bench-service try-image clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name it: make PYTHON=python3.12 run")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.txt | $(BIN)/python
	@echo "Installing what the site needs (once, about a minute) …"
	$(PIP) -r requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements.txt requirements-dev.txt requirements-bulk.txt requirements-deploy.txt explore/requirements.txt cortex/requirements.txt | $(BIN)/python
	@echo "Installing what the tests need (once, about a minute) …"
	$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/run.stamp

$(VENV)/explore.stamp: requirements.txt explore/requirements.txt | $(BIN)/python
	@echo "Installing Streamlit (once) …"
	$(PIP) -r requirements.txt -r explore/requirements.txt
	@touch $@

database: $(VENV)/run.stamp  ## make .venv, the local key and the database
	@$(BIN)/python -m genre_site.local_key
	@$(MANAGE) migrate --verbosity 0

setup: database  ## and the first model, if none answers
	@$(MANAGE) collectstatic --no-input --verbosity 0
	@$(MANAGE) ensure_model

run: setup  ## serve on http://127.0.0.1:8000
	@$(MANAGE) ensure_admin
	@echo "Genre Detector: http://$(HOST):$(PORT)  (Ctrl-C stops it)"
	@exec $(BIN)/gunicorn genre_site.wsgi --config genre_site/gunicorn_config.py --bind $(HOST):$(PORT) $(addprefix --workers ,$(WORKERS))

check: $(VENV)/dev.stamp  ## style, types, import rules, migrations, deployment settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile cortex/Dockerfile
	SECRET_KEY=check DATABASE_URL=sqlite://:memory: $(MANAGE) makemigrations --check --dry-run
	@key=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(60))'); set -a; . docs/production.env; set +a; \
	 SECRET_KEY=$$key DATABASE_URL=sqlite://:memory: $(MANAGE) check --deploy --fail-level WARNING

audit: $(VENV)/dev.stamp  ## known vulnerabilities of what is installed; needs the network (AUDIT_OFFLINE=ok lets it pass without)
	.ci/audit

test: $(VENV)/dev.stamp  ## the test-suite: random order, offline, both cores
	$(BIN)/python -m pytest -q -n auto

messages: $(VENV)/dev.stamp  ## collect what is to be translated, and compile what is (needs gettext; docs/translating.md)
	SECRET_KEY=messages DATABASE_URL=sqlite://:memory: $(MANAGE) makemessages --all
	SECRET_KEY=messages DATABASE_URL=sqlite://:memory: $(MANAGE) compilemessages --ignore .venv

functional: $(VENV)/dev.stamp  ## browser journeys in a real Chromium (CHROMIUM=/path names another), real servers and trainings damaged and killed
	$(BIN)/python -m pytest -q -m functional -n auto --dist loadfile

looks: $(VENV)/dev.stamp  ## pictures of every page of the lab, in test-results/ (some minutes)
	$(BIN)/python -m pytest -q -m looks

realdata: $(VENV)/dev.stamp  ## tests on the Kaggle file under GENRE_DATA_DIR
	$(BIN)/python -m pytest -q -m realdata

postgres: $(VENV)/dev.stamp  ## the test-suite, and backup and restore, on a PostgreSQL this starts itself
	.ci/with_postgres sh -c '$(BIN)/python -m pytest -q -n auto && $(BIN)/python -m pytest -q -m functional -k PostgreSQL genre_site/tests/functional/test_backup.py'

bench: bench-predict bench-explain bench-baselines  ## the short benchmarks

bench-predict: $(VENV)/dev.stamp  ## our predict against the bare fastText call
	$(BIN)/python -m benchmarks.predict

bench-explain: $(VENV)/dev.stamp  ## what it costs to say why, and what a text is without the words that decided (GENRE_DATA_DIR)
	$(BIN)/python -m benchmarks.explain

bench-quality: $(VENV)/dev.stamp  ## ours beside its peers on the pinned sets under GENRE_DATA_DIR (some minutes)
	$(BIN)/python -m benchmarks.quality

bench-baselines: $(VENV)/dev.stamp  ## fastText against its baselines, cross-validated (DATA=path)
	$(BIN)/python -m benchmarks.baselines $(DATA)

bench-monitor: $(VENV)/dev.stamp  ## the monitor page with 1,000,000 predictions, SQLite and PostgreSQL (some minutes)
	$(BIN)/python -m benchmarks.monitor

bench-alarms: $(VENV)/dev.stamp  ## false alarms, alarms that fail to come, and how right the audit is (some minutes)
	$(BIN)/python -m benchmarks.alarms

bench-page: $(VENV)/dev.stamp  ## how long one waits for a book's genres and their arc, and for a table of 5,000 texts (a minute)
	$(BIN)/python -m benchmarks.page

bench-whole: $(VENV)/dev.stamp  ## how a long text is best answered as a whole, on real texts under GENRE_DATA_DIR (a minute)
	$(BIN)/python -m benchmarks.whole

bench-http: $(VENV)/dev.stamp  ## requests per second of the API beside FastAPI and Annif; needs wrk (some minutes)
	$(BIN)/python -m benchmarks.http

bench-service: $(VENV)/dev.stamp  ## requests per second of the prediction service beside FastAPI; needs wrk (2 minutes)
	$(BIN)/python -m benchmarks.service

bench-bulk: $(VENV)/dev.stamp  ## texts per second and core of predict_corpus, beside a bare loop of predict (some minutes)
	$(BIN)/python -m benchmarks.bulk

bench-lab: $(VENV)/dev.stamp  ## how long one waits for each page of the lab, and its memory (some minutes)
	$(BIN)/python -m benchmarks.lab

simulate-review: $(VENV)/dev.stamp  ## how many reviews the queue's order saves, and how many planted label errors it finds (a quarter of an hour)
	$(BIN)/python -m benchmarks.simulate_review

soak: soak-registry soak-corrections soak-writers soak-api  ## the long runs under load

soak-api: $(VENV)/dev.stamp  ## made-up and hostile requests against the API (some minutes)
	$(BIN)/python -m benchmarks.soak_api

soak-registry: $(VENV)/dev.stamp  ## 50 changes of the champion under load: no failed request, no late answer (2 minutes)
	$(BIN)/python -m benchmarks.soak_registry

soak-corrections: $(VENV)/dev.stamp  ## 20 kills under load, SQLite and PostgreSQL: every acknowledged correction is there once (2 minutes)
	$(BIN)/python -m benchmarks.soak_corrections

soak-writers: $(VENV)/dev.stamp  ## 16 writers on SQLite for a minute: nobody is told that the database is locked
	$(BIN)/python -m benchmarks.soak_writers

# With BENCH_QUICK two kinds and fewer requests: it shows that the drill runs.
DRILL_QUICK := --kind drop-genre --kind swap-genres --requests 4000 --retrainings 1
DRILL = $(MANAGE) drill --metrics-file benchmarks/results/drill.json $(if $(BENCH_QUICK),$(DRILL_QUICK))
drill: setup  ## bad models on a copy of the site: blocked, noticed, rolled back; report in var/drill.html (some minutes)
	$(DRILL)

# SABOTAGE=kind and STRENGTH=share train a bad model, to watch it being stopped; none and default leave them out. It makes
# no champion, so that a candidate is never held against its twin; AGAINST=none needs none. The candidate plays the drill.
model-change: database  ## train a model, hold it against the champion, drill; stops at the first no (SABOTAGE= STRENGTH= AGAINST=)
	$(MANAGE) train $(addprefix --sabotage ,$(filter-out none,$(SABOTAGE))) $(addprefix --strength ,$(filter-out default,$(STRENGTH)))
	$(MANAGE) gate newest --metrics-file $(MODEL_CHANGE)/gate.json $(addprefix --against ,$(filter-out champion,$(AGAINST)))
	$(DRILL) --champion newest

explore: $(VENV)/explore.stamp  ## the lab: Streamlit on the dataset and the models
	@$(BIN)/python -m genre_site.local_key
	$(BIN)/streamlit run explore/app.py

extension: | $(BIN)/python  ## the browser extension as a zip in var/extension/, the same bytes each time
	@$(BIN)/python -m extension.package

# MODEL=models/m7 bakes that model in; without it the image fetches what MODEL_URI names.
cortex-context: $(VENV)/run.stamp  ## what the service's image is built from, in var/cortex/context.tar, the same bytes each time (MODEL=folder)
	@$(BIN)/python -m cortex.context $(MODEL)

try-image: $(VENV)/dev.stamp  ## build the service's image with Debian's buildah and run it (MODEL=folder; root; says so where that is not to be had)
	cortex/try_image.sh $(MODEL)

# KServe's package wants older versions of what we use, and the Gateway API's models are for Node: both stay beside ours.
MANIFESTS := var/manifests
$(MANIFESTS)/kserve/done:
	@echo "Installing KServe's package (once) …"
	$(PYTHON) -m venv --clear $(MANIFESTS)/kserve
	$(MANIFESTS)/kserve/bin/pip --disable-pip-version-check install --quiet kserve==0.21.0
	@touch $@

$(MANIFESTS)/node_modules/done:
	npm install --prefix $(MANIFESTS) --no-audit --no-fund @kubernetes-models/gateway-api@2.0.0
	@touch $@

check-manifests: $(VENV)/dev.stamp $(MANIFESTS)/kserve/done $(MANIFESTS)/node_modules/done  ## what is written for Kubernetes and KServe against their makers' models; needs npm
	$(BIN)/python -m pytest -q -m functional cortex/tests/functional/test_schemas.py

clean:  ## remove the environment and caches; the database and the models stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis var/static
