# The extension for PHP alone: what it takes with it, and whether PHP's own
# switches work.
# shellcheck source-path=SCRIPTDIR source=common.sh
. /srv/common.sh

apt update
apt install "/srv/older/${extension}"_*.deb
for other in emonfeed libemonfeed0 libemonfeed-dev; do
    ! is_installed "$other" || fail "$extension pulled in $other"
done
apt install "php$php-cli"
loaded() { php -m 2>&1 | grep -qx emonfeed; }
quiet() { [ -z "$(php -r '' 2>&1)" ] || fail "PHP complains: $(php -r '' 2>&1)"; }

make_feed
ini=/etc/php/$php/mods-available/emonfeed.ini
[ -f "$ini" ] || fail "there is no $ini"
loaded || fail "the extension is not switched on after its installation"
php -r "$(block php)" | hours PHP

# What the administrator switched off stays off, and what was edited stays so.
phpdismod emonfeed
! loaded || fail "phpdismod does not switch it off"
echo 'emonfeed.datadir=/var/lib/mysql/emoncms' >>"$ini"
apt install -o Dpkg::Options::=--force-confold "/srv/new/${extension}"_*.deb
! loaded || fail "the upgrade switched on what was switched off"
grep -q '^emonfeed.datadir=/var' "$ini" || fail "the upgrade lost a line of $ini"
phpenmod emonfeed
loaded || fail "phpenmod does not switch it on"
[ "$(php -r 'echo ini_get("emonfeed.datadir");')" = /var/lib/mysql/emoncms ] || fail "the setting does not count"
quiet

apt remove "$extension"
quiet
apt purge "$extension"
[ ! -e "$ini" ] || fail "$ini is still there"
! loaded || fail "it is still loaded"
quiet
