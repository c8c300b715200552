#ifndef PHP_EMONFEED_BACKUP_H
#define PHP_EMONFEED_BACKUP_H

void php_emonfeed_backup_minit(void);

#endif
