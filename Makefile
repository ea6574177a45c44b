# The few commands people type. Each prepares what it needs (tools, virtual environment, sources), then calls the one
# program that does the work; everything that is already there stays. Logs of the steps: build/logs.
PYTHON ?= python3
# The extras of pyproject.toml that `make test` installs; torch is not among them, as it takes 700 MB. Where Chromium is,
# it tries the explorer page, too.
comma := ,
TEST_EXTRAS ?= test,keras,tflite,sklearn,plot$(if $(shell command -v chromium),$(comma)web)
# Another MicroPython than the one that versions.env names: make MICROPYTHON=1.26.1 test. All it needs are pins in
# micropython/versions.
MICROPYTHON ?=

venv := build/venv/bin
start := $(shell date +%s)
total = @echo "$@: done after $$(($$(date +%s) - $(start))) s"
# ninja's own progress: [steps done/steps, seconds]
build = @NINJA_STATUS='[%f/%t, %e s] ' cmake --build build/host --target
configured = grep -qsx "MICROPYTHON:STRING=$(MICROPYTHON)" build/host/CMakeCache.txt
# The tests and harnesses in C, which only those build that run them.
c_tests := tests/native_module/all tests/reliability/all

help:
	@echo "make demo      from nothing to the published networks running on an emulated Pico"
	@echo "make test      C tests under sanitizers, host tools, anne on every backend; ends with a table of them"
	@echo "make bench     speed and memory on the emulated Pico, beside other ways; build/bench.json, .svg, docs/benchmarks.md"
	@echo "make costs     measures what layers cost, for anne inspect, into boards/prices_*.py and docs/costs*.md"
	@echo "make accuracy  the examples' accuracy in every type, here and on the emulated Pico; docs/accuracy.md"
	@echo "make firmware  build/anne-pico.uf2, anne-pico-models.uf2 (1 MB for models in flash) and anne-pico2.uf2, for boards"
	@echo "make runtime   build/natmod: AI-ANNE as files for boards with MicroPython's own firmware"
	@echo "make flash-cache  the emulator with silicon's flash cache (docs/flash_cache.md); part of make test and make bench"
	@echo "make explorer  build/anne-explorer.html, a page that shows every neuron; needs nothing to run but a browser"
	@echo "make test-web  the page in a real browser (Chromium, installed if missing); part of make test where it is there"
	@echo "make size      flash and RAM taken by the native module, room by room, and the anne package"
	@echo "make soak      the harnesses of docs/reliability.md in full, hours; ROWS=\"name name\" picks some"
	@echo "make reliability  the same in the short form that is part of make test"
	@echo "make docs      the pages of docs/ as a site: build/site/index.html"
	@echo "make check     style: ruff, clang-format, shellcheck; and the site of docs/, without a warning"
	@echo "make format    mends what make check says about layout"
	@echo "make release   dist/: wheels, sdist, firmwares, .mpy files, checksums, sizes, notes; for who need not build"
	@echo "make clean     removes build/ and dist/"
	@echo "MICROPYTHON=1.26.1 behind any of them takes another MicroPython than the default"

demo: emulator
	@$(venv)/anne demo
	$(total)
	@echo
	@echo "Next, a prompt on such a Pico, with a network in its storage:"
	@echo "  . $(venv)/activate"
	@echo "  anne emulate --put examples/networks/iris-8.anne"
	@echo "and type there:"
	@echo "  import anne; net = anne.load('iris-8.anne'); net.classify([5.9, 3.0, 4.2, 1.5])"

bench: emulator size
	$(build) anne-bench
	@$(venv)/anne bench --on emulator --uf2 build/anne-bench.uf2 --output build/bench.json
	@$(venv)/python benchmark/compare.py --output build/bench.json --plot build/bench.svg
	@$(venv)/python benchmark/pico2.py --output build/bench.json
	@$(venv)/python host_tools/page_tables.py
	@$(venv)/python host_tools/energy_page.py
	$(total)

costs: emulator
	@$(venv)/python host_tools/measure_costs.py build/anne-pico.uf2
	@$(venv)/python host_tools/measure_costs.py --pico2
	@$(venv)/python host_tools/energy_page.py
	$(total)

accuracy: emulator
	@$(venv)/python examples/accuracy_table.py
	@$(venv)/python host_tools/page_tables.py
	@$(venv)/python host_tools/energy_page.py
	$(total)

