#!/bin/sh
# Builds the PHP extension for the emulated processor, with the cross compiler, and
# runs all .phpt files with that processor's PHP. After prepare.sh.
set -eu

version=$(apt-cache depends php-cli | sed -n 's/^ *Depends: php\([0-9.]*\)-cli$/\1/p')
apt-get -qq install --no-install-recommends "php$version-cli:$ARCHITECTURE" \
    autoconf automake libtool m4 pkgconf shtool >/dev/null
# The headers alone: what they depend on cannot be had for two processors at once.
mkdir -p /tmp/php
(cd /tmp/php && apt-get -qq download "php$version-dev:$ARCHITECTURE" && dpkg-deb --extract php*.deb /)
for name in phpize php-config; do ln -sf "$name$version" "/usr/bin/$name"; done
php -r 'echo "PHP ", PHP_VERSION, " with ints of ", 8 * PHP_INT_SIZE, " bits\n";'

cargo build --release --locked --no-default-features --lib
ln -sf "../$RUST_TARGET/release/libemonfeed.a" target/release/
# As options of configure would have it.
export CC="$GNU-gcc" host_alias="$GNU"
exec sh tests/php.sh test
