#!/bin/sh
# `make explore` and `emonfeed explore`: serves the page to look at the feeds of a
# directory until it is interrupted.
#
#   sh serve.sh WORK EXTENSION COMMAND DIR [BACKUP [PORT [HOST]]]
#
# WORK is the folder for what is found out about feeds, and for the log; if it is
# empty, one is taken in the user's cache. EXTENSION is as php.ini would have it,
# COMMAND is emonfeed. It is not the environment that says HOST: some shells have a
# variable of that name, and it is not loopback.
set -eu

fail() {
    echo "explore: $1" >&2
    exit 1
}
work=$1 extension=$2 command=$3
shift 3

if [ -z "${1:-}" ]; then
    fail 'which directory? make explore DIR=/var/lib/mysql/emoncms [BACKUP=/mnt/disk/emoncms] [PORT=8080] [HOST=127.0.0.1]'
fi
absolute() {
    [ -d "$1" ] || fail "$1: there is no such directory"
    (CDPATH='' cd -- "$1" 2>/dev/null && pwd -P) || fail "$1: $(id -un) may not enter it"
}
directory=$(absolute "$1")
backup=
[ -z "${2:-}" ] || backup=$(absolute "$2")
port=${3:-8080}
host=${4:-127.0.0.1}

case $directory in
*:*) fail "$directory: PHP cannot be held to a directory with a colon in its name; mount it elsewhere (mount --bind)" ;;
esac
case $port in
*[!0-9]* | ??????* | 0*) fail "port $port: a port is a number from 1 to 65535" ;;
esac
[ "$port" -le 65535 ] || fail "port $port: a port is a number from 1 to 65535"
feeds=$(find "$directory" -maxdepth 1 \( -name 'feed_[0-9]*.M[YA][DI]' -o -name 'feed_[0-9]*.frm' \
    -o -name 'feed_[0-9]*.ibd' -o -name '[0-9]*.dat' \) 2>/dev/null) ||
    fail "$directory: $(id -un) may not list it (README.md, \"Letting PHP read MySQL's files\")"
[ -n "$feeds" ] || fail "$directory: there are no feeds in it (feed_1.MYD, feed_2.MYD, ...)"

page=$(CDPATH='' cd -- "$(dirname "$0")" && pwd -P)
command -v php >/dev/null || fail 'php is not here: apt-get install php-cli'
[ -f "$page/node_modules/uplot/dist/uPlot.esm.js" ] || fail "uPlot is missing: npm --prefix $page ci --omit=dev --ignore-scripts"

# Where it cannot be kept, it is for this time.
temporary=
if [ -z "$work" ]; then
    work=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/emonfeed/explore
    if ! mkdir -p "$work" 2>/dev/null || [ ! -w "$work" ]; then
        work=$(mktemp -d) || fail 'there is no place for the log and what is found out about feeds: say one in TMPDIR'
        temporary=$work
    fi
fi
# PHP looks for what is asked for in its root, before it asks the router: there
# is nothing in this one. What a worker has found out about a feed that rests, the
# others need not.
mkdir -p "$work/empty" "$work/cache"
work=$(CDPATH='' cd -- "$work" && pwd -P)
chmod 700 "$work/cache"
# Its own, also if another server has the same port.
log=$work/server-$$.log

export EMONFEED_EXPLORE_DIR="$directory" EMONFEED_EXPLORE_BACKUP="$backup" EMONFEED_EXPLORE_HOST="$host"
export EMONFEED_EXPLORE_COMMAND="$command"
# A long download keeps one of them.
export PHP_CLI_SERVER_WORKERS="${PHP_CLI_SERVER_WORKERS:-4}"

server=
# PHP's own workers outlive it when it is killed; so the group is ended.
stop() {
    [ -z "$server" ] || kill -s TERM -- "-$server" 2>/dev/null || true
    server=
    rm -rf "$log" "$temporary"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

# From here, as a setting of PHP cannot hold every path.
cd "$work"
php -n -d extension="$extension" -r 'exit(extension_loaded("emonfeed") ? 0 : 1);' >"$log" 2>&1 || {
    cat "$log" >&2
    version=$(php -n -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;')
    fail "PHP $version does not have the extension emonfeed: apt-get install php$version-emonfeed"
}
setsid php -n -d extension="$extension" -d emonfeed.cache_dir=cache -d expose_php=0 \
    -S "$host:$port" -t empty "$page/index.php" >"$log" 2>&1 &
server=$!
until grep -q 'Development Server.* started' "$log"; do
    if ! kill -0 "$server" 2>/dev/null; then
        server=
        tail -n 3 "$log" >&2
        fail "PHP cannot listen on $host:$port; if another program has that port, name another: PORT=$((port + 1)) or --port $((port + 1))"
    fi
    sleep 0.05
done

case $host in
0.0.0.0 | '[::]') shown=$(hostname) ;;
*) shown=$host ;;
esac
echo "The feeds in $directory: http://$shown:$port/"
case $host in
127.* | localhost | '[::1]') ;;
*) echo "Whoever reaches $host can read them: there is no password." ;;
esac
echo "Ctrl-C ends it. Log until then: $log"
wait "$server" || fail "PHP ended (exit code $?): $(tail -n 1 "$log")"
