# All packages together: used in three ways, served by Apache and PHP-FPM,
# upgraded, purged. Everything they need is there before, so that what is left
# behind afterwards is theirs.
# shellcheck source-path=SCRIPTDIR source=common.sh
. /srv/common.sh

apt update
apt install adduser apache2 bash-completion binutils fish gcc libapache2-mod-php"$php" libc6-dev man-db pkg-config \
    "php$php-cli" "php$php-fpm" systemd zsh
make_feed
install -d /var/lib/systemd/timers

# list: each file with mode and owner, those of /etc and /usr with their contents.
# Left out are the logs, the pages that man formatted, what ldconfig found, the
# accounts, which are looked at below, and what belongs to this test.
list() {
    find / -xdev \( -path /srv -o -path /proc -o -path /root -o -path /var/log -o -path /var/cache/man \) -prune \
        -o -printf '%M %u:%g %p %l\n' | sort
    find /etc /usr -xdev -type f ! -path /etc/ld.so.cache ! -path '/etc/passwd*' ! -path '/etc/group*' \
        ! -path '/etc/shadow*' ! -path '/etc/gshadow*' -exec sha256sum {} + | sort
}
accounts() { cat /etc/passwd /etc/group /etc/shadow /etc/gshadow | cut -d : -f 1 | sort; }
list >/tmp/before
accounts >/tmp/accounts

# The lower version first.
apt install /srv/older/*.deb
grep -q '^# As it was' /etc/emonfeed.conf || fail "the lower version is another one"
enabled() { find /etc/systemd -name 'emonfeed*' | grep .; }
! enabled || fail "the service or the timer was enabled"
started() { grep -l 'deb-systemd-invoke.*start\|systemctl.* start' /var/lib/dpkg/info/emonfeed.postinst; }
! started || fail "the service or the timer would be started"
account=$(getent passwd emonfeed) || fail "there is no user emonfeed"
case $account in
*:/nonexistent:/usr/sbin/nologin) ;;
*) fail "the user emonfeed is another one: $account" ;;
esac

# An upgrade keeps what was edited, and the timer as it is.
sed -i 's|^DESTINATION=.*|DESTINATION="/mnt/disk"|' /etc/emonfeed.conf
apt install -o Dpkg::Options::=--force-confold /srv/new/*.deb
grep -q '^DESTINATION="/mnt/disk"' /etc/emonfeed.conf || fail "the upgrade lost a line of /etc/emonfeed.conf"
[ "$(dpkg-query -W -f '${Version}' emonfeed)" = "$(emonfeed --version | cut -d ' ' -f 2)" ] ||
    fail "the upgrade did not take place"
! enabled || fail "the upgrade enabled the timer"
systemctl --quiet enable emonfeed-backup.timer
apt install --reinstall /srv/new/emonfeed_*.deb
enabled >/dev/null || fail "the timer was disabled"

# One task, three ways.
block php >/tmp/php
php -r "$(cat /tmp/php)" | hours PHP
block c >/tmp/task.c
# shellcheck disable=SC2046
gcc -Wall -Wextra -Werror /tmp/task.c $(pkg-config --cflags --libs emonfeed) -o /tmp/task
/tmp/task | hours C
block sh >/tmp/task.sh
sh /tmp/task.sh | hours 'the shell'

# Other formats.
mkdir /tmp/phpfina
emonfeed convert /var/lib/mysql/emoncms /tmp/phpfina --to phpfina --interval 10 >/dev/null
[ "$(stat -c %s /tmp/phpfina/1.dat)" = "$((4 * (90000 + 3600) / 10))" ] || fail "PHPFina has other readings"
emonfeed export /var/lib/mysql/emoncms --to /tmp/dataset --format csv >/dev/null
[ "$(find /tmp/dataset -name '*.csv*' | wc -l)" = 1 ] || fail "the dataset: $(find /tmp/dataset)"
emonfeed export /var/lib/mysql/emoncms --to /tmp/parquet >/dev/null
head -c 4 /tmp/parquet/feed=1/year=2025/*.parquet | grep -qx PAR1 || fail "this is not Parquet: $(find /tmp/parquet)"

unshare --net sh /srv/explore.sh

/usr/share/emonfeed/emoncms/enable --help | grep -q '^Usage' || fail "enable does not run"

# The manual, and what the shells complete.
for command in $(emonfeed help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z]*\) .*/-\1/p' | grep -vx -e -help) ''; do
    page=$(man --where "emonfeed$command")
    [ -z "$(man --warnings --local-file "$page" 2>&1 >/dev/null)" ] || fail "man complains about $page"
    man "emonfeed$command" | grep -q -e '--help' || fail "$page does not tell of --help"
