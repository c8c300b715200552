# Builds, tests and installs emonfeed. `make help` lists what there is.

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
# Where the shells look for completions; Debian's zsh also elsewhere.
BASHDIR ?= $(DATADIR)/bash-completion/completions
ZSHDIR ?= $(DATADIR)/zsh/site-functions
FISHDIR ?= $(DATADIR)/fish/vendor_completions.d

CARGO ?= cargo
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# As build.rs has it.
SONAME := $(shell grep -o 'libemonfeed\.so\.[0-9]*' build.rs)

# Where the command looks for the page, from BINDIR; and what there is of it.
PAGE = $(DESTDIR)$(DATADIR)/emonfeed/explore
PAGE_FILES = serve.sh index.php app server \
    $(addprefix node_modules/uplot/,LICENSE dist/uPlot.esm.js dist/uPlot.min.css)

# What a program linked with libemonfeed.a needs besides, as
# `cargo rustc --lib -- --print native-static-libs` says.
LIBS_PRIVATE = -lgcc_s -lutil -lrt -lpthread -lm -ldl -lc

# Whatever this user's settings of cargo say, everything is made in target/.
export CARGO_TARGET_DIR := $(CURDIR)/target
unexport CARGO_BUILD_TARGET
# Debian keeps the database server out of an ordinary user's PATH.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin

.NOTPARALLEL:
.PHONY: all php demo page explore test test-explore screenshot soak bench bench-sdcard bench-indexes deb test-deb test-debian13 test-arm test-big-endian setup install install-php uninstall clean help

# The static library of this build serves PHP too: what only the command uses
# is no part of it.
all:
	$(CARGO) build --release --locked

php: all
	sh tests/php.sh build

demo:
	@sh tests/demo/demo.sh

# The page to look at the feeds in DIR, until Ctrl-C. HOST counts on the command
# line only.
explore: php page
	@sh explore/serve.sh target/explore ../php-ext/modules/emonfeed.so "$$PWD/target/release/emonfeed" "$$DIR" "$$BACKUP" "$$PORT" "$(if $(findstring command line,$(origin HOST)),$(HOST))"

# uPlot comes through npm, once; it runs none of its packages' scripts.
page: explore/node_modules/.package-lock.json
explore/node_modules/.package-lock.json: explore/package-lock.json
	@command -v npm >/dev/null || { echo 'npm is needed once, to fetch uPlot: apt-get install npm' >&2; exit 1; }
	npm --prefix explore ci --omit=dev --ignore-scripts --no-audit --no-fund
	@touch $@

setup:
	@sh tests/setup.sh test

# Both builds at once, as each ends with what one processor does alone. The demo is
# a test as well: it stops at the first answer that is wrong.
test: setup
	@echo '$(CARGO) test --locked --no-run &'
	@$(CARGO) test --locked --no-run --quiet & tests=$$!; \
	    $(MAKE) --no-print-directory php && wait $$tests
	$(CARGO) test --locked --no-fail-fast
	sh tests/php.sh test
	sh tests/php.sh valgrind
	sh tests/pie.sh
	sh tests/emoncms.sh
	sh tests/backup_php.sh
	DEMO_TABLES=writer sh tests/demo/demo.sh
	DEMO_TABLES=server sh tests/demo/demo.sh

# The page in a browser. Not a part of `make test`, which needs no Node.
test-explore:
	@sh tests/setup.sh explore
	@$(MAKE) --no-print-directory php
	sh tests/explore.sh

# docs/images/explore.png anew.
screenshot:
	@sh tests/setup.sh explore
	@$(MAKE) --no-print-directory php
	sh tests/explore.sh -s

# The same tests for much longer, and those that need a nightly compiler. Hours;
# SECONDS says how long each target is fuzzed.
soak:
	@sh tests/setup.sh soak
	@sh tests/setup.sh test-deb
	@sh tests/setup.sh explore
	@$(MAKE) --no-print-directory php
	sh tests/soak.sh $(SECONDS)

