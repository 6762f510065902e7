# ipmasqadm - plain GNU make, one file.
#
#   make                      build into build/
#   make check                every test        make bench    measure against nft and iptables
#   make install DESTDIR= PREFIX=/usr           make uninstall
#   make check-long           tests that take long or need much
#   make demo                 the main job on real packets in throw-away namespaces
#   make sanitize             the whole suite under ASan and UBSan
#   make lint                 shellcheck, mandoc, clang-format
#   make dist                 ipmasqadm-VERSION.tar.gz of what is committed
#
#   NFT=no       only the historical socket option: needs nothing but libc and libdl
#   STATIC=yes   one static program with the plugins inside
#   O=DIR        build into DIR            V=1   show commands

PREFIX  ?= /usr
SBINDIR ?= $(PREFIX)/sbin
LIBDIR  ?= $(PREFIX)/lib
MODDIR  ?= $(LIBDIR)/ipmasqadm
MANDIR  ?= $(PREFIX)/share/man
INCDIR  ?= $(PREFIX)/include
COMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR  ?= $(PREFIX)/share/zsh/site-functions
DOCDIR  ?= $(PREFIX)/share/doc/ipmasqadm
# Empty: not installed. INITDIR is for systems without systemd, as in INITDIR=/etc/init.d.
UNITDIR ?= $(PREFIX)/lib/systemd/system
LIBEXECDIR ?= $(PREFIX)/libexec
INITDIR ?=
NFT     ?= yes
STATIC  ?= no
O       ?= build
# Where plugins look for the library besides the system's places; empty for distributions.
RPATH   ?= $$ORIGIN/..

