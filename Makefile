# rowcast: build, test, install.  Needs GNU make.
#
#   make              build/rowcast, rowcast.fcgi and rowcast-publish.cgi
#   make static       the same in build/static, without shared libraries
#   make run          the demo page on 127.0.0.1:8080 (PORT=); Ctrl-C ends it
#   make check        every test; ends with "N passed, N failed, N skipped"
#   make check-quick  unit tests; publishing and listening through lighttpd
#   make lint         formatter, static analysis, rules of the project
#   make fuzz         each target of tests/fuzz for FUZZ_SECONDS=60, and the
#                     coverage
#   make soak         the load of a week in an hour: HOURS=1 SEED= STREAMS=2000
#   make faults       the fault matrix in its long form; writes docs/faults.md
#                     (FAULTS=short, TESTS=tests/faults_log.bats)
#   make bench        measure rowcast and its peers, which it installs
#                     (ROWS='most cpu')
#   make install      PREFIX=/usr/local DESTDIR=; uninstall removes the same
#                     files.  Compiles nothing: run make first
#   make deps         install the packages that building needs; all targets but
#                     a plain make, install and clean install theirs
#
#   make V=1          print the commands
#   make NO_DEPS=1 check   install nothing, use no network; tests whose programs
#                     are not installed are skipped
#
#   make SAN=address,undefined check     the same tests under sanitizers
#   make SAN=thread check
#   make CC=clang B=build-clang check
#   make TESTS='tests/unit/test_sse.c tests/publish.bats' check
#
# CC, CFLAGS, CPPFLAGS, LDFLAGS and LDLIBS belong to the user; the flags that
# the programs need are in other variables and are added to them.

VERSION = 0.1.0

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

ifeq ($(PATH),)
$(error PATH is not set, as after env -i: env -i PATH="$$PATH" make)
endif

# ---- what the user may set --------------------------------------------------

SAN =
ifeq ($(origin CC),default)
CC = cc
endif
CFLAGS ?= $(if $(SAN),-O1 -g -fno-omit-frame-pointer,-O2 -g)
PKG_CONFIG ?= pkg-config
INSTALL ?= install
NPM ?= npm
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
PORT ?= 8080
FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang
FAULTS ?= long
HOURS ?= 1
SEED ?=
STREAMS ?= 2000
TESTS ?=

PREFIX ?= /usr/local
DESTDIR ?=
bindir ?= $(PREFIX)/bin
# For programs that other programs run.  On systems without it: make install
# libexecdir=/usr/lib
libexecdir ?= $(PREFIX)/libexec
datadir ?= $(PREFIX)/share
docdir ?= $(datadir)/doc/rowcast
mandir ?= $(datadir)/man
bashcompdir ?= $(datadir)/bash-completion/completions
zshcompdir ?= $(datadir)/zsh/site-functions
fishcompdir ?= $(datadir)/fish/vendor_completions.d

comma := ,
B ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))

