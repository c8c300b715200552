#include "csv.h"

#include "times.h"

/* A text without NUL, lent by the value it is in; NULL after throwing. */
static const char *text_from(zval *value, const char *key, uint32_t argument)
{
	if (Z_TYPE_P(value) != IS_STRING) {
		zend_argument_type_error(argument, "must hold \"%s\" of type string, %s given", key, zend_zval_type_name(value));
		return NULL;
	}
	if (strlen(Z_STRVAL_P(value)) != Z_STRLEN_P(value)) {
		zend_argument_value_error(argument, "must hold \"%s\" without null bytes", key);
		return NULL;
	}
	return Z_STRVAL_P(value);
}

static bool decimals_from(zval *value, uint32_t argument, int32_t *decimals)
{
	if (Z_TYPE_P(value) == IS_NULL) {
		*decimals = -1;
		return true;
	}
	if (Z_TYPE_P(value) != IS_LONG) {
		zend_argument_type_error(argument, "must hold \"decimals\" of type ?int, %s given", zend_zval_type_name(value));
		return false;
	}
	if (Z_LVAL_P(value) < 0) {
		zend_argument_value_error(argument, "must hold \"decimals\" of 0 or more");
		return false;
	}
	/* What is far too much is refused by the library as well. */
	*decimals = (int32_t) MIN(Z_LVAL_P(value), INT32_MAX);
	return true;
}

static bool time_from(zval *value, uint32_t argument, int32_t *time)
{
	static const char *const names[] = {
		[EMONFEED_TIME_UNIX] = "unix", [EMONFEED_TIME_EXCEL] = "excel", [EMONFEED_TIME_ISO8601] = "iso8601",
	};
	const char *name = text_from(value, "time", argument);

	if (!name) {
		return false;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(name, names[i]) == 0) {
			*time = (int32_t) i;
			return true;
		}
	}
	zend_argument_value_error(argument, "must hold \"time\" as \"unix\", \"excel\" or \"iso8601\"");
	return false;
}

static bool offsets_from(zval *value, uint32_t argument, php_emonfeed_csv *csv)
{
	zval *pair;

	if (Z_TYPE_P(value) != IS_ARRAY) {
		zend_argument_type_error(argument, "must hold \"offsets\" of type array, %s given", zend_zval_type_name(value));
		return false;
	}
	csv->offsets = safe_erealloc(csv->offsets, zend_hash_num_elements(Z_ARRVAL_P(value)), sizeof(*csv->offsets), 0);
	csv->csv.n_offsets = 0;
	ZEND_HASH_FOREACH_VAL(Z_ARRVAL_P(value), pair) {
		ZVAL_DEREF(pair);
		zval *from = Z_TYPE_P(pair) == IS_ARRAY ? zend_hash_index_find_deref(Z_ARRVAL_P(pair), 0) : NULL;
		zval *seconds = from ? zend_hash_index_find_deref(Z_ARRVAL_P(pair), 1) : NULL;
		int64_t time;
		if (!seconds || !php_emonfeed_is_time(from, &time) || Z_TYPE_P(seconds) != IS_LONG ||
				Z_LVAL_P(seconds) < -86400 || Z_LVAL_P(seconds) > 86400) {
			zend_argument_value_error(argument,
				"must hold \"offsets\" as a list of [time, seconds east of UTC, at most a day]");
			return false;
		}
		csv->offsets[csv->csv.n_offsets++] = (emonfeed_offset) {
			.from = time, .seconds = (int32_t) Z_LVAL_P(seconds),
		};
	} ZEND_HASH_FOREACH_END();
	csv->csv.offsets = csv->offsets;
	return true;
}

static bool entry_from(zend_string *key, zval *value, uint32_t argument, php_emonfeed_csv *csv)
{
	if (key && zend_string_equals_literal(key, "separator")) {
		return (csv->csv.separator = text_from(value, "separator", argument)) != NULL;
	}
	if (key && zend_string_equals_literal(key, "point")) {
		return (csv->csv.point = text_from(value, "point", argument)) != NULL;
	}
	if (key && zend_string_equals_literal(key, "missing")) {
		return (csv->csv.missing = text_from(value, "missing", argument)) != NULL;
	}
	if (key && zend_string_equals_literal(key, "decimals")) {
		return decimals_from(value, argument, &csv->csv.decimals);
	}
	if (key && zend_string_equals_literal(key, "time")) {
		return time_from(value, argument, &csv->csv.time);
	}
	if (key && zend_string_equals_literal(key, "offsets")) {
		return offsets_from(value, argument, csv);
	}
	zend_argument_value_error(argument,
		"must hold no other keys than \"separator\", \"point\", \"missing\", \"decimals\", \"time\" and \"offsets\"");
	return false;
}

bool php_emonfeed_csv_from(HashTable *format, uint32_t argument, php_emonfeed_csv *csv)
{
	zend_string *key;
	zval *value;

	memset(csv, 0, sizeof(*csv));
	csv->csv.decimals = -1;
	if (!format) {
		return true;
	}
	ZEND_HASH_FOREACH_STR_KEY_VAL(format, key, value) {
		ZVAL_DEREF(value);
		if (!entry_from(key, value, argument, csv)) {
			php_emonfeed_csv_release(csv);
			return false;
		}
	} ZEND_HASH_FOREACH_END();
	return true;
}

void php_emonfeed_csv_release(php_emonfeed_csv *csv)
{
	if (csv->offsets) {
		efree(csv->offsets);
		csv->offsets = NULL;
	}
}
