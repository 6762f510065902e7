# Tests. Included by the Makefile.
#
#   make check [TESTS='tests/a.t ...'] [JOBS=2]    make check-vm    make check-boot    make sanitize
#   make lint    make check-long [LONG_TESTS='tests/long/a.t ...']
#
# Every test is an executable that writes TAP: tests/*.t as they stand, tests/unit/X.c built to
# $(O)/tests/X.t. A test that cannot run where it is says SKIP; with CI set that is a failure.

JOBS  ?= 2

# What begins with nft tests what NFT=no leaves out.
UNIT_SRC := $(wildcard tests/unit/*.c)
ifneq ($(NFT),yes)
UNIT_SRC := $(filter-out tests/unit/nft%,$(UNIT_SRC))
endif
UNIT  := $(UNIT_SRC:tests/unit/%.c=$(O)/tests/%.t)
TESTS ?= $(UNIT) $(sort $(wildcard tests/*.t))

# Libraries that tests preload into the program: a kernel, an allocator, ...
FAKES := $(patsubst tests/%.c,$(O)/tests/%.so,$(wildcard tests/*.c))

# An archive, so that a unit test which includes the .c under test brings that one itself.
$(O)/tests/lib.a: $(LIB_OBJ) $(CLI_OBJ) $(MODULES:%=$(O)/modules/%.o)
	@mkdir -p $(@D)
	@rm -f $@
	$(say) AR $@
	$(Q)$(AR) qcs $@ $^ # not r: two members may have one name

$(O)/tests/unit/%.o: CPPFLAGS += $(NFT_CFLAGS) $(JSON_CFLAGS)

$(UNIT): $(O)/tests/%.t: $(O)/tests/unit/%.o $(O)/tests/lib.a
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(O)/tests/lib.a $(NFT_LIBS) $(JSON_LIBS) -ldl

# The system calls of a preloaded library must be seen; a static build leaves -fPIC out.
$(FAKES:.so=.o): BASE += -fPIC -fvisibility=default
$(FAKES): %.so: %.o
	$(say) LINK $@
	$(Q)$(CC) -shared $(CFLAGS) $(LDFLAGS) -o $@ $< -ldl

# What tests find in their environment, beside PATH: the program, its plugins, how they were built,
# and what goes before a fake in LD_PRELOAD (ASan insists on being first).
TEST_ENV = O='$(abspath $(O))' CC='$(CC)' NFT='$(NFT)' STATIC='$(STATIC)' SANITIZE='$(SANITIZE)' \
	IPMASQADM='$(abspath $(O))/ipmasqadm' IPMASQADM_MODDIR='$(abspath $(O))/modules' \
	PRELOAD='$(if $(filter yes,$(SANITIZE)),$(shell $(CC) -print-file-name=libasan.so))' \
	PERL5LIB='$(CURDIR)/tests/lib' LC_ALL=C
ifeq ($(SANITIZE),yes)
TEST_ENV += UBSAN_OPTIONS=print_stacktrace=1
endif

.PHONY: test-programs
test-programs: all $(UNIT) $(FAKES)

check: test-programs
	$(Q)env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS $(TEST_ENV) prove -j$(JOBS) -e '' $(TESTS)

# What takes longer than continuous integration has, or needs more than every machine has. One at a time.
LONG_TESTS ?= $(sort $(wildcard tests/long/*.t))

check-long: test-programs
	$(Q)$(if $(strip $(LONG_TESTS)),env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS $(TEST_ENV) prove --timer -e '' \
		$(LONG_TESTS),echo 'check-long: there is no tests/long/*.t')

# The suite under the kernel of Debian's package KERNEL (linux-image-amd64), of Debian's release SUITE if given.
check-vm: test-programs
	$(Q)env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS $(TEST_ENV) TESTS='$(TESTS)' JOBS='$(JOBS)' \
		KERNEL='$(KERNEL)' SUITE='$(SUITE)' tests/vm/run

# A system that systemd boots, with the packages installed: Debian's release SUITE (bookworm), its own KERNEL.
check-boot:
	$(Q)KERNEL='$(KERNEL)' SUITE='$(SUITE)' tests/vm/system

sanitize:
	$(Q)$(MAKE) --no-print-directory O=build-asan SANITIZE=yes check

# Nothing built is looked at, by make or by dpkg-buildpackage; SOURCES are those of a repository and of an unpacked
# release alike.
SOURCES := $(shell find . -name .git -prune -o -type d -name 'build*' -prune -o -type d -path './debian/*' \
	\! -path ./debian/source \! -path ./debian/tests -prune -o -type f -print)
SCRIPTS  = $(shell sed -s -n '1{/^\#!.*[ \/]\(ba\|da\)\?sh/F}' $(filter-out ./tests/fuzz/corpus/%,$(SOURCES)))

# Comments are wrapped at 80 columns; what is indented in them, as tables are, is not.
LONG_COMMENTS = { \
	while (i = index($$0, "\t")) \
		$$0 = substr($$0, 1, i - 1) substr("        ", (i - 1) % 8 + 1) substr($$0, i + 1); \
	if (/^ *(\/\*| \*) [^ ]/ && length > 80) { \
		print FILENAME ":" FNR ": a comment beyond 80 columns"; \
		bad = 1; \
	} \
} END { exit bad }

lint: all
	shellcheck $(SCRIPTS)
	mandoc -Tlint -Wwarning $(wildcard man/*.[378])
	clang-format --dry-run -Werror $(filter %.c %.h,$(SOURCES))
	awk '$(LONG_COMMENTS)' $(filter %.c %.h,$(SOURCES))
	$(TEST_ENV) tests/lint-options
	$(TEST_ENV) tests/lint-walls
	$(MAKE) --no-print-directory O=build-lint-gcc CC=gcc WERROR=-Werror test-programs
	$(MAKE) --no-print-directory O=build-lint-clang CC=clang WERROR=-Werror test-programs
