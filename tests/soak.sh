#!/bin/sh
# The tests that go on for as long as one likes, for long; Miri, ThreadSanitizer
# and the fuzzers. Everything is tried, and what failed is named at the end.
#
#   sh tests/soak.sh [SECONDS]     of fuzzing for each target; 600 if not given
set -eu

cd "$(dirname "$0")/.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export EMONFEED_SOAK=1
seconds=${1:-600}
failed=

# part NAME COMMAND...: its output goes to target/soak/NAME.log.
part() {
    name=$1
    shift
    mkdir -p target/soak
    begin=$(date +%s)
    if "$@" >"target/soak/$name.log" 2>&1; then
        result=passed
    else
        result=FAILED
        failed="$failed $name"
    fi
    echo "$name: $result, $(($(date +%s) - begin)) s"
    grep -h '^test result\|^Tests passed\|: [0-9]* runs' "target/soak/$name.log" | sed 's/^/    /'
}

# What has many parts that are all but pure computation: reading bytes, writing
# numbers. Files are no part of it, as Miri cannot map them.
miri() {
    CARGO_TARGET_DIR=target/miri MIRIFLAGS="-Zmiri-disable-isolation ${orders:-}" \
        cargo +nightly miri test --locked --no-default-features "$@"
}
# The longest walks over numbers would take Miri days.
miri_lib() {
    miri --lib -- myisam:: output:: --skip a_walk --skip every_exponent --skip readings_with
}
# The standard library is built as well, or its locks would be unknown. Half a
# minute goes by between two of the writer's turns: a few show as much as hundreds.
thread_sanitizer() {
    env -u EMONFEED_SOAK CARGO_TARGET_DIR=target/tsan RUSTFLAGS='-Zsanitizer=thread' cargo +nightly test --locked \
        --no-default-features -Zbuild-std --target "$(rustc -vV | sed -n 's/^host: //p')" \
        --test threads -- --nocapture
}

# What threads may see of each other's memory, in many orders.
miri_orders() (
    orders='-Zmiri-many-seeds=0..48 -Zmiri-preemption-rate=0.1'
    miri --lib -- feed::guard a_header_that_is
)

part miri miri_lib
part miri-orders miri_orders
part miri-definitions miri --test fuzz_seeds -- --exact definition
part tsan thread_sanitizer
part tests cargo test --locked --no-fail-fast -- --nocapture
part php sh tests/php.sh test
part php-sanitized sh tests/php.sh sanitize
part pie sh tests/pie.sh cargo
part emoncms sh tests/emoncms.sh
part explore sh tests/explore.sh
part deb sh tests/deb.sh
part fuzz sh fuzz/run.sh "$seconds"
[ -z "$failed" ] || {
    echo "Failed:$failed (see target/soak)" >&2
    exit 1
}