# What backups and queries cost beside what people use today. Writes
# docs/benchmarks.md; QUICK=1 is quicker, smaller, and leaves its report in
# target/bench.
bench:
	@sh tests/setup.sh bench
	@$(MAKE) --no-print-directory php
	@mkdir -p target/bench
	sh benches/backup.sh -o target/bench/backup.md >/dev/null
	sh benches/queries.sh -b target/bench/backup.md $(if $(wildcard target/bench/sdcard.md),-s target/bench/sdcard.md) $(if $(QUICK),,-w)

# What queries and backups read of a disk that is as slow as an SD card; root measures
# it. The next `make bench` takes it into its page.
bench-sdcard: all
	@sh tests/setup.sh bench
	@mkdir -p target/bench
	sh benches/sdcard.sh -o target/bench/sdcard.md

# What the indexes of feeds cost, and what is lost without them (docs/indexes.md).
bench-indexes: all
	@sh tests/setup.sh bench
	sh benches/indexes.sh -o target/bench-indexes.md

# The Debian packages, in target/deb, for the PHP that is here.
deb:
	@sh tests/setup.sh deb
	@$(MAKE) --no-print-directory page
	sh debian/build.sh

# Builds them twice, and installs, uses, upgrades and purges them in a minimal
# Debian. Some ten minutes, as root.
test-deb:
	@sh tests/setup.sh test-deb
	@$(MAKE) --no-print-directory page
	sh tests/deb.sh

# `make test` in a minimal Debian 13, as root.
test-debian13:
	@sh tests/setup.sh test-debian13
	sh tests/debian13.sh

# Those that QEMU can run, built there for other processors (docs/platforms.md).
test-arm:
	@sh tests/setup.sh test-debian13
	sh tests/emulated.sh armhf
	sh tests/emulated.sh arm64

test-big-endian:
	@sh tests/setup.sh test-debian13
	sh tests/emulated.sh s390x

# Makes nothing, so that root can run it where only another user has cargo. The page
# is installed where `make page` was called before.
install:
	@test -f target/release/libemonfeed.a || { echo 'Run make first (as yourself, not as root).' >&2; exit 1; }
	install -d "$(DESTDIR)$(BINDIR)" "$(DESTDIR)$(LIBDIR)/pkgconfig" "$(DESTDIR)$(INCLUDEDIR)" \
	    "$(DESTDIR)$(MANDIR)/man1" "$(DESTDIR)$(BASHDIR)" "$(DESTDIR)$(ZSHDIR)" "$(DESTDIR)$(FISHDIR)"
	install -m 755 target/release/emonfeed "$(DESTDIR)$(BINDIR)/emonfeed"
	target/release/emonfeed man --to "$(DESTDIR)$(MANDIR)/man1"
	target/release/emonfeed completions bash >"$(DESTDIR)$(BASHDIR)/emonfeed"
	target/release/emonfeed completions zsh >"$(DESTDIR)$(ZSHDIR)/_emonfeed"
	target/release/emonfeed completions fish >"$(DESTDIR)$(FISHDIR)/emonfeed.fish"
	chmod 644 "$(DESTDIR)$(MANDIR)/man1"/emonfeed.1 "$(DESTDIR)$(MANDIR)/man1"/emonfeed-*.1 \
	    "$(DESTDIR)$(BASHDIR)/emonfeed" "$(DESTDIR)$(ZSHDIR)/_emonfeed" "$(DESTDIR)$(FISHDIR)/emonfeed.fish"
	install -m 644 include/emonfeed.h "$(DESTDIR)$(INCLUDEDIR)/emonfeed.h"
	install -m 644 target/release/libemonfeed.a "$(DESTDIR)$(LIBDIR)/libemonfeed.a"
	install -m 755 target/release/libemonfeed.so "$(DESTDIR)$(LIBDIR)/libemonfeed.so.$(VERSION)"
	ln -sf libemonfeed.so.$(VERSION) "$(DESTDIR)$(LIBDIR)/$(SONAME)"
	ln -sf $(SONAME) "$(DESTDIR)$(LIBDIR)/libemonfeed.so"
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	    -e 's|@VERSION@|$(VERSION)|' -e 's|@LIBS_PRIVATE@|$(LIBS_PRIVATE)|' \
	    include/emonfeed.pc.in >"$(DESTDIR)$(LIBDIR)/pkgconfig/emonfeed.pc"
	chmod 644 "$(DESTDIR)$(LIBDIR)/pkgconfig/emonfeed.pc"
	rm -rf "$(PAGE)"
	if [ -d explore/node_modules/uplot ]; then \
	    for file in $(PAGE_FILES); do \
	        install -d "$(PAGE)/$$(dirname $$file)" && cp -R "explore/$$file" "$(PAGE)/$$file" || exit 1; \
	    done; \
	    chmod -R u=rwX,go=rX "$(PAGE)"; \
	fi
	@test -n "$(DESTDIR)" || echo 'If programs do not find $(SONAME), run ldconfig.'

