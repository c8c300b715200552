#include "times.h"

#include <math.h>

void php_emonfeed_time_to_zval(zval *zv, int64_t time)
{
	if ((int64_t) (zend_long) time == time) {
		ZVAL_LONG(zv, (zend_long) time);
	} else {
		ZVAL_DOUBLE(zv, (double) time);
	}
}

void php_emonfeed_add_time(zval *array, const char *key, int64_t time)
{
	zval zv;
	php_emonfeed_time_to_zval(&zv, time);
	add_assoc_zval(array, key, &zv);
}

void php_emonfeed_add_count(zval *array, const char *key, uint64_t count)
{
	if (count <= (uint64_t) ZEND_LONG_MAX) {
		add_assoc_long(array, key, (zend_long) count);
	} else {
		add_assoc_double(array, key, (double) count);
	}
}

bool php_emonfeed_is_time(const zval *zv, int64_t *time)
{
	if (Z_TYPE_P(zv) == IS_LONG) {
		*time = Z_LVAL_P(zv);
		return true;
	}
#if SIZEOF_ZEND_LONG == 4
	/* Beyond `most`, a float does not tell whole numbers apart. NaN is not within. */
	const double most = 9007199254740992.0;
	double number = Z_TYPE_P(zv) == IS_DOUBLE ? Z_DVAL_P(zv) : 0;
	if (!ZEND_DOUBLE_FITS_LONG(number) && fabs(number) <= most && trunc(number) == number) {
		*time = (int64_t) number;
		return true;
	}
#endif
	return false;
}

#if SIZEOF_ZEND_LONG == 4
bool php_emonfeed_param_time(zval *zv, int64_t *time, uint32_t argument)
{
	zend_long number;
	bool is_null;

	if (php_emonfeed_is_time(zv, time)) {
		return true;
	}
	/* The rules of PHP for all else, such as "100". */
	if (!zend_parse_arg_long(zv, &number, &is_null, 0, argument)) {
		return false;
	}
	*time = number;
	return true;
}
#endif
