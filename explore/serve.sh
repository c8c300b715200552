#!/bin/sh
# `make explore`: serves the page to look at the feeds of a directory until it
# is interrupted.
#
#   sh explore/serve.sh DIR [BACKUP [PORT [HOST]]]
#
# `make php` and npm have done their work before. It is not the environment that
# says HOST: some shells have a variable of that name, and it is not loopback.
set -eu

fail() {
    echo "explore: $1" >&2
    exit 1
}

if [ -z "${1:-}" ]; then
    fail 'which directory? make explore DIR=/var/lib/mysql/emoncms [BACKUP=/mnt/disk/emoncms] [PORT=8080] [HOST=127.0.0.1]'
fi
# absolute WHAT PATH
absolute() {
    [ -d "$2" ] || fail "$1=$2: there is no such directory"
    (CDPATH='' cd -- "$2" 2>/dev/null && pwd -P) || fail "$1=$2: $(id -un) may not enter it"
}
directory=$(absolute DIR "$1")
backup=
[ -z "${2:-}" ] || backup=$(absolute BACKUP "$2")
port=${3:-8080}
host=${4:-127.0.0.1}

case $directory in
*:*) fail "DIR=$directory: PHP cannot be held to a directory with a colon in its name; mount it elsewhere (mount --bind)" ;;
esac
case $port in
*[!0-9]* | ??????* | 0*) fail "PORT=$port: a port is a number from 1 to 65535" ;;
esac
[ "$port" -le 65535 ] || fail "PORT=$port: a port is a number from 1 to 65535"
feeds=$(find "$directory" -maxdepth 1 \( -name 'feed_[0-9]*.M[YA][DI]' -o -name 'feed_[0-9]*.frm' \
    -o -name 'feed_[0-9]*.ibd' -o -name '[0-9]*.dat' \) 2>/dev/null) ||
    fail "DIR=$directory: $(id -un) may not list it (README.md, \"Letting PHP read MySQL's files\")"
[ -n "$feeds" ] || fail "DIR=$directory: there are no feeds in it (feed_1.MYD, feed_2.MYD, ...)"

cd "$(dirname "$0")/.."
command -v php >/dev/null || fail 'php is not here: apt-get install php-cli'
for file in target/php-ext/modules/emonfeed.so target/release/emonfeed; do
    [ -f "$file" ] || fail "$file is missing: make php"
done
[ -f explore/node_modules/uplot/dist/uPlot.esm.js ] || fail 'uPlot is missing: npm --prefix explore ci --omit=dev --ignore-scripts'

# PHP looks for what is asked for in its root, before it asks the router: there
# is nothing in this one.
work=$PWD/target/explore
root=$work/empty
mkdir -p "$root"
# Its own, also if another server has the same port.
log=$work/server-$$.log
# What a worker has found out about a feed that rests, the others need not.
cache=$work/cache
mkdir -p "$cache"
chmod 700 "$cache"

export EMONFEED_EXPLORE_DIR="$directory" EMONFEED_EXPLORE_BACKUP="$backup" EMONFEED_EXPLORE_HOST="$host"
export EMONFEED_EXPLORE_COMMAND="$PWD/target/release/emonfeed"
# A long download keeps one of them.
export PHP_CLI_SERVER_WORKERS="${PHP_CLI_SERVER_WORKERS:-4}"

server=
# PHP's own workers outlive it when it is killed; so they are ended with it.
stop() {
    rm -f "$log"
    [ -n "$server" ] || return 0
    # shellcheck disable=SC2046
    kill $(ps -o pid= --ppid "$server") "$server" 2>/dev/null || true
    server=
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

php -n -d extension=target/php-ext/modules/emonfeed.so -d emonfeed.cache_dir=target/explore/cache -d expose_php=0 \
    -S "$host:$port" -t "$root" explore/index.php >"$log" 2>&1 &
server=$!
until grep -q 'Development Server.* started' "$log"; do
    if ! kill -0 "$server" 2>/dev/null; then
        server=
        tail -n 3 "$log" >&2
        fail "PHP cannot listen on $host:$port; if another program has that port: PORT=$((port + 1))"
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
