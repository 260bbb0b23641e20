# SPDX-License-Identifier: Apache-2.0
# Sonde. Start with: sudo make run · sudo make test · make help
#
# build/            sonde, generated headers, objects; safe to delete
# The lists below are found, not kept: a new file in its folder is built, tested and fuzzed.

SHELL := /bin/bash
.DEFAULT_GOAL := build
.DELETE_ON_ERROR:
VERSION := $(shell cat VERSION)
ARCH := $(shell uname -m | sed 's/x86_64/x86/;s/aarch64/arm64/')

CC ?= gcc
CLANG ?= clang
# Ubuntu's /usr/sbin/bpftool works only with the tools of the running kernel: take the first that runs
BPFTOOL ?= $(or $(shell for t in bpftool /usr/sbin/bpftool /usr/lib/linux-tools/*/bpftool; do \
	$$t version >/dev/null 2>&1 && echo $$t && break; done),bpftool)
B := build

# make V=1 shows whole commands
Q := $(if $(V),,@)
SAY = $(if $(V),@:,@printf '  %-5s %s\n')

LIBS := libbpf libelf zlib libmicrohttpd libcurl jansson yaml-0.1 libxxhash
# pkg-config is asked only when something is compiled: `make deps` runs before the libraries are there
LIB_CFLAGS = $(eval LIB_CFLAGS := $$(shell pkg-config --cflags $(LIBS)))$(LIB_CFLAGS)
LIB_LIBS = $(eval LIB_LIBS := $$(shell pkg-config --libs $(LIBS)))$(LIB_LIBS)

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wno-unused-parameter -Wno-missing-field-initializers -Wformat=2
CPPFLAGS := -D_GNU_SOURCE -DSONDE_VERSION='"$(VERSION)"' -Iuser -Iinclude -I$(B)/include
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 $(CFLAGS) -fno-strict-aliasing -fvisibility=hidden -pthread $(WARN) $(CPPFLAGS) $(LIB_CFLAGS)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

USER_C := $(sort $(wildcard user/*/*.c))
BPF_C := $(sort $(wildcard bpf/*.bpf.c))
SKELS := $(BPF_C:bpf/%.bpf.c=$(B)/include/%.skel.h)
UNIT_C := $(sort $(wildcard tests/unit/*/*_test.c))
FUZZ_C := $(sort $(wildcard tests/fuzz/*_fuzz.c))
BPFTEST_C := $(sort $(wildcard tests/bpf/*_test.c))

HEADERS := $(wildcard user/*/*.h include/event/*.h)

## build         build/sonde (the default)
build: $(B)/sonde

$(B)/sonde: $(USER_C:%.c=$(B)/obj/%.o) $(B)/obj/user/main.o
	$(SAY) LD $@
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -Wl,--as-needed -o $@.debug $^ $(LIB_LIBS) -lm
	$(Q)strip -o $@ $@.debug

$(B)/obj/%.o: %.c | skeletons
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# --- kernel programs -------------------------------------------------------------------------
skeletons: $(SKELS)
$(B)/bpf/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/lib/*.h) $(wildcard include/event/*.h)
	@mkdir -p $(@D)
	$(SAY) BPF $<
	$(Q)$(CLANG) -O2 -g -Wall -Werror -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) \
		-Iinclude -Ibpf -idirafter /usr/include/$(shell uname -m)-linux-gnu -c -o $@ $<
	$(Q)llvm-strip -g $@
$(B)/include/%.skel.h: $(B)/bpf/%.bpf.o
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

# --- unit tests: no root, AddressSanitizer and UBSan ------------------------------------------
UNIT_BIN := $(UNIT_C:tests/unit/%.c=$(B)/unit/%)
UNIT_OBJ := $(USER_C:%.c=$(B)/asan/%.o)
$(B)/asan/%.o: %.c | skeletons
	@mkdir -p $(@D)
	$(SAY) ASAN $<
	$(Q)$(CC) $(ALL_CFLAGS) -O1 $(SANITIZE) -MMD -MP -c -o $@ $<
$(B)/asan/libsonde.a: $(UNIT_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^
$(B)/unit/%: tests/unit/%.c $(B)/asan/libsonde.a
	@mkdir -p $(@D)
	$(SAY) TEST $@
	$(Q)$(CC) $(ALL_CFLAGS) -Itests -O1 $(SANITIZE) -MMD -MP -o $@ $< $(B)/asan/libsonde.a $(LIB_LIBS) -lcmocka -lm

## check         unit tests under ASan and UBSan; no root needed
check: $(UNIT_BIN)
	@tests/run.sh unit $(UNIT_BIN)

# --- kernel programs, really attached (root) ----------------------------------------------------
BPFTEST_BIN := $(BPFTEST_C:tests/bpf/%.c=$(B)/bpf-tests/%)
BPFTEST_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(filter-out $(BPFTEST_C),$(wildcard tests/bpf/*.c)) \
	$(wildcard user/base/*.c user/config/*.c user/model/*.c user/source/*.c))
$(B)/bpf-tests/lib.a: $(BPFTEST_OBJ)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcs $@ $^
$(B)/bpf-tests/%: $(B)/obj/tests/bpf/%.o $(B)/bpf-tests/lib.a
	$(SAY) TEST $@
	$(Q)$(CC) $(ALL_CFLAGS) -Wl,--as-needed -o $@ $^ $(LIB_LIBS) -lcmocka -lm

## check-root    kernel programs: every choice of every source that this kernel has (root)
check-root: $(BPFTEST_BIN)
	@tests/run.sh unit $(BPFTEST_BIN)

## check-vm      the same, and the agent, on stock kernels under qemu: KERNELS="6.1 6.12 newest" (root)
KERNELS ?= 5.10 6.1 6.12 newest
check-vm: build $(BPFTEST_BIN)
	@BUILD=$(B) tests/vm/check_vm.sh $(if $(WRITE),--write) $(KERNELS)

# --- fuzzers: libFuzzer, ASan, UBSan ----------------------------------------------------------
FUZZ_BIN := $(FUZZ_C:tests/fuzz/%.c=$(B)/fuzz/%)
FUZZ_SECONDS ?= 60
JOBS ?= $(shell nproc)
$(B)/fuzzobj/%.o: %.c | skeletons
	@mkdir -p $(@D)
	$(SAY) FUZZ $<
	$(Q)$(CLANG) -std=gnu11 -O1 -g -fno-strict-aliasing -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
		$(CPPFLAGS) $(LIB_CFLAGS) -MMD -MP -c -o $@ $<
$(B)/fuzzobj/libsonde.a: $(USER_C:%.c=$(B)/fuzzobj/%.o)
	@rm -f $@
	$(Q)ar rcs $@ $^
$(B)/fuzz/%: tests/fuzz/%.c $(B)/fuzzobj/libsonde.a
	@mkdir -p $(@D)
	$(SAY) FUZZ $@
	$(Q)$(CLANG) -std=gnu11 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		$(CPPFLAGS) $(LIB_CFLAGS) -Itests -MMD -MP -o $@ $< $(B)/fuzzobj/libsonde.a $(LIB_LIBS) -lm

## fuzz          every fuzzer for FUZZ_SECONDS (60) each
fuzz: $(FUZZ_BIN)
	@JOBS=$(JOBS) FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run.sh fuzz $(FUZZ_BIN)

# --- the demo ---------------------------------------------------------------------------------
DEMO := $(B)/demo/hello $(B)/demo/load
GO_BUILD = CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS=-buildvcs=false GOCACHE=$(abspath $(B)/go) go build -trimpath
$(B)/demo/%: deploy/demo/%/main.go deploy/demo/go.mod
	$(SAY) GO $@
	$(Q)cd deploy/demo && $(GO_BUILD) -o $(abspath $@) ./$*

## deps          packages to build with, through apt (root, if any is missing)
deps:
	deploy/deps.sh

# what root built belongs to the checkout's owner again
OWN = @[[ $$EUID != 0 || ! -d $(B) ]] || chown -R --reference=Makefile $(B)

## run           the demo: until Ctrl-C, or SECONDS=n (root)
run:
	@deploy/deps.sh iproute2 util-linux curl $$(command -v go >/dev/null || echo golang-go)
	@$(MAKE) -s --no-print-directory build $(DEMO)
	$(OWN)
	@deploy/demo/demo.sh $(SECONDS)

## layers        no folder of user/ includes one that comes later in the flow of data
layers:
	@awk -f tests/layers.awk user/*/*.[ch] user/main.c

## lint          layers, and sizes and licence lines of every source file
LINT_NAMES := *.[ch] *.sh *.awk *.py *.go *.js *.lua run Dockerfile Makefile
lint: layers
	@find Makefile .ci user include bpf tests deploy -type f \( -false $(LINT_NAMES:%=-o -name '%') \) \
		! -path 'tests/fuzz/corpus/*' ! -path 'tests/fixtures/*' | LC_ALL=C sort | xargs awk -f tests/lint.awk

## check-k8s     the agent as a DaemonSet on a real Kubernetes, from SONDE_K8S (root)
check-k8s: build $(DEMO)
	@tests/integration/check_k8s.sh

# --- the agent and real servers; costs ----------------------------------------------------------
## check-integration  the agent and real servers: nginx, Apache, Go, Python, Node, Prometheus (root)
check-integration: build
	@tests/integration/run.py $(SUBJECTS)

BENCHES := $(patsubst tests/bench/%.py,%,$(filter-out %/common.py,$(wildcard tests/bench/*.py)))
## bench         lists the benchmarks; make bench-NAME runs one (root), with WRITE=1 into docs/benchmarks.md
bench:
	@for b in $(BENCHES); do printf 'make bench-%-12s %s\n' $$b "$$(sed -n 's/^"""\(.*\)"""$$/\1/p' tests/bench/$$b.py)"; done
$(BENCHES:%=bench-%): bench-%: build
	@tests/bench/$*.py $(if $(WRITE),--write) $(BENCH_FLAGS)

## test          every test there is: units, kernel programs, fuzzers, real servers (root)
test:
	@tests/deps.sh
	@tests/test.sh

## docs          man pages and tables, from the option and metric tables
DOCS := man8=docs/sonde.8 conf5=docs/sonde.conf.5 config.md=docs/config.md metrics.md=docs/metrics.md \
	example.conf=deploy/sonde.conf.yaml
docs: build
	@for d in $(DOCS); do $(B)/sonde document $${d%%=*} > $${d#*=} || exit 1; done

## help          this list
help:
	@sed -n 's/^## //p' Makefile

clean:
	rm -rf $(B)

.PHONY: build skeletons check check-root check-vm fuzz deps run layers lint check-k8s check-integration bench test docs help clean
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