install-php:
	@test -f target/php-ext/modules/emonfeed.so || { echo 'Run make php first (as yourself, not as root).' >&2; exit 1; }
	install -d "$(DESTDIR)$$(php-config --extension-dir)"
	install -m 644 target/php-ext/modules/emonfeed.so "$(DESTDIR)$$(php-config --extension-dir)/emonfeed.so"

uninstall:
	rm -f "$(DESTDIR)$(BINDIR)/emonfeed" "$(DESTDIR)$(INCLUDEDIR)/emonfeed.h" \
	    "$(DESTDIR)$(LIBDIR)/libemonfeed.a" "$(DESTDIR)$(LIBDIR)/libemonfeed.so" \
	    "$(DESTDIR)$(LIBDIR)/$(SONAME)" "$(DESTDIR)$(LIBDIR)/libemonfeed.so.$(VERSION)" \
	    "$(DESTDIR)$(LIBDIR)/pkgconfig/emonfeed.pc" \
	    "$(DESTDIR)$(MANDIR)/man1"/emonfeed.1 "$(DESTDIR)$(MANDIR)/man1"/emonfeed-*.1 \
	    "$(DESTDIR)$(BASHDIR)/emonfeed" "$(DESTDIR)$(ZSHDIR)/_emonfeed" "$(DESTDIR)$(FISHDIR)/emonfeed.fish"
	rm -rf "$(PAGE)"

clean:
	$(CARGO) clean

help:
	@echo 'make              builds the library and the command (target/release)'
	@echo 'make php          builds the PHP extension (target/php-ext/modules/emonfeed.so)'
	@echo 'make demo         installs what is missing, builds, and shows it all at work'
	@echo 'make page         fetches what the page to look at feeds needs (through npm), for make install'
	@echo 'make explore      a page to look at the feeds in DIR=... (BACKUP=... PORT=8080 HOST=127.0.0.1)'
	@echo 'make test         installs what is missing, and runs the tests'
	@echo 'make test-explore tests that page in Chromium (needs Node)'
	@echo 'make soak         the tests for hours: more of everything, Miri, ThreadSanitizer, fuzzing'
	@echo 'make bench        times queries and backups beside what people use today (QUICK=1: a small run)'
	@echo 'make bench-sdcard counts what is read of a disk as slow as an SD card, for which it needs root'
	@echo 'make bench-indexes  times what emoncms asks of tables with their index and without (QUICK=1 too)'
	@echo 'make deb          builds the Debian packages (target/deb)'
	@echo 'make test-deb     tests them in a minimal Debian, for which it needs root'
	@echo 'make test-debian13  runs make test in a minimal Debian 13, for which it needs root'
	@echo 'make test-arm     runs tests for armhf and arm64 there, under QEMU'
	@echo 'make test-big-endian  the same for s390x'
	@echo 'make setup        only installs what `make test` needs'
	@echo 'make install      installs library, header, command and manual under PREFIX=$(PREFIX)'
	@echo 'make install-php  installs the extension into this PHP (php-config --extension-dir)'
	@echo 'make uninstall    removes what `make install` installed'
	@echo 'make clean        removes target/'
	@echo
	@echo 'NO_INSTALL=1 before `make demo` or `make test` only reports what is missing.'
