# The extension for PHP alone: what it takes with it, and whether PHP's own
# switches work.
# shellcheck source-path=SCRIPTDIR source=common.sh
. /srv/common.sh

apt update
# The oldest patch release of PHP that this Debian has, though it was built for the newest.
oldest=$(apt-cache madison "php$php-cli" | awk '{ print $3 }' | sort -V | head -n 1)
packages=
for name in cli common opcache readline; do packages="$packages php$php-$name=$oldest"; done
# shellcheck disable=SC2086
apt install $packages
apt install "/srv/older/${extension}"_*.deb
php -m 2>&1 | grep -qx emonfeed || fail "PHP $oldest does not load the extension: $(php -r '' 2>&1)"
apt purge "$extension" "php$php-common"
apt autoremove --purge

apt install "/srv/older/${extension}"_*.deb
is_installed "php$php-cli" || fail "$extension came without a PHP that reads it"
for other in emonfeed libemonfeed0 libemonfeed-dev "php$php-phpdbg"; do
    ! is_installed "$other" || fail "$extension pulled in $other"
done
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
