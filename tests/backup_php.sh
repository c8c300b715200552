#!/bin/sh
# The drop-in script php-ext/backup.php beside a private MariaDB server.
#
#   sh tests/backup_php.sh
set -eu

cd "$(dirname "$0")/.."
. tests/php_beside_server.sh
# Another disk, for the copies, if there is a tmpfs.
memory=$(mktemp -d /dev/shm/emonfeed-backup-XXXXXX 2>/dev/null) || memory=
sql 'CREATE DATABASE emoncms'

export EMONFEED_TEST_EXTENSION="$extension" EMONFEED_TEST_MEMORY="$memory"
run_php tests/backup_php/backup_test.php
exit "$code"
