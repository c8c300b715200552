#ifndef PHP_EMONFEED_EXCEPTION_H
#define PHP_EMONFEED_EXCEPTION_H

#include "php_emonfeed.h"

void php_emonfeed_exception_minit(void);

/* Throws Emonfeed\Exception with one of EMONFEED_STATUS_… as its code. */
void php_emonfeed_throw(emonfeed_status status, const char *format, ...) ZEND_ATTRIBUTE_FORMAT(printf, 2, 3);

#endif
