#!/bin/sh
# Fuzzes every target for so many seconds, beginning with the seeds.
#
#   sh fuzz/run.sh [SECONDS [TARGET...]]
#
# What breaks something is left in fuzz/artifacts; what reached new code stays
# in fuzz/corpus for the next time. `sh fuzz/run.sh keep` reduces fuzz/corpus to
# what is needed to reach all of that code, in fuzz/seeds, which `make test`
# replays. Needs cargo-fuzz and a nightly compiler: sh tests/setup.sh soak.
set -eu

cd "$(dirname "$0")/.."
what=${1:-60}
[ $# -eq 0 ] || shift
targets=${*:-$(sed -n 's/^name = "\(.*\)"/\1/p' fuzz/Cargo.toml | tail -n +2)}
export CARGO_TARGET_DIR="$PWD/fuzz/target"
fuzz() { (cd fuzz && cargo +nightly fuzz "$@"); }

if [ "$what" = keep ]; then
    for target in $targets; do
        mkdir -p "fuzz/seeds/$target.new"
        fuzz run "$target" "seeds/$target.new" "corpus/$target" "seeds/$target" -- \
            -merge=1 -timeout=60 >"fuzz/target/$target.log" 2>&1
        rm -r "fuzz/seeds/$target"
        mv "fuzz/seeds/$target.new" "fuzz/seeds/$target"
        echo "$target: $(ls "fuzz/seeds/$target" | wc -l) seeds"
    done
    exit
fi

CARGO_TARGET_DIR=target cargo test --locked --quiet --test fuzz_seeds -- --ignored --exact corpus >/dev/null
fuzz build
failed=
for target in $targets; do
    log=fuzz/target/$target.log
    # Inputs of this length have room for all that is asked and a whole table.
    if fuzz run "$target" "corpus/$target" "seeds/$target" -- -max_total_time="$what" \
        -max_len=8192 -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 >"$log" 2>&1; then
        awk -v target="$target" '/number_of_executed_units/ { runs = $2 } /DONE/ { done = $0 }
            END { print target ": " runs " runs, " done }' "$log"
    else
        failed="$failed $target"
        grep -a 'panicked\|ERROR\|SUMMARY\|Test unit written' -A 2 "$log" | tail -n 20
    fi
done
[ -z "$failed" ] || {
    echo "Broken:$failed (inputs in fuzz/artifacts, logs in fuzz/target)" >&2
    exit 1
}
