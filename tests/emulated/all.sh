#!/bin/sh
# All that is tested on an emulated processor. After prepare.sh.
set -eu

# Emulated, what is optimized a little takes a fraction of the time.
export CARGO_PROFILE_DEV_OPT_LEVEL=1

# What tests need besides; the server is that of this machine, which they ask.
apt-get -qq install --no-install-recommends binutils-multiarch mariadb-server-core \
    mariadb-client-core mariadb-client php-cli >/dev/null

if [ "$ARCHITECTURE" = s390x ]; then
    # What knows bytes and rows, and what is on top of it: bytes are little-endian on
    # disk whatever the processor is. This QEMU ends itself where a page is missing that
    # an instruction copies.
    exec cargo test --locked --no-fail-fast --no-default-features --lib --test fixtures \
        --test sdi --test reference --test summaries --test corruption --test fuzz_seeds \
        --test ffi --test sql_shapes -- --skip what_is_cut_off
fi

set --
# Left out is what looks at a process from outside, which is QEMU then: strace, changed
# clocks, limits of memory, what a hang would be, and how a program that is missing fails
# to start.
for part in clock:: killed:: many:: memory:: power:: short:: twice:: calls:: restoring:: \
    memory_is_short does_not_fill_the_disk a_program_may_have_its_old_name; do
    set -- "$@" --skip "$part"
done
cargo test --locked --no-fail-fast --lib --bins --test c_programs --test exports --test header \
    --test ffi --test fixtures --test sdi --test reference --test summaries --test threads \
    --test large --test corruption --test fuzz_seeds --test output --test cli --test status \
    --test verify --test restore --test backup --test convert --test sample --test sql_shapes -- "$@"

# Files beyond 2 and 4 GiB.
EMONFEED_SOAK=1 cargo test --locked --test large

sh tests/emulated/php.sh