done
cat >/tmp/complete.bash <<'END'
. /usr/share/bash-completion/bash_completion
_completion_loader emonfeed
COMP_WORDS=(emonfeed rest) COMP_CWORD=1
"$(complete -p emonfeed | sed 's/.* -F \([^ ]*\).*/\1/')" emonfeed rest emonfeed
echo "${COMPREPLY[@]}"
END
[ "$(bash /tmp/complete.bash)" = restore ] || fail "bash does not complete: $(bash /tmp/complete.bash)"
HOME=/tmp fish -c 'complete -C "emonfeed rest"' | grep -q '^restore' || fail "fish does not complete"
# shellcheck disable=SC2016
[ "$(zsh -fc 'autoload -Uz compinit && compinit -D && print $_comps[emonfeed]')" = _emonfeed ] ||
    fail "zsh does not complete"
zsh -n /usr/share/zsh/vendor-completions/_emonfeed

# The service.
systemd_file() { dpkg -L emonfeed | grep "/systemd/.*/$1\$"; }
complaints=$(systemd-analyze verify emonfeed-backup.service emonfeed-backup.timer 2>&1 | grep emonfeed || true)
[ -z "$complaints" ] || fail "systemd complains: $complaints"
systemd-analyze security --offline=true --threshold=15 --no-pager emonfeed-backup.service >/tmp/security || {
    cat /tmp/security >&2
    fail "the service is more exposed than 1.5"
}
echo "    $(tail -n 1 /tmp/security)"

# What it and the line for cron execute, as the configuration says.
mkdir /mnt/disk
sed -i 's|^SOURCES=.*|SOURCES="/var/lib/mysql/emoncms"|' /etc/emonfeed.conf
line=$(sed -n 's/^[0-9 *]*  root  \(umask.*\)/\1/p' /usr/share/doc/emonfeed/examples/emonfeed-backup.cron)
! sh -c "$line" 2>/tmp/refused || fail "the backup goes to a disk that is not mounted"
grep -q 'require-mount' /tmp/refused || fail "the backup was refused for another reason: $(cat /tmp/refused)"
mount -t tmpfs -o mode=700,uid="$(id -u emonfeed)",gid="$(id -g emonfeed)" tmpfs /mnt/disk
chmod 700 /var/lib/mysql
sh -c "$line" || fail "the line for cron fails"
chmod 755 /var/lib/mysql
cmp /var/lib/mysql/emoncms/feed_1.MYD /mnt/disk/feed_1.MYD || fail "the copy is another one"
[ "$(stat -c %U:%a /mnt/disk/feed_1.MYD)" = emonfeed:600 ] || fail "the copy is open to others"
command=$(sed -n 's/^ExecStart=//p' "$(systemd_file emonfeed-backup.service)")
setpriv --reuid=emonfeed --regid=emonfeed --clear-groups sh -euc ". /etc/emonfeed.conf; $command" ||
    fail "the line of the service fails"
umount /mnt/disk
rmdir /mnt/disk
echo "    cron and the service have made backups"

# Over HTTP, with the configuration that Debian's packages come with.
(echo '<?php' && cat /tmp/php) >/srv/task.php
cp /srv/page.php /var/www/html/page.php
tar -C / -cf /tmp/apache.tar etc/apache2 var/lib/apache2
unshare --net sh /srv/http.sh "$php"
rm -r /var/www/html/page.php /etc/apache2 /var/lib/apache2
tar -C / -xpf /tmp/apache.tar

# Nothing is left behind but the account, which owns the copies. systemd, which
# does not run here, notes when a timer ran.
touch /var/lib/systemd/timers/stamp-emonfeed-backup.timer
apt purge emonfeed libemonfeed0 libemonfeed-dev "$extension"
list >/tmp/after
diff /tmp/before /tmp/after >/tmp/left || {
    cat /tmp/left >&2
    fail "the purge left something behind, or took too much"
}
accounts | diff /tmp/accounts - | sed -n 's/^[<>] //p' | sort -u >/tmp/left
[ "$(cat /tmp/left)" = emonfeed ] || fail "other accounts came or went: $(cat /tmp/left)"