VERSION  := $(shell cat VERSION)
SOVERSION = 1
MODULES  := $(patsubst modules/%.c,%,$(wildcard modules/*.c))
ifneq ($(NFT),yes)
MODULES  := $(filter-out check,$(MODULES))
endif

CFLAGS  ?= -O2 -g
WARN     = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	   -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wswitch-enum
CPPFLAGS += -D_GNU_SOURCE
override CPPFLAGS += -DVERSION='"$(VERSION)"'
BASE     = -std=gnu11 -fvisibility=hidden -MMD -MP $(WARN) $(WERROR)
HARDEN   = -Wl,-z,relro,-z,now
PKG_CONFIG ?= pkg-config
OBJCOPY ?= objcopy

ifeq ($(SANITIZE),yes)
BASE    += -Werror -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS += -fsanitize=address,undefined
else ifneq ($(SANITIZE),)
$(error SANITIZE=$(SANITIZE): give yes, or leave it out)
else
# a sanitizer's runtime stays undefined in a shared library until the program brings it
HARDEN  += -Wl,-z,defs
endif

LIB_SRC := $(wildcard lib/*.c lib/core/*.c lib/sockopt/*.c)
ifeq ($(NFT),yes)
LIB_SRC += $(filter-out lib/nft/none.c,$(wildcard lib/nft/*.c)) $(wildcard lib/check/*.c)
NFT_CFLAGS := $(shell $(PKG_CONFIG) --cflags libnftnl libmnl)
# lib/nft/nftnl.c loads libnftnl; a static program has it inside
ifeq ($(STATIC),yes)
LIB_SRC := $(filter-out lib/nft/nftnl.c,$(LIB_SRC))
NFT_LIBS   := $(shell $(PKG_CONFIG) --static --libs libnftnl libmnl)
else
NFT_LIBS   := $(shell $(PKG_CONFIG) --libs libmnl) -ldl
endif
JSON_CFLAGS := -DWITH_JSON $(shell $(PKG_CONFIG) --cflags jansson)
JSON_LIBS   := $(shell $(PKG_CONFIG) --libs jansson)
else
LIB_SRC += lib/nft/none.c
endif

LIB_OBJ := $(LIB_SRC:%.c=$(O)/%.o)
CLI_OBJ := $(patsubst %.c,$(O)/%.o,$(wildcard cli/*.c))
# not in $(O)/ipmasqadm/: that is the program
MAIN_OBJ := $(patsubst %,$(O)/main/%.o,main $(if $(filter yes,$(STATIC)),static,load elffile trust libraries)) \
	    $(O)/cli/owner.o $(O)/cli/printable.o

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n'
endif

ifeq ($(STATIC),yes)
BUILD := $(O)/ipmasqadm
# Some distributions have no libmnl.a (Debian 12): then that and libc stay shared.
ifneq ($(and $(filter yes,$(NFT)),$(filter libmnl.a,$(shell $(CC) -print-file-name=libmnl.a))),)
STATIC_LIBS := -Wl,-Bstatic -lnftnl -ljansson -Wl,-Bdynamic -lmnl
$(warning there is no libmnl.a: the program will need libmnl.so and libc.so)
else
STATIC_LIBS := -static $(NFT_LIBS) $(JSON_LIBS)
endif
else
BASE  += -fPIC
BUILD := $(O)/ipmasqadm $(O)/libipmasq.so $(MODULES:%=$(O)/modules/%.so)
endif

.PHONY: all check check-long demo bench install uninstall clean sanitize lint dist check-vm check-boot
all: $(BUILD)

# Objects are made anew when the configuration in O changes.
# (O too: that is how dependencies name them)
CONFIG := $(O) $(CC) $(CFLAGS) $(BASE) NFT=$(NFT) STATIC=$(STATIC) $(MODULES) $(MODDIR) $(LDFLAGS) $(RPATH) $(VERSION)
$(O)/.config: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(CONFIG))' | cmp -s - $@ || echo '$(subst ','\'',$(CONFIG))' >$@
FORCE:

# The walls: what each folder may include. tests/lint-walls holds the rest of them.
WALLS = include
$(O)/lib/%.o: WALLS = include lib/core lib/sockopt
$(O)/lib/core/%.o: WALLS = include lib/core
$(O)/lib/sockopt/%.o: WALLS = include lib/core lib/sockopt
$(O)/lib/nft/%.o: WALLS = include lib/core lib/nft
$(O)/lib/check/%.o: WALLS = include lib/core lib/check
$(O)/cli/%.o: WALLS = include lib/core cli
$(O)/modules/%.o: WALLS = include cli
$(O)/tests/%.o: WALLS = include lib/core lib/sockopt lib/nft lib/check cli
$(O)/lib/nft/%.o $(O)/lib/check/%.o: CPPFLAGS += $(NFT_CFLAGS)
# a static program cannot load a library: there rules have no text, and jansson is inside
$(O)/lib/check/ruletext.o $(O)/cli/json.o: CPPFLAGS += $(if $(filter yes,$(STATIC)),-DNO_DLOPEN)
$(O)/cli/%.o: CPPFLAGS += $(JSON_CFLAGS)
$(O)/main/%.o: WALLS = include cli
$(O)/main/%.o: CPPFLAGS += -DMODDIR='"$(MODDIR)"' -D'PLUGINS=$(foreach m,$(MODULES),PLUGIN($m))'

define compile
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(WALLS:%=-I%) $(CPPFLAGS) $(BASE) $(CFLAGS) -c -o $@ $<
endef

$(O)/%.o: %.c $(O)/.config
	$(compile)

$(O)/main/%.o: ipmasqadm/%.c $(O)/.config
	$(compile)

ifeq ($(STATIC),yes)
# a plugin is free to name its functions: of its symbols only the entry stays visible
$(O)/modules/%.alone.o: $(O)/modules/%.o
	$(Q)$(OBJCOPY) --keep-global-symbol=$*_masqmod $< $@

$(O)/ipmasqadm: $(MAIN_OBJ) $(CLI_OBJ) $(LIB_OBJ) $(MODULES:%=$(O)/modules/%.alone.o)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(STATIC_LIBS)
else
$(O)/ipmasqadm: $(MAIN_OBJ)
	$(say) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(HARDEN) -rdynamic -o $@ $^ -ldl

$(O)/libipmasq.so.$(SOVERSION): $(LIB_OBJ) lib/libipmasq.map
	$(say) LINK $@
	$(Q)$(CC) -shared $(CFLAGS) $(LDFLAGS) $(HARDEN) -Wl,-soname,$(@F) \
		-Wl,--version-script=lib/libipmasq.map -o $@ $(LIB_OBJ) $(NFT_LIBS)

$(O)/libipmasq.so: $(O)/libipmasq.so.$(SOVERSION)
	$(Q)ln -sf $(<F) $@

# an archive: each plugin takes the parts it uses, of cli/ and of lib/core/
$(O)/cli/parts.a: $(CLI_OBJ) $(filter $(O)/lib/core/%,$(LIB_OBJ))
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

# (in $(if) itself, its commas would be taken for $(if)'s)
RPATH_FLAG = -Wl,-rpath,'$(RPATH)'

$(O)/modules/%.so: $(O)/modules/%.o $(O)/cli/parts.a $(O)/libipmasq.so
	$(say) LINK $@
	$(Q)$(CC) -shared $(CFLAGS) $(LDFLAGS) $(HARDEN) $(if $(RPATH),$(RPATH_FLAG)) -o $@ \
		$(filter %.o,$^) $(O)/cli/parts.a -Wl,--exclude-libs,ALL -L$(O) -lipmasq -ldl
endif

# $(call boot_file,MODE,FILE,PLACE): a file of boot/, with the paths that are chosen here
boot_file = sed 's|/usr/sbin/ipmasqadm|$(SBINDIR)/ipmasqadm|; s|/usr/libexec/|$(LIBEXECDIR)/|' boot/$2 \
	>$(DESTDIR)$3 && chmod $1 $(DESTDIR)$3

# In the folders where an administrator copies them to: ipmasqadm-ha(7).
EXAMPLES := $(shell find doc/ha doc/health doc/helpers -type f)

install: all
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(MANDIR)/man8 $(DESTDIR)$(MANDIR)/man3 \
		$(DESTDIR)$(MANDIR)/man7 $(DESTDIR)$(COMPDIR)
	install -m 755 $(O)/ipmasqadm $(DESTDIR)$(SBINDIR)/ipmasqadm
ifneq ($(STATIC),yes)
	install -d $(DESTDIR)$(MODDIR) $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCDIR)/ipmasqadm/linux
	install -m 644 $(MODULES:%=$(O)/modules/%.so) $(DESTDIR)$(MODDIR)/
	install -m 644 $(O)/libipmasq.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/
	ln -sf libipmasq.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libipmasq.so
	install -m 644 include/masq.h include/masq_check.h include/masqmod.h $(DESTDIR)$(INCDIR)/ipmasqadm/
	install -m 644 include/linux/ip_masq.h $(DESTDIR)$(INCDIR)/ipmasqadm/linux/
	sed -e 's|@INCDIR@|$(INCDIR)|; s|@LIBDIR@|$(LIBDIR)|; s|@MODDIR@|$(MODDIR)|; s|@VERSION@|$(VERSION)|' \
		lib/ipmasq.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/ipmasq.pc
	if [ -z '$(DESTDIR)' ] && command -v ldconfig >/dev/null; then ldconfig; fi
endif
	install -m 644 man/*.8 $(DESTDIR)$(MANDIR)/man8/
	install -m 644 man/*.3 $(DESTDIR)$(MANDIR)/man3/
	install -m 644 man/*.7 $(DESTDIR)$(MANDIR)/man7/
	for f in $(EXAMPLES); do \
		mode=644; [ -x $$f ] && mode=755; \
		install -D -m $$mode $$f $(DESTDIR)$(DOCDIR)/$${f#doc/} || exit; \
	done
	install -Dm 644 completion/ipmasqadm.bash $(DESTDIR)$(COMPDIR)/ipmasqadm
	install -Dm 644 completion/_ipmasqadm $(DESTDIR)$(ZSHDIR)/_ipmasqadm
ifneq ($(UNITDIR)$(INITDIR),)
	install -d $(DESTDIR)$(LIBEXECDIR)
	$(call boot_file,755,ipmasqadm-boot,$(LIBEXECDIR)/ipmasqadm-boot)
endif
ifneq ($(UNITDIR),)
	install -d $(DESTDIR)$(UNITDIR)/nftables.service.d
	$(call boot_file,644,ipmasqadm.service,$(UNITDIR)/ipmasqadm.service)
	$(call boot_file,644,nftables.conf,$(UNITDIR)/nftables.service.d/ipmasqadm.conf)
endif
ifneq ($(INITDIR),)
	install -d $(DESTDIR)$(INITDIR)
	$(call boot_file,755,ipmasqadm.init,$(INITDIR)/ipmasqadm)
endif

uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/ipmasqadm $(MODULES:%=$(DESTDIR)$(MODDIR)/%.so) \
		$(DESTDIR)$(LIBDIR)/libipmasq.so $(DESTDIR)$(LIBDIR)/libipmasq.so.$(SOVERSION) \
		$(DESTDIR)$(LIBDIR)/pkgconfig/ipmasq.pc $(DESTDIR)$(COMPDIR)/ipmasqadm \
		$(DESTDIR)$(ZSHDIR)/_ipmasqadm \
		$(DESTDIR)$(LIBEXECDIR)/ipmasqadm-boot \
		$(if $(UNITDIR),$(addprefix $(DESTDIR)$(UNITDIR)/,ipmasqadm.service nftables.service.d/ipmasqadm.conf)) \
		$(if $(INITDIR),$(DESTDIR)$(INITDIR)/ipmasqadm) \
		$(patsubst man/%,$(DESTDIR)$(MANDIR)/man8/%,$(wildcard man/*.8)) \
		$(patsubst man/%,$(DESTDIR)$(MANDIR)/man3/%,$(wildcard man/*.3)) \
		$(patsubst man/%,$(DESTDIR)$(MANDIR)/man7/%,$(wildcard man/*.7))
	rm -rf $(DESTDIR)$(INCDIR)/ipmasqadm $(addprefix $(DESTDIR)$(DOCDIR)/,ha health helpers)
	-rmdir $(DESTDIR)$(MODDIR) $(DESTDIR)$(DOCDIR) \
		$(if $(UNITDIR),$(DESTDIR)$(UNITDIR)/nftables.service.d) 2>/dev/null

# A release is what is committed, under the version that is committed with it.
dist:
	git archive --prefix=ipmasqadm-$(VERSION)/ -o ipmasqadm-$(VERSION).tar.gz HEAD

clean:
	rm -rf build build-*

-include tests/tests.mk tests/net/net.mk
-include $(shell find $(O) -name '*.d' 2>/dev/null)
