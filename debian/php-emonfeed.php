mod debian/emonfeed.ini
mod target/php-ext/modules/emonfeed.so
