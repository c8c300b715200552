# PHP with the extension beside a private MariaDB server, for as long as the calling
# script runs. Sourced, in the project's folder.
#
# PHP runs with settings of our own, in the tests' child processes too: nothing of this
# machine's php.ini counts, and `mysqli` finds the server by itself.

. tests/server.sh

extension=$PWD/target/php-ext/modules/emonfeed.so
if [ ! -f "$extension" ]; then
    echo "$extension is missing: run make php first." >&2
    exit 1
fi

# Not in target/: a socket's path may have no more than 107 bytes.
work=$(mktemp -d "${TMPDIR:-/tmp}/emonfeed-php-XXXXXX")
work=$(cd "$work" && pwd)
test_pid=
# A folder on another disk, where a test has one.
memory=
clean_up() {
    # The servers that it started too.
    [ -z "$test_pid" ] || kill -- "-$test_pid" 2>/dev/null || true
    stop_server
    rm -rf "$work" ${memory:+"$memory"}
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' HUP TERM

socket=$work/data/sock
if [ "$(printf %s "$socket" | wc -c)" -gt 107 ]; then
    echo "$work: too long for a socket; set TMPDIR to a shorter path." >&2
    exit 1
fi
start_server "$work/data"

{
    # A zone that none of the tests asks for: no answer may depend on it.
    printf '%s\n' 'error_reporting = -1' 'display_errors = stderr' 'log_errors = 0' \
        'memory_limit = 128M' 'date.timezone = Pacific/Chatham' "mysqli.default_socket = \"$socket\""
    built_in=$(php -n -m)
    for name in mysqlnd mysqli posix tokenizer; do
        echo "$built_in" | grep -qix "$name" || echo "extension = $name"
    done
    echo "extension = \"$extension\""
} >"$work/php.ini"
export PHPRC="$work" PHP_INI_SCAN_DIR=
export EMONFEED_TEST_FOLDER="$work" EMONFEED_TEST_DATA="$work/data/emoncms"

# run_php FILE: in a group of its own, to be ended as one; waited for, so that a signal
# to this script ends it at once. Sets code.
run_php() {
    code=0
    setsid php "$1" &
    test_pid=$!
    wait "$test_pid" || code=$?
    test_pid=
}