# ---- our own flags ----------------------------------------------------------

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wformat=2 -Wundef -Wvla
OPTIMISED = $(filter-out -O0,$(lastword $(filter -O%,$(CFLAGS))))
FORTIFIED = $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS))
HARDEN_CPP = $(if $(SAN)$(FORTIFIED),,$(if $(OPTIMISED),\
	-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
HARDEN_CC = -fstack-protector-strong -fPIE
HARDEN_LD = -pie -Wl,-z,relro,-z,now
SAN_FLAGS = $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all)
# Objects are only instrumented; libFuzzer's main() is linked to the targets.
SAN_CC = $(subst fuzzer$(comma),fuzzer-no-link$(comma),$(SAN_FLAGS))
# As shared libraries, gcc's runtimes for address and undefined each have their
# own setting of where reports go; clang's are static.
IS_CLANG = $(findstring clang,$(shell $(CC) --version 2>/dev/null))
SAN_LD := $(if $(SAN),$(if $(IS_CLANG),,$(foreach s,address:libasan \
	undefined:libubsan thread:libtsan,$(if $(findstring \
	$(firstword $(subst :, ,$(s))),$(SAN)),-static-$(lastword \
	$(subst :, ,$(s)))))))

# Only Linux has seccomp.
LINUX := $(filter Linux,$(shell uname -s))
pkg = $(or $(shell $(PKG_CONFIG) $(1) $(2) 2>/dev/null),$(3))
PKG_CFLAGS := $(sort $(call pkg,--cflags,fcgi) $(call pkg,--cflags,sqlite3) \
	$(call pkg,--cflags,libuv) $(if $(LINUX),$(call pkg,--cflags,libseccomp)))
FCGI_LIBS := $(call pkg,--libs,fcgi,-lfcgi)
SQLITE_LIBS := $(call pkg,--libs,sqlite3,-lsqlite3)
UV_LIBS := $(call pkg,--libs,libuv,-luv)
UNISTRING_LIBS := -lunistring
SECCOMP_LIBS := $(if $(LINUX),$(call pkg,--libs,libseccomp,-lseccomp))

# On 32-bit systems: files over 2 GB, and times after 2038.
OUR_CPP = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 \
	-DROWCAST_VERSION='"$(VERSION)"' -I. -I$(B) $(PKG_CFLAGS) $(HARDEN_CPP) $(if $(SAN),-DSANITIZED_BUILD)
OUR_CC = -std=c17 $(WARNINGS) $(HARDEN_CC) $(SAN_CC)
OUR_LD = $(HARDEN_LD) -Wl,--as-needed $(SAN_FLAGS) $(SAN_LD)
LIBS = $(FCGI_LIBS) $(SQLITE_LIBS) $(UNISTRING_LIBS) $(SECCOMP_LIBS)
# SQLite's list has the libraries of its shell, too; Debian names libuv.a libuv_a.a.
STATIC_LIBS = -lfcgi -lsqlite3 -lm $(UNISTRING_LIBS) $(if $(LINUX),-lseccomp) \
	$(or $(call pkg,--libs,libuv-static),$(call pkg,--static --libs,libuv),-luv) \
	-pthread

COMPILE = $(CC) $(OUR_CPP) $(CPPFLAGS) $(OUR_CC) $(CFLAGS)
LINK = $(CC) $(OUR_CC) $(CFLAGS) $(OUR_LD) $(LDFLAGS)
# Recipes of compilation begin with one of these.
V ?=
QUIET = $(if $(filter-out 0,$(V)),,@)
SAY = @$(if $(QUIET),printf '  %-6s %s\n',:)

# ---- what there is ----------------------------------------------------------

LIB_SRC := $(sort $(wildcard lib/*.c lib/*/*.c))
FCGI_SRC := $(sort $(wildcard fcgi/*.c))
CGI_SRC := $(sort $(wildcard cgi/*.c))
CLI_SRC := $(sort $(wildcard cli/*.c))
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_HELP_SRC := $(filter-out $(UNIT_SRC),$(sort $(wildcard tests/unit/*.c)))
TOOL_SRC := $(sort $(wildcard tests/tools/*.c))
PRELOAD_SRC := $(sort $(wildcard tests/preload/*.c))
ORACLE_SRC := $(sort $(wildcard tests/oracle/*.c))
SESSION_SRC := $(sort $(wildcard tests/session/*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_HELP_SRC := $(filter-out $(FUZZ_SRC),$(sort $(wildcard tests/fuzz/*.c)))
BENCH_SRC := $(sort $(wildcard bench/*.c))
SRC := $(LIB_SRC) $(FCGI_SRC) $(CGI_SRC) $(CLI_SRC) $(UNIT_SRC) \
	$(UNIT_HELP_SRC) $(TOOL_SRC) $(PRELOAD_SRC) $(ORACLE_SRC) \
	$(SESSION_SRC) $(FUZZ_SRC) $(FUZZ_HELP_SRC) $(BENCH_SRC)

obj = $(patsubst %.c,$(B)/%.o,$(1))
FCGI_OBJ := $(call obj,$(FCGI_SRC))
CGI_OBJ := $(call obj,$(CGI_SRC))
CLI_OBJ := $(call obj,$(CLI_SRC))
SAN_OBJ := $(if $(SAN),$(if $(findstring fuzzer,$(SAN)),,$(B)/reports.o))

LIB_A := $(B)/librowcast.a
FCGI_A := $(B)/libresponder.a
CGI_A := $(B)/libpublisher.a
CLI_A := $(B)/libcommands.a
# Models that tests compare with; they share no code with the programs.
ORACLE_LIB := tests/oracle/event_source.c
ORACLE_A := $(B)/liboracle.a
FUZZ_A := $(B)/libfuzz.a

RESPONDER := $(B)/rowcast.fcgi
PUBLISHER := $(B)/rowcast-publish.cgi
COMMAND := $(B)/rowcast
UNIT := $(patsubst %.c,$(B)/%,$(UNIT_SRC))
TOOLS := $(patsubst %.c,$(B)/%,$(TOOL_SRC))
CLIENTS := $(B)/tests/oracle/clients
SESSION := $(B)/tests/session/session
# Sanitizers replace the same functions.
PRELOADS := $(if $(SAN),,$(patsubst %.c,$(B)/%.so,$(PRELOAD_SRC)))
FUZZ := $(patsubst %.c,$(B)/%,$(FUZZ_SRC))

# ---- programs ---------------------------------------------------------------

.PHONY: all
all: $(RESPONDER) $(PUBLISHER) $(COMMAND)

$(RESPONDER): $(FCGI_OBJ) $(SAN_OBJ) $(LIB_A)
	$(SAY) LINK $@
	$(QUIET)$(LINK) -o $@ $^ $(LIBS) $(UV_LIBS) $(LDLIBS)

$(PUBLISHER): $(CGI_OBJ) $(SAN_OBJ) $(LIB_A)
	$(SAY) LINK $@
	$(QUIET)$(LINK) -o $@ $^ $(LIBS) $(UV_LIBS) $(LDLIBS)

$(COMMAND): $(CLI_OBJ) $(SAN_OBJ) $(LIB_A)
	$(SAY) LINK $@
	$(QUIET)$(LINK) -o $@ $^ $(LIBS) $(UV_LIBS) $(LDLIBS)

# glibc warns of functions that need its shared libraries: of getaddrinfo(), for
# hosts that are names, and of others that are never called.
QUIET_LD = $(if $(findstring --no-warnings,$(shell $(CC) -Wl,--help \
	2>/dev/null)),-Wl$(comma)--no-warnings)
# The libc.a of i386 is not made for programs at any address.
STATIC_LD = $(if $(filter i%86,$(firstword $(subst -, ,$(shell \
	$(CC) -dumpmachine)))),-static -no-pie,-static-pie) $(QUIET_LD)
STATIC := $(addprefix $(B)/static/,rowcast.fcgi rowcast-publish.cgi rowcast)
.PHONY: static
static: $(STATIC)
$(B)/static/rowcast.fcgi: $(FCGI_OBJ) $(LIB_A)
$(B)/static/rowcast-publish.cgi: $(CGI_OBJ) $(LIB_A)
$(B)/static/rowcast: $(CLI_OBJ) $(LIB_A)
$(STATIC):
	$(SAY) LINK $@
	@mkdir -p $(@D)
	$(QUIET)$(LINK) $(STATIC_LD) -o $@ $^ $(STATIC_LIBS) $(LDLIBS)

# An archive is made again from nothing: ar would keep members whose source was
# removed.
$(LIB_A): $(call obj,$(LIB_SRC))
$(FCGI_A): $(filter-out %/main.o,$(FCGI_OBJ))
$(CGI_A): $(filter-out %/main.o,$(CGI_OBJ))
$(CLI_A): $(filter-out %/main.o,$(CLI_OBJ))
$(ORACLE_A): $(call obj,$(ORACLE_LIB))
$(FUZZ_A): $(filter-out %/world.o,$(call obj,$(FUZZ_HELP_SRC)))
$(LIB_A) $(FCGI_A) $(CGI_A) $(CLI_A) $(ORACLE_A) $(FUZZ_A): Makefile
	$(SAY) AR $@
	$(QUIET)rm -f $@; $(AR) qcs $@ $(filter %.o,$^)

# A unit test takes from the archives what it calls.
.PHONY: unit
unit: $(UNIT)
UNIT_HELP_OBJ := $(call obj,$(UNIT_HELP_SRC))
$(UNIT): $(B)/%: $(B)/%.o $(UNIT_HELP_OBJ) $(SAN_OBJ) $(FCGI_A) $(CGI_A) \
    $(CLI_A) $(ORACLE_A) $(LIB_A)
	$(SAY) LINK $@
	$(QUIET)$(LINK) -o $@ $^ $(LIBS) $(UV_LIBS) $(LDLIBS)

$(TOOLS): $(B)/%: $(B)/%.o $(SAN_OBJ) $(FCGI_A) $(LIB_A)
	$(SAY) LINK $@
	$(QUIET)$(LINK) -o $@ $^ $(LIBS) $(UV_LIBS) $(LDLIBS)

$(CLIENTS): $(call obj,$(ORACLE_SRC)) $(SAN_OBJ)
	$(SAY) LINK $@
	$(QUIET)$(LINK) -o $@ $^ $(UV_LIBS) $(LDLIBS)

$(SESSION): $(call obj,$(SESSION_SRC)) $(SAN_OBJ) $(ORACLE_A) $(LIB_A)
	$(SAY) LINK $@
	$(QUIET)$(LINK) -o $@ $^ $(LIBS) $(LDLIBS)

$(PRELOADS): $(B)/%.so: %.c $(B)/flags
	$(SAY) LINK $@
	@mkdir -p $(@D)
	$(QUIET)$(COMPILE) $(LDFLAGS) -fPIC -shared -o $@ $< -ldl

# world.o replaces functions of libc and lib/warn, for these targets only.
WORLD_OBJ := $(B)/tests/fuzz/world.o
$(B)/tests/fuzz/fuzz_publisher $(B)/tests/fuzz/fuzz_responder: $(WORLD_OBJ)
$(FUZZ): $(B)/%: $(B)/%.o $(FUZZ_A) $(FCGI_A) $(CGI_A) $(CLI_A) $(ORACLE_A) $(LIB_A)
	$(SAY) LINK $@
	$(QUIET)$(LINK) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS) $(UV_LIBS) $(LDLIBS)

# ---- objects ----------------------------------------------------------------

$(B)/%.o: %.c $(B)/flags | $(B)/found $(B)/schema.h $(B)/prune.h
	$(SAY) CC $<
	@mkdir -p $(@D)
	$(QUIET)$(COMPILE) -MMD -MP -c -o $@ $<

# SQL as C: an array, as C limits the length of string literals.
$(B)/schema.h $(B)/prune.h: $(B)/%.h: sql/%.sql Makefile
	@mkdir -p $(@D)
	@{ echo 'static const char log_$*[] = {'; \
	    od -An -v -to1 $< | sed "s/ *\([0-7]\{3\}\)/'\\\\\1',/g"; \
	    echo "0};"; } >$@.new && mv $@.new $@

# A change of the flags rebuilds everything.  make install sets COMPARE to
# nothing: the environment of sudo is another one.
COMPARE = FORCE
$(B)/flags: $(COMPARE)
	@mkdir -p $(@D) && [ -w $(@D) ] || { \
	    echo 'rowcast: $(@D) cannot be written; if another user has made' \
	        'it, remove it or build elsewhere:  make B=FOLDER' >&2; exit 1; }
	@printf '%s\n' "$$FLAGS_TEXT" | cmp -s - $@ || \
	    printf '%s\n' "$$FLAGS_TEXT" >$@
$(B)/flags: export FLAGS_TEXT = $(COMPILE) $(LINK) $(LIBS) $(UV_LIBS) $(LDLIBS)
.PHONY: FORCE
FORCE:

# Header, package of Debian, name for pkg-config.
LIBRARIES = fcgiapp.h:libfcgi-dev:fcgi sqlite3.h:libsqlite3-dev:sqlite3 \
	unistr.h:libunistring-dev: uv.h:libuv1-dev:libuv utlist.h:uthash-dev: \
	$(if $(LINUX),seccomp.h:libseccomp-dev:libseccomp)
PREPROCESS = $(CC) $(OUR_CPP) $(CPPFLAGS) -E - >/dev/null 2>&1

# Reports missing packages by a line each instead of the compiler's many.
$(B)/found: $(B)/flags
	@echo '#include <errno.h>' | $(PREPROCESS) || { \
	    echo 'rowcast: no compiler for C, or no C library: $(CC) fails;' \
	        'Debian has them in gcc and libc6-dev' >&2; exit 1; }
	@missing=; \
	for library in $(LIBRARIES); do \
	    header=$${library%%:*} name=$${library##*:}; \
	    package=$${library#*:} package=$${package%:*}; \
	    echo "#include <$$header>" | $(PREPROCESS) || { \
	        missing=1; \
	        echo "rowcast: $$header is missing; Debian has it in" \
	            "$$package$${name:+, pkg-config calls it $$name}" >&2; }; \
	done; \
	[ -z "$$missing" ] || { \
	    echo 'rowcast: on Debian, this installs what building needs: ' \
	        'make deps' >&2; exit 1; }
	@touch $@

# Sanitizers report into a folder, as web servers drop what programs print.
REPORT_TO = log_path=$(abspath $(B))/reports/report
$(B)/reports.o: $(B)/flags Makefile | $(B)/found
	@mkdir -p $(@D)
	@for s in asan ubsan tsan; do \
	    printf 'const char *__%s_default_options(void);\n' $$s; \
	    printf 'const char *__%s_default_options(void)\n' $$s; \
	    printf '{ return "%s:print_stacktrace=1"; }\n' '$(REPORT_TO)'; \
	    done | $(CC) $(CFLAGS) $(HARDEN_CC) -x c -c -o $@ -

-include $(wildcard $(SRC:%.c=$(B)/%.d) $(SRC:%.c=$(B)/werror/%.d))

# ---- tests ------------------------------------------------------------------

# Sub-makes run in parallel unless the user has given a -j.
parallel = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))
again = @$(MAKE) --no-print-directory $(parallel)

.PHONY: check check-build
check:
	@scripts/install-deps $(if $(findstring clang,$(CC)),clang,test)
	$(again) check-build
	@SAN='$(SAN)' BUILD='$(abspath $(B))' tests/run $(TESTS)

# What a change most likely breaks, within a minute or two.  The bats tests are
# those with the tag "quick".
.PHONY: check-quick
check-quick:
	@scripts/install-deps quick
	$(again) all unit
	@SAN='$(SAN)' BUILD='$(abspath $(B))' TAGS=quick tests/run \
	    $$(grep -lx '# bats test_tags=quick' tests/*.bats) $(UNIT_SRC)

# A builder's compiler may have warnings of its own.
check-build: all unit tools $(if $(SAN)$(NO_DEPS),,warnings) \
	$(if $(NO_DEPS),,npm)

.PHONY: tools
tools: $(TOOLS) $(CLIENTS) $(SESSION) $(PRELOADS) $(if $(SAN),,static-tried)

# Not every system has static libraries: tests/sandbox.bats reads the log.
.PHONY: static-tried
static-tried: all
	@$(MAKE) --no-print-directory static >$(B)/static.log 2>&1 || :

# The tests run the programs as they are installed; a second compilation checks
# that the compiler gives no warning.
.PHONY: warnings
warnings: $(patsubst %.c,$(B)/werror/%.ok,$(SRC))
$(B)/werror/%.ok: %.c $(B)/flags | $(B)/found $(B)/schema.h $(B)/prune.h
	$(SAY) WARN $<
	@mkdir -p $(@D)
	$(QUIET)$(COMPILE) -Werror -MMD -MP -MT $@ -MF $(@:.ok=.d) -c -o $(@:.ok=.o) $<
	@mv $(@:.ok=.o) $@

# npm's record of what it has installed shows whether that is up to date.
NPM_LOCKS := $(wildcard tests/browser/package-lock.json \
	tests/examples/package-lock.json)
.PHONY: npm
npm: $(NPM_LOCKS:%/package-lock.json=%/node_modules/.package-lock.json)
tests/%/node_modules/.package-lock.json: tests/%/package-lock.json
	$(SAY) NPM tests/$*
	@cd tests/$* && $(NPM) ci --ignore-scripts --no-audit --no-fund \
	    --loglevel=error >/dev/null
	@touch $@

.PHONY: lint
lint: export LINT_FLAGS = -D_GNU_SOURCE -DROWCAST_VERSION="$(VERSION)" -I. -I$(B) \
	$(PKG_CFLAGS) $(CPPFLAGS) -std=c17 $(WARNINGS)
lint:
	@scripts/install-deps lint
	$(again) all
	@BUILD='$(abspath $(B))' tests/run tests/lint

# make check runs FAULTS=short; the long form takes an hour or two.
.PHONY: faults
faults:
	@scripts/install-deps test
	$(again) check-build
	@$(if $(TESTS),,rm -rf '$(abspath $(B))/faults')
	@FAULTS='$(FAULTS)' FAULTS_WRITES=1 BATS_TEST_TIMEOUT=7200 SUITE_TIMEOUT=36000 \
	    BUILD='$(abspath $(B))' tests/run $(or $(TESTS),$(wildcard tests/faults_*.bats))
	@BUILD='$(abspath $(B))' tests/faults-page >'$(B)/faults.md'
	@mv '$(B)/faults.md' docs/faults.md

.PHONY: fuzz fuzz-build
fuzz:
	@scripts/install-deps fuzz
	$(again) SAN=fuzzer,address,undefined CC='$(FUZZ_CC)' B=build-fuzz fuzz-build
	$(again) SAN=fuzzer CC='$(FUZZ_CC)' B=build-fuzz/coverage fuzz-build \
	    CFLAGS='-O1 -g -fprofile-instr-generate -fcoverage-mapping'
	@BUILD='$(abspath build-fuzz)' FUZZ_SECONDS='$(FUZZ_SECONDS)' \
	    SUITE_TIMEOUT="$$(($(words $(FUZZ)) * $(FUZZ_SECONDS) + 600))" \
	    tests/run tests/fuzz/run; status=$$?; \
	    cat build-fuzz/coverage.txt; exit $$status
fuzz-build: $(FUZZ)

# The load client is all of bench/ but the two programs of one file.
BENCH := $(B)/bench/load $(B)/bench/bare $(B)/bench/post
$(B)/bench/load: $(filter-out %/bare.o %/post.o,$(call obj,$(BENCH_SRC))) $(LIB_A)
$(B)/bench/post: $(addprefix $(B)/bench/,post.o target.o histogram.o clock.o) $(LIB_A)
$(B)/bench/bare: $(B)/bench/bare.o
$(BENCH): $(SAN_OBJ)
	$(SAY) LINK $@
	$(QUIET)$(LINK) -o $@ $^ $(LIBS) $(LDLIBS)

.PHONY: bench bench-build
bench:
	@scripts/install-deps bench
	$(again) bench-build
	@BUILD='$(abspath $(B))' bench/run $(ROWS)
bench-build: all $(BENCH) $(B)/tests/tools/queries

.PHONY: soak
soak:
	@scripts/install-deps test
	$(again) all $(CLIENTS)
	@BUILD='$(abspath $(B))' HOURS='$(HOURS)' CLIENTS='$(STREAMS)' \
	    $(if $(SEED),SEED='$(SEED)') tests/soak/run

# Formats all C with clang-format.
.PHONY: format
format:
	@find $(wildcard lib fcgi cgi cli tests bench) -name node_modules -prune -o \
	    -type f -name '*.[ch]' -print | xargs clang-format -i

# ---- the demo ---------------------------------------------------------------

.PHONY: run
run:
	@scripts/install-deps run
	$(again) all
	@# A signal to make is passed on to this process alone, and it ends if
	@# make is killed.
	@tied='setpriv --pdeathsig TERM'; $$tied true 2>/dev/null || tied=; \
	    exec $$tied env PORT='$(PORT)' scripts/run

.PHONY: deps
deps:
	@scripts/install-deps build

.PHONY: clean
clean:
	rm -rf build build-*/ $(if $(filter-out build,$(B)),$(B))

# ---- install ----------------------------------------------------------------

# One list for install and uninstall.
EXAMPLES := $(wildcard *-example.conf)
INSTALL_PROGRAMS = $(RESPONDER) $(PUBLISHER)
INSTALL_BIN = $(COMMAND)
INSTALL_SHARE = $(wildcard sql/*.sql) $(EXAMPLES)
INSTALL_WEB = $(wildcard web/*.*)
INSTALL_UNITS = $(wildcard packaging/systemd/*.s*)
INSTALL_DOC = $(wildcard *.md LICENSE)
INSTALL_PAGES = $(wildcard docs/*.md docs/*.svg docs/*.png)
INSTALL_PLOTS = $(wildcard docs/bench/*.svg)
INSTALL_MAN1 = $(wildcard docs/man/*.1)
INSTALL_MAN7 = $(wildcard docs/man/*.7)
INSTALL_MAN8 = $(wildcard docs/man/*.8)
INSTALLED = $(call to,$(bindir),$(INSTALL_BIN)) \
	$(call to,$(libexecdir)/rowcast,$(INSTALL_PROGRAMS)) \
	$(call to,$(datadir)/rowcast,$(INSTALL_SHARE)) \
	$(call to,$(datadir)/rowcast/web,$(INSTALL_WEB)) \
	$(call to,$(datadir)/rowcast/systemd,$(INSTALL_UNITS)) \
	$(call to,$(docdir),$(INSTALL_DOC)) \
	$(call to,$(docdir)/docs,$(INSTALL_PAGES)) \
	$(call to,$(docdir)/docs/bench,$(INSTALL_PLOTS)) \
	$(call to,$(bashcompdir),packaging/completions/rowcast.bash) \
	$(call to,$(zshcompdir),packaging/completions/_rowcast) \
	$(call to,$(fishcompdir),packaging/completions/rowcast.fish) \
	$(call to,$(mandir)/man1,$(INSTALL_MAN1)) \
	$(call to,$(mandir)/man7,$(INSTALL_MAN7)) \
	$(call to,$(mandir)/man8,$(INSTALL_MAN8))
to = $(addprefix $(DESTDIR)$(1)/,$(notdir $(2)))
put = $(if $(2),$(INSTALL) -d '$(DESTDIR)$(3)' && \
	$(INSTALL) -m $(1) $(2) '$(DESTDIR)$(3)/')

# Units and manual pages name the folders of the installation.
NAMES = sed -e 's|/usr/local/bin/rowcast|$(bindir)/rowcast|g' \
	-e 's|/usr/local/libexec/rowcast|$(libexecdir)/rowcast|g' \
	-e 's|/usr/local/share/doc/rowcast|$(docdir)|g' \
	-e 's|/usr/local/share/rowcast|$(datadir)/rowcast|g'
put_named = $(if $(1),$(INSTALL) -d '$(DESTDIR)$(2)' && \
	for file in $(1); do \
		to='$(DESTDIR)$(2)'/$$(basename $$file) && rm -f "$$to" && \
		$(NAMES) "$$file" >"$$to" && chmod 644 "$$to" || exit; \
	done)

# Compiles nothing: files of root in the build folder would stop the next make.
.PHONY: install uninstall
install: $(filter all,$(MAKECMDGOALS))
	@$(MAKE) -q COMPARE= all 2>/dev/null || { \
	    echo 'rowcast: $(B) is not up to date: run make first, as the user' \
	        'who owns this folder' >&2; exit 1; }
	$(call put,755,$(INSTALL_BIN),$(bindir))
	$(call put,755,$(INSTALL_PROGRAMS),$(libexecdir)/rowcast)
	$(call put,644,$(INSTALL_SHARE),$(datadir)/rowcast)
	$(call put,644,$(INSTALL_WEB),$(datadir)/rowcast/web)
	$(call put_named,$(INSTALL_UNITS),$(datadir)/rowcast/systemd)
	$(call put,644,$(INSTALL_DOC),$(docdir))
	$(call put,644,$(INSTALL_PAGES),$(docdir)/docs)
	$(call put,644,$(INSTALL_PLOTS),$(docdir)/docs/bench)
	$(call put,644,packaging/completions/rowcast.bash,$(bashcompdir))
	$(call put,644,packaging/completions/_rowcast,$(zshcompdir))
	$(call put,644,packaging/completions/rowcast.fish,$(fishcompdir))
	$(call put_named,$(INSTALL_MAN1),$(mandir)/man1)
	$(call put_named,$(INSTALL_MAN7),$(mandir)/man7)
	$(call put_named,$(INSTALL_MAN8),$(mandir)/man8)

uninstall:
	rm -f $(INSTALLED)
	-@rmdir '$(DESTDIR)$(libexecdir)/rowcast' '$(DESTDIR)$(datadir)/rowcast/web' \
	    '$(DESTDIR)$(datadir)/rowcast/systemd' \
	    '$(DESTDIR)$(datadir)/rowcast' '$(DESTDIR)$(docdir)/docs/bench' \
	    '$(DESTDIR)$(docdir)/docs' '$(DESTDIR)$(docdir)' 2>/dev/null
