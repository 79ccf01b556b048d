# One command each; all do their own set-up.
#   make         build/bin/mutatenn and build/bin/mutatenn-worker
#   make test    every test            make test-slow   the long ones too
#   make test-devices     the conformance suite of devices alone
#   make worker-aarch64   the worker for ARM machines, as a tarball
#   make demo    the example campaign into build/demo
#   make bench   figures into bench/results
#   make asan    unit tests under ASan and UBSan
#   make format / tidy / docs / goldens
PRESET ?= release
PYTHON := $(CURDIR)/.venv/bin/python
BUILD := build
JOBS ?= $(shell nproc)

.PHONY: all setup build test test-slow test-devices worker-aarch64 demo bench asan format tidy docs goldens clean
all: build

setup:
	@tools/setup

build: setup
	@cmake --preset $(PRESET) -DPython3_EXECUTABLE=$(PYTHON) --log-level=WARNING
	@cmake --build $(BUILD) -j $(JOBS)

test: build
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS) -LE slow

test-slow: build
	@MUTATENN_SLOW_TESTS=1 ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

# For ARM machines: build-aarch64/mutatenn-worker-aarch64.tar.gz, with TVM's runtime.
worker-aarch64: setup
	@tools/worker-aarch64 build-aarch64 $(PYTHON)

test-devices: build worker-aarch64
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS) -R "^devices/|^opencl/|OpenClCampaign"

demo: build
	@$(BUILD)/bin/mutatenn run examples/quickstart/campaign.json --out $(BUILD)/demo
	@$(BUILD)/bin/mutatenn report $(BUILD)/demo --json $(BUILD)/demo/report.json --quiet
	@$(BUILD)/bin/mutatenn report $(BUILD)/demo --format paper --out $(BUILD)/demo/paper --quiet
	@echo "Results: $(BUILD)/demo/campaign.db, $(BUILD)/demo/report.json, $(BUILD)/demo/paper/"

# One driver after the other, on a machine that does nothing else; about an hour. A driver may also
# be run alone (each has --quick or --only), then bench/summary.py.
bench: build
	@cmake --build $(BUILD) -j $(JOBS) --target bench-peak bench-original bench-store
	@$(PYTHON) bench/onnxruntime_ratio.py --original $(BUILD)/bin/bench-original --shared ../shared --out bench/results
	@$(PYTHON) bench/rebuild_ratio.py --mutatenn $(BUILD)/bin/mutatenn --out bench/results
	@$(PYTHON) bench/scaling.py --mutatenn $(BUILD)/bin/mutatenn --out bench/results
	@$(PYTHON) bench/catalogue.py --mutatenn $(BUILD)/bin/mutatenn --out bench/results
	@$(PYTHON) bench/analysis.py --mutatenn $(BUILD)/bin/mutatenn --store $(BUILD)/bin/bench-store --out bench/results
	@$(PYTHON) bench/summary.py --out bench/results --peak $(BUILD)/bin/bench-peak

asan:
	@$(MAKE) --no-print-directory setup
	@cmake --preset asan -DPython3_EXECUTABLE=$(PYTHON) --log-level=WARNING
	@cmake --build build-asan -j $(JOBS)
	@ctest --test-dir build-asan --output-on-failure -j $(JOBS) -L unit

format:
	@tools/format
tidy: build
	@tools/tidy $(BUILD)
docs: build
	@tools/update-docs $(BUILD)/bin/mutatenn
goldens: build
	@tools/update-goldens $(BUILD)

clean:
	@rm -rf build build-asan build-aarch64
