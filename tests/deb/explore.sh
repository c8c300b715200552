# The page to look at feeds, in a network of its own.
# shellcheck source-path=SCRIPTDIR source=common.sh
. /srv/common.sh

up_loopback
address=http://127.0.0.1:8080
# shellcheck disable=SC2016
ask() {
    php -r '$cookie = stream_context_create(["http" => ["header" => "Cookie: $argv[2]"]]);
        $answer = file_get_contents($argv[1], false, $cookie);
        echo $answer;
        exit($answer === false ? 1 : 0);' "$address$1" "$cookie"
}

# By an account without a home, and with a link to where it lies.
cd / || exit
setpriv --reuid=emonfeed --regid=emonfeed --clear-groups emonfeed explore var/lib/mysql/emoncms >/tmp/page 2>&1 &
page=$!
wait_for grep -q 'Ctrl-C ends it' /tmp/page
key=$(sed -n "s|^The feeds in /var/lib/mysql/emoncms: $address/?key=\([0-9a-f]*\)\$|\1|p" /tmp/page)
[ -n "$key" ] || fail "the page says: $(cat /tmp/page)"
cookie=none
! ask / >/tmp/refused 2>&1 || fail "the page is open to whoever reaches its port"
grep -q 403 /tmp/refused || fail "the page does not answer: $(cat /tmp/refused)"
cookie=emonfeed-$(printf %s "$key" | sha256sum | cut -c 1-8)=$key

# Every file that the page names.
for file in $(ask / | grep -o '\(src\|href\)="[^"]*"' | cut -d '"' -f 2) uplot.js uplot.css; do
    case $file in \#*) continue ;; esac
    [ -n "$(ask "/${file#/}")" ] || fail "$file is not served"
done
# shellcheck disable=SC2016
ask '/api/data?feed=1&from=1748736000&to=1748818800&interval=3600' | php -r '
    foreach (json_decode(stream_get_contents(STDIN), true)["average"] as [$time, $watts])
        if ($time >= 1748736000 && $time < 1748822400) printf("%02d:00 %.3f\n", $time % 86400 / 3600, $watts);' |
    hours 'the page'

kill "$page"
wait "$page" || true
gone() { ! ask / >/dev/null 2>&1; }
wait_for gone
[ -z "$(find /tmp /var/tmp -user emonfeed)" ] || fail "the page left files behind: $(find /tmp /var/tmp -user emonfeed)"
