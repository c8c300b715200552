# Apache with mod_php, then Apache with PHP-FPM, in a network of its own. Leaves
# Apache set up for PHP-FPM.
# shellcheck source-path=SCRIPTDIR source=common.sh
. /srv/common.sh

up_loopback
feed=/var/lib/mysql/emoncms/feed_1.MYD

ask() { php -r 'echo file_get_contents("http://127.0.0.1/page.php", false, stream_context_create(["http" => ["ignore_errors" => true]]));'; }
answers() { ask 2>/dev/null | grep -q "^$1 "; }
worker() { ask | sed -n 's/^[a-z0-9-]* \([0-9]*\)$/\1/p' | head -n 1; }
gone() { [ ! -d "/proc/$old" ]; }
mapped() { grep -q "$feed" /proc/"$1"/maps; }
# nobody_died LOG...: workers that died, whatever of, are in the logs.
nobody_died() {
    for log in "$@"; do
        [ -s "$log" ] || fail "nothing is in $log"
        ! grep 'exit signal\|exited on signal\|SIGSEGV\|SIGBUS' "$log" || fail "a worker died"
    done
}

# cut_off SAPI: a feed that is cut off under the mappings of workers has no
# readings, and has them again when it is back.
cut_off() {
    cp "$feed" /tmp/feed
    truncate -s 4 "$feed"
    ask >/tmp/answer
    [ "$(grep -c '^[0-9]*:00 $' /tmp/answer)" = 24 ] || fail "$1, while the feed is cut off: $(cat /tmp/answer)"
    cat /tmp/feed >"$feed"
    ask | hours "$1, after the feed was cut off,"
}
# Debian's configuration names no server, which Apache mentions each time.
apache() { apachectl "$1" 2>&1 | grep -v AH00558 >&2 || true; }

apache start
wait_for answers apache2handler
ask | hours 'Apache with mod_php'
mapped "$(worker)" || fail "the worker of Apache does not map the feed"
parent=$(cat /run/apache2/apache2.pid)
for turn in 1 2 3; do
    old=$(worker)
    apache graceful
    wait_for gone
    ask | hours "mod_php after graceful restart $turn"
    mapped "$(worker)" || fail "the new worker does not map the feed"
done
[ "$(cat /run/apache2/apache2.pid)" = "$parent" ] || fail "Apache was not restarted gracefully"
cut_off mod_php
apache stop
old=$parent
wait_for gone

a2dismod -q "php$1" >/dev/null
a2enmod -q proxy_fcgi >/dev/null
a2enconf -q "php$1-fpm" >/dev/null
mkdir -p /run/php
"php-fpm$1"
apache start
wait_for answers fpm-fcgi
ask | hours 'PHP-FPM'
pid=/run/php/php$1-fpm.pid
old=$(worker)
kill -USR2 "$(cat "$pid")"
wait_for gone
wait_for answers fpm-fcgi
ask | hours 'PHP-FPM after a reload'
cut_off PHP-FPM
kill "$(cat "$pid")"
apache stop
nobody_died /var/log/apache2/error.log "/var/log/php$1-fpm.log"
