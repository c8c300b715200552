#!/bin/sh
# The page to look at feeds (explore/), served as `make explore` does and looked
# at in Chromium. Everything it makes is in a folder of its own that is removed.
#
#   sh tests/explore.sh                   every test of explore/test
#   sh tests/explore.sh 'pan and zoom'    those whose names have that in them
#   sh tests/explore.sh -s                makes docs/images/explore.png anew
set -eu

cd "$(dirname "$0")/.."
for file in target/php-ext/modules/emonfeed.so target/release/emonfeed; do
    [ -f "$file" ] || {
        echo "$file is missing: run make php first." >&2
        exit 1
    }
done
npm --prefix explore ls >/dev/null 2>&1 || npm --prefix explore ci --ignore-scripts --no-audit --no-fund

if [ "${1:-}" = -s ]; then
    # A name that looks well in the picture.
    work=/tmp/house
    mkdir -m 700 "$work"
else
    work=$(mktemp -d "${TMPDIR:-/tmp}/emonfeed-explore-XXXXXX")
    work=$(cd "$work" && pwd -P)
fi
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' HUP TERM

if [ "${1:-}" = -s ]; then
    # Looked at as if just written: of now.
    place=$work/emoncms
    node explore/test/feeds.mjs "$place" "$(date +%s)"
    target/release/emonfeed backup --same-device -q "$place" "$work/backup"
    EMONFEED_TEST_FEEDS=$place EMONFEED_TEST_BACKUP=$work/backup node explore/test/screenshot.mjs "$work/page.png"
    pngquant --force --strip --speed 1 --output docs/images/explore.png 256 "$work/page.png"
    exit
fi

# A name that would be HTML and shell, were it not text.
place="$work/a 'name' of <b>&amp;"
mkdir "$place"
node explore/test/feeds.mjs "$place/feeds"
# Some of those are no feeds, which the backup tells by its exit code.
code=0
target/release/emonfeed backup --same-device -q "$place/feeds" "$place/backup" 2>"$work/backup.log" || code=$?
[ "$code" -eq 3 ] || {
    cat "$work/backup.log" >&2
    echo "emonfeed backup ended with $code, not with 3." >&2
    exit 1
}
log=$work/tests.log
code=0
EMONFEED_TEST_FEEDS="$place/feeds" EMONFEED_TEST_BACKUP="$place/backup" \
    node --test --test-reporter=spec ${1:+--test-name-pattern="$1"} explore/test/*_test.mjs >"$log" 2>&1 || code=$?
cat "$log"
[ "$code" -eq 0 ] || exit "$code"
# Node ends well also if there was nothing to test. What is not asked for is skipped.
awk -v all="${1:-all}" '$2 == "pass" { passed = $3 } $2 == "skipped" { skipped = $3 }
    END { exit !(passed > 0 && (all != "all" || skipped == 0)) }' "$log" || {
    echo 'The tests of the page did not all run (see above).' >&2
    exit 1
}
