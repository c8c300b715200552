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
    [ ! -f "$1" ] || fail "$1: this is a file; name the directory that it is in"
    [ -d "$1" ] || fail "$1: there is no such directory"
    (CDPATH='' cd -- "$1" 2>/dev/null && pwd -P) || fail "$1: $(id -un) may not enter it"
}
directory=$(absolute "$1")
backup=
[ -z "${2:-}" ] || backup=$(absolute "$2")
port=${3:-8080}
host=${4:-127.0.0.1}
case $host in
\[*) ;;
*:*) host="[$host]" ;;
esac

case $directory in
*:*) fail "$directory: PHP cannot be held to a directory with a colon in its name; mount it elsewhere (mount --bind)" ;;
esac
case $port in
*[!0-9]* | ??????* | 0*) fail "port $port: a port is a number from 1 to 65535" ;;
esac
[ "$port" -le 65535 ] || fail "port $port: a port is a number from 1 to 65535"
feeds=$(find "$directory" -maxdepth 1 \( -name 'feed_[0-9]*.M[YA][DI]' -o -name 'feed_[0-9]*.frm' \
    -o -name 'feed_[0-9]*.ibd' -o -name '[0-9]*.dat' \) 2>/dev/null) ||
    fail "$directory: $(id -un) may not list it; in an access list that is rx, in place of x (docs/explore.md)"
[ -n "$feeds" ] || fail "$directory: there are no feeds in it (feed_1.MYD, feed_2.MYD, ...)"

page=$(CDPATH='' cd -- "$(dirname "$0")" && pwd -P)
command -v php >/dev/null || fail 'php is not here: apt-get install php-cli'
[ -f "$page/node_modules/uplot/dist/uPlot.esm.js" ] || fail "uPlot is missing: npm --prefix $page ci --omit=dev --ignore-scripts"

# Whatever ends it, from here on.
umask 077
temporary='' log='' alive='' end=''
trap 'exec 8>&-; [ -z "$end" ] || wait "$end"; rm -rf "$alive" "$log" "$temporary"' EXIT
trap 'exit 130' INT
trap 'exit 131' QUIT
trap 'exit 143' HUP TERM

# Where it cannot be kept, it is for this time. It is for nobody else.
if [ -z "$work" ]; then
    work=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/emonfeed/explore
    if ! mkdir -p "$work" 2>/dev/null || [ ! -w "$work" ]; then
        temporary=$(mktemp -d) || fail 'there is no place for the log and what is found out about feeds: say one in TMPDIR'
        work=$temporary
    fi
fi
# PHP looks for what is asked for in its root, before it asks the router: there
# is nothing in this one. What a worker has found out about a feed that rests, the
# others need not.
mkdir -p "$work/empty" "$work/cache"
work=$(CDPATH='' cd -- "$work" && pwd -P)
# Its own, also if another server has the same port.
log=$work/server-$$.log
# The other accounts of this machine reach the port, too, but this they do not know.
# It stays the same, so that a page that is open goes on when it is served again.
[ -s "$work/key" ] || {
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$work/key-$$"
    mv "$work/key-$$" "$work/key"
}
EMONFEED_EXPLORE_KEY=$(cat "$work/key")
export EMONFEED_EXPLORE_KEY

export EMONFEED_EXPLORE_DIR="$directory" EMONFEED_EXPLORE_BACKUP="$backup" EMONFEED_EXPLORE_HOST="$host"
export EMONFEED_EXPLORE_COMMAND="$command"
# A long download keeps one of them.
export PHP_CLI_SERVER_WORKERS="${PHP_CLI_SERVER_WORKERS:-4}"

# Ends PHP with its workers, which outlive it, and removes what is of this time only,
# when this shell is no more: also when it is killed, as it alone holds the other end.
alive=$work/alive-$$
mkfifo "$alive"
# shellcheck disable=SC2094
exec 8<>"$alive" 9<"$alive"
rm "$alive"
(
    trap '' HUP INT QUIT TERM
    server=
    while read -r line; do server=$line; done
    [ -z "$server" ] || kill -s TERM -- "-$server" 2>/dev/null || true
    rm -rf "$log" "$temporary"
) <&9 8>&- 9<&- &
end=$!
exec 9<&-

# From here, as a setting of PHP cannot hold every path.
cd "$work"
php -n -d extension="$extension" -r 'exit(extension_loaded("emonfeed") ? 0 : 1);' >"$log" 2>&1 || {
    cat "$log" >&2
    version=$(php -n -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;')
    fail "PHP $version does not load its extension emonfeed; if there is none: apt-get install php$version-emonfeed"
}
# It says who it is itself, before anything can come between.
# shellcheck disable=SC2016
setsid sh -c 'echo "$$" >&8; exec 8>&-; exec php "$@"' sh -n -d extension="$extension" \
    -d emonfeed.cache_dir=cache -d expose_php=0 -S "$host:$port" -t empty "$page/index.php" >"$log" 2>&1 &
server=$!
until grep -q 'Development Server.* started' "$log"; do
    if ! kill -0 "$server" 2>/dev/null; then
        tail -n 3 "$log" >&2
        ! grep -q 'Address already in use' "$log" ||
            fail "another program listens on $host:$port; name another port: PORT=$((port + 1)) or --port $((port + 1))"
        fail "PHP cannot listen on $host:$port: is that an address of this machine?"
    fi
    sleep 0.05
done

case $host in
0.0.0.0 | '[::]') shown=$(uname -n) ;;
*) shown=$host ;;
esac
echo "The feeds in $directory: http://$shown:$port/?key=$EMONFEED_EXPLORE_KEY"
case $host in
127.* | localhost | '[::1]') ;;
*) echo "Whoever gets to know that address can read them; nothing is encrypted on the way." ;;
esac
echo "Ctrl-C ends it. Log until then: $log"
wait "$server" || fail "PHP ended (exit code $?): $(tail -n 1 "$log")"
