# What the phases of tests/deb.sh share. Sourced, in the minimal Debian, by
# scripts that lie beside the packages in /srv.
set -eu

fail() {
    echo "deb: $*" >&2
    exit 1
}
# apt OPTION...: apt-get, whose output is shown if it fails.
apt() {
    if ! apt-get -q -y -o APT::Sandbox::User=root --no-install-recommends "$@" >/tmp/apt.log 2>&1; then
        tail -n 40 /tmp/apt.log >&2
        fail "apt-get failed: $*"
    fi
}
is_installed() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }

# The PHP that the packages are for, and the name of its package.
# shellcheck disable=SC2034
extension=$(basename /srv/new/php*-emonfeed_*.deb | cut -d _ -f 1)
# shellcheck disable=SC2034
php=$(expr "$extension" : 'php\(.*\)-emonfeed')

# block LANGUAGE: the code in the README under "One task, three ways".
block() {
    awk -v begin="\`\`\`$1" '
        /^## / { here = $0 == "## One task, three ways" }
        copying && $0 == "```" { exit }
        copying { print }
        here && $0 == begin { copying = 1 }' /srv/README.md | grep . ||
        fail "the README has no task in $1"
}

# The feed of that task: in hour h of the day as many readings of h + 0.25 as of
# h + 0.75, and others before and after it.
make_feed() {
    mkdir -p /var/lib/mysql/emoncms
    perl -e '
        my $day = 1748736000;
        for (my $time = $day - 3600; $time < $day + 90000; $time += 10) {
            my $within = $time >= $day && $time < $day + 86400;
            my $hour = int(($time - $day) / 3600);
            print pack("CVf<", 249, $time, $within ? $hour + ($time % 20 ? 0.25 : 0.75) : 1000);
        }' >/var/lib/mysql/emoncms/feed_1.MYD
}

# hours WHOSE: whether standard input has the averages of the 24 hours.
hours() {
    cat >/tmp/answer
    awk '$NF ~ /^[0-9]+\.[0-9]+$/ { if ($NF != n + 0.5) exit 1; n++ } END { exit n != 24 }' /tmp/answer || {
        cat /tmp/answer >&2
        fail "$1 answers something else"
    }
    echo "    $1 has answered"
}

# The loopback interface of a network of its own, without a package for it.
up_loopback() {
    perl -e 'my $up = pack("a16s", "lo", 1); socket(S, 2, 2, 0) && ioctl(S, 0x8914, $up) or die "lo: $!"'
}
# wait_for COMMAND...: for up to 30 seconds.
wait_for() {
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || fail "in vain: $*"
        sleep 0.1
    done
}
