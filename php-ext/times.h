/* Times and counts between the library and PHP, whose int may be too small for them:
 * one of 32 bits ends in 2038. */
#ifndef PHP_EMONFEED_TIMES_H
#define PHP_EMONFEED_TIMES_H

#include "php_emonfeed.h"

/* As int; as float where int is too small. */
void php_emonfeed_time_to_zval(zval *zv, int64_t time);
void php_emonfeed_add_time(zval *array, const char *key, int64_t time);
void php_emonfeed_add_count(zval *array, const char *key, uint64_t count);

/* Whether `zv` is an int, or a whole float where int is too small: that is what the
 * functions above give, and so what is taken back. */
bool php_emonfeed_is_time(const zval *zv, int64_t *time);

/* A parameter that is a time, into an int64_t. */
#if SIZEOF_ZEND_LONG == 8
# define PHP_EMONFEED_PARAM_TIME(time) Z_PARAM_LONG(time)
#else
bool php_emonfeed_param_time(zval *zv, int64_t *time, uint32_t argument);
# define PHP_EMONFEED_PARAM_TIME(time) \
	Z_PARAM_PROLOGUE(0, 0); \
	if (UNEXPECTED(!php_emonfeed_param_time(_arg, &time, _i))) { \
		_expected_type = Z_EXPECTED_LONG; \
		_error_code = ZPP_ERROR_WRONG_ARG; \
		break; \
	}
#endif

#endif