test: prepare
	$(build) install $(c_tests) firmware micropython-unix qemu-m0 qemu-m33 runtime fuzzer
	$(build) stock -- -k 0 || cat build/sources-*/missing # of what Debian has dropped; else this fails, too
	@$(venv)/python web/build.py --if-possible build/web build/anne-explorer.html
	@ctest --test-dir build/host --output-on-failure --no-tests=error
	@$(venv)/python -m pytest --numprocesses=auto --dist=loadfile
	$(total)

soak reliability: prepare
	$(build) install $(c_tests) firmware micropython-unix fuzzer
	@$(venv)/python tests/reliability/rows.py $(if $(filter soak,$@),--soak) $(ROWS)
	$(total)

firmware: prepare
	$(build) firmware
	@ls -l build/anne-*.uf2
	$(total)

# What `anne deploy --runtime` brings onto boards with MicroPython's own firmware.
runtime: prepare
	$(build) runtime
	@ls -l build/natmod/*.mpy
	$(total)

release: prepare
	$(build) install firmware runtime
	@$(venv)/python web/build.py build/web build/anne-explorer.html
	@$(venv)/python host_tools/release.py
	$(total)

# rp2040py with a model of the flash cache, in the virtual environment: 40 s of one core, once.
flash-cache: prepare
	$(total)

explorer: prepare
	$(build) install
	@$(venv)/python web/build.py build/web build/anne-explorer.html
	$(total)

test-web: explorer
	@$(venv)/python web/pictures.py build/anne-explorer.html docs
	@$(venv)/python -m pytest tests/web
	$(total)

size: prepare
	$(build) anne-pico bare-pico natmod
	@$(venv)/python micropython/report_size.py build/anne-pico.elf build/bare-pico.elf \
		build/firmware/anne-pico
	@$(venv)/python micropython/natmod/report_sizes.py build/natmod/_anne-*.mpy

# Read anew each time, as a warning is told only when a page is read.
site = @$(venv)/python -m sphinx -q -E -a -W --keep-going -c docs/sphinx -d build/doctrees . build/site

docs: prepare
	$(site)
	@echo "build/site/index.html is the way in"
	$(total)

check: prepare
	@$(venv)/ruff check .
	@$(venv)/ruff check --preview --select PLW1514 host_tools/anne_tools # Windows opens text files otherwise
	@$(venv)/ruff format --check .
	@git ls-files '*.c' '*.h' | xargs $(venv)/clang-format --dry-run -Werror
	@$(venv)/shellcheck --external-sources $$(git ls-files '*.sh') .ci/run
	$(site)
	$(total)

format: prepare
	@$(venv)/ruff check --fix .
	@$(venv)/ruff format .
	@git ls-files '*.c' '*.h' | xargs $(venv)/clang-format -i

clean:
	rm -rf build dist

# --- What the commands above share ---------------------------------------------------------------------------------

# All that runs on the emulated Pico.
emulator: prepare
	$(build) install anne-pico

# The virtual environment with the extras in EXTRAS, and the build tree of CMakeLists.txt, whose "install" puts
# libanne.so where the editable package in the environment finds it.
prepare:
	@$(PYTHON) host_tools/bootstrap.py --extras "$(EXTRAS)" $(FUZZER) $(QEMU) $(RISCV) $(FLASH_CACHE) $(EXPLORER) $(BROWSER)
	@$(configured) || echo "preparing the build (some seconds)"
	@$(configured) || cmake -DMICROPYTHON:STRING=$(MICROPYTHON) -G Ninja -S . -B build/host --log-level=WARNING \
		-DPython3_EXECUTABLE=$(CURDIR)/$(venv)/python \
		-DCMAKE_INSTALL_PREFIX=$$($(venv)/python -c 'import sysconfig; print(sysconfig.get_path("platlib"))')

explorer release: EXPLORER = --explorer
test-web: BROWSER = --browser
test-web: EXTRAS = $(TEST_EXTRAS),web
bench: EXTRAS = bench,plot
test soak reliability: EXTRAS = $(TEST_EXTRAS)
test soak reliability: FUZZER = --fuzzer
test bench costs: QEMU = --qemu
soak: RISCV = --riscv
test bench costs accuracy soak flash-cache: FLASH_CACHE = --flash-cache
accuracy: EXTRAS = examples
check format docs: EXTRAS = check,docs

.PHONY: help demo bench costs accuracy test test-web explorer soak reliability firmware runtime release flash-cache size docs \
	check format clean emulator prepare
