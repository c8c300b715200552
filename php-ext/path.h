#ifndef PHP_EMONFEED_PATH_H
#define PHP_EMONFEED_PATH_H

#include "php_emonfeed.h"

/* The path made absolute by PHP's idea of the current folder, and allowed by
 * open_basedir. NULL after throwing; argument is the number of the parameter
 * to name then, 0 if the path does not come from one. */
zend_string *php_emonfeed_path(const char *path, uint32_t argument);

/* Whether open_basedir allows the path; throws if not. */
bool php_emonfeed_path_allowed(const char *path);

/* Whether emonfeed.evidence may be that. */
bool php_emonfeed_knows_evidence(const char *name);

/* Opens a feed as the ini settings say. */
emonfeed_status php_emonfeed_open(const char *path, emonfeed_feed **feed, emonfeed_error **error);

#endif
