#ifndef PHP_EMONFEED_PATH_H
#define PHP_EMONFEED_PATH_H

#include "php_emonfeed.h"

/* The path made absolute by PHP's idea of the current folder, and allowed by
 * open_basedir. NULL after throwing; argument is the number of the parameter
 * to name then, 0 if the path does not come from one. */
zend_string *php_emonfeed_path(const char *path, uint32_t argument);

/* Whether open_basedir allows the path; throws if not. */
bool php_emonfeed_path_allowed(const char *path);

/* How to open a feed, by the ini settings. */
uint32_t php_emonfeed_open_flags(void);

#endif
